"""Scores agree with the golden ones of public code, and with plain implementations of their definitions."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
import torch
from probed_networks import Blind, Detached, batch, make
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from benchsuite import score_network
from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.estimators.zero_shot.gradients import Fisher, GradientNorm, Grasp, L2Norm, Plain, Snip
from benchsuite.estimators.zero_shot.jacobian import EPENAS, JacobianCovariance
from benchsuite.estimators.zero_shot.relu_codes import NWOT, SWAP, distinct_columns
from benchsuite.estimators.zero_shot.scoring import probe_network
from benchsuite.estimators.zero_shot.synflow import SynFlow, SynFlowWithNorm

GOLDEN = (
    GradientNorm(), Plain(), Snip(), Grasp(), Fisher(), SynFlow(), SynFlowWithNorm(), JacobianCovariance(), EPENAS(),
    NWOT(),
)  # fmt: skip


def score(network, inputs, targets, estimator):
    """The score of one estimator; its exception is raised."""
    [outcome] = probe_network(network, inputs, targets, [estimator])
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def golden_network(name):
    def block(inputs, outputs, kernel, stride, norm):
        conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=not norm)
        return [conv, nn.BatchNorm2d(outputs), nn.ReLU()] if norm else [conv, nn.ReLU()]

    norm = name == "plain_bn"
    layers = [*block(3, 8, 3, 1, norm), *block(8, 16, 3, 2, norm), *block(16, 16, 3 if norm else 1, 1, norm)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)).double()


@pytest.mark.parametrize("name", ["plain_bn", "no_norm"])
def test_scores_equal_those_of_public_code(shared, name):
    arrays = np.load(shared / "golden" / f"{name}.npz")
    network = golden_network(name)
    state = {key.removeprefix("state."): torch.from_numpy(arrays[key]) for key in arrays if key.startswith("state.")}
    network.load_state_dict(state)
    inputs, targets = torch.from_numpy(arrays["inputs"]), torch.from_numpy(arrays["targets"])
    golden = json.loads((shared / "golden" / "zero_shot.json").read_text())[name]
    for estimator, outcome in zip(GOLDEN, probe_network(network, inputs, targets, GOLDEN), strict=True):
        tolerance = 1e-6 if estimator.name == "fisher" else 1e-9  # public code rounds fisher to float32
        assert outcome.value == pytest.approx(golden[estimator.name], rel=tolerance), estimator.name


def loss_of_weights(network, inputs, targets, temperature=1.0):
    """The loss as a function of the conv and linear weights, and their values."""
    layers = {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}
    names = [f"{name}.weight" for name in layers]
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}

    def loss(*weights):
        state = dict(zip(names, weights, strict=True)) | {key: value.clone() for key, value in buffers.items()}
        return cross_entropy(functional_call(network, state, (inputs.clone(),)) / temperature, targets)

    return loss, tuple(network.get_parameter(name).detach().clone() for name in names)


KINDS = ["batch norm", "group norm", "no norm", "in-place modules", "in-place functions"]


@pytest.mark.parametrize("kind", KINDS)
def test_first_order_scores_follow_their_definitions(kind):
    network, (inputs, targets) = make(kind), batch()
    loss, weights = loss_of_weights(network, inputs, targets)
    gradients = torch.autograd.functional.jacobian(loss, weights)
    products = [(w * g).flatten().tolist() for w, g in zip(weights, gradients, strict=True)]
    expected = {
        "grad_norm": sum(math.sqrt(math.fsum(v * v for v in g.flatten().tolist())) for g in gradients),
        "plain": math.fsum(v for layer in products for v in layer),
        "snip": math.fsum(abs(v) for layer in products for v in layer),
    }
    assert score_network(network, inputs, targets, list(expected)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_grasp_is_the_product_with_the_hessian(kind):
    network, (inputs, targets) = make(kind), batch()
    loss, weights = loss_of_weights(network, inputs, targets)
    gradients = torch.autograd.functional.jacobian(loss, weights)
    step = 1e-5  # H g by central differences of the gradient along itself
    ahead, behind = (
        torch.autograd.functional.jacobian(
            loss, tuple(w + sign * step * g for w, g in zip(weights, gradients, strict=True))
        )
        for sign in (1, -1)
    )
    expected = -sum(float((w * (a - b)).sum()) / (2 * step) for w, a, b in zip(weights, ahead, behind, strict=True))
    assert score_network(network, inputs, targets, ["grasp"])["grasp"] == pytest.approx(expected, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("kind", ["batch norm", "no norm"])
@pytest.mark.parametrize(("temperature", "batches"), [(3.0, 1), (1.0, 2), (200.0, 2)])
def test_grasp_has_a_temperature_and_two_halves(kind, temperature, batches):
    network, (inputs, targets) = make(kind).requires_grad_(False), batch(7)
    parts = [(inputs, targets)] if batches == 1 else [(inputs[:3], targets[:3]), (inputs[3:], targets[3:])]

    def gradients(*weights):
        return torch.autograd.functional.jacobian(total, weights)

    def total(*weights):
        return sum(loss(*weights) for loss in losses)

    losses = [loss_of_weights(network, *part, temperature=temperature)[0] for part in parts]
    weights = loss_of_weights(network, *parts[0])[1]
    gradient, step = gradients(*weights), 1e-6 * temperature
    ahead, behind = (
        gradients(*(w + sign * step * g for w, g in zip(weights, gradient, strict=True))) for sign in (1, -1)
    )
    expected = -sum(float((w * (a - b)).sum()) / (2 * step) for w, a, b in zip(weights, ahead, behind, strict=True))
    found = score(network, inputs, targets, Grasp(temperature=temperature, batches=batches))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_a_layer_whose_scale_does_not_matter_gives_grasp_its_squared_gradient():
    network, (inputs, targets) = make("batch norm"), batch()
    network[1].eps = network[4].eps = 1e-12
    network[8].weight = None  # so that every layer that counts comes before normalisation
    network[8].forward = lambda features: features[:, :5]
    loss = cross_entropy(network(inputs), targets)
    gradients = torch.autograd.grad(loss, [network[0].weight, network[3].weight])
    expected = sum(float(gradient.square().sum()) for gradient in gradients)
    assert score(network, inputs, targets, Grasp()) == pytest.approx(expected, rel=1e-6)


def test_one_image_has_no_two_halves():
    assert math.isnan(score(make("no norm"), *batch(1), Grasp(batches=2)))


@pytest.mark.parametrize("kind", KINDS)
def test_l2_norm_is_the_sum_of_the_norms_of_layers(kind):
    network = make(kind)
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    expected = sum(math.sqrt(math.fsum(v * v for v in layer.weight.flatten().tolist())) for layer in layers)
    assert score(network, *batch(), L2Norm()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("aggregate", ["broadcast", "channel"])
@pytest.mark.parametrize("kind", ["batch norm", "no norm", "in-place modules"])
def test_fisher_sums_squared_products_of_channels(kind, aggregate):
    network, (inputs, targets) = make(kind), batch()
    features, outputs = inputs, []
    for layer in network.train():
        if isinstance(layer, nn.ReLU):
            features = features.clamp(min=0)
            continue
        features = layer(features)
        if isinstance(layer, nn.Conv2d | nn.Linear):
            outputs.append((layer, features))
    gradients = torch.autograd.grad(cross_entropy(features, targets), [output for _, output in outputs])
    expected = 0.0
    for (layer, output), gradient in zip(((a, b.detach()) for a, b in outputs), gradients, strict=True):
        for channel in range(output.shape[1]):
            images = [float((output[i, channel] * gradient[i, channel]).sum()) for i in range(len(inputs))]
            saliency = sum(value**2 for value in images) / len(inputs) / 2
            expected += saliency * (layer.weight[channel].numel() if aggregate == "broadcast" else 1)
    assert score(network, inputs, targets, Fisher(aggregate)) == pytest.approx(expected, rel=1e-9)


def test_fisher_sees_the_outputs_of_layers_before_functions_change_them():
    network, (inputs, targets) = make("in-place functions").train(), batch()
    first = network.first(inputs * 2)
    second = network.second(first.relu())
    last = network.last((second + first.relu()).relu().mean((2, 3)))
    gradients = torch.autograd.grad(cross_entropy(last, targets), (first, second, last))
    expected = 0.0
    for layer, z, gradient in zip(network.children(), (first, second, last), gradients, strict=True):
        saliency = (z * gradient).detach().reshape(6, z.shape[1], -1).sum(2).square().mean(0) / 2
        expected += layer.weight[0].numel() * float(saliency.sum())
    assert score(network, inputs, targets, Fisher()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_synflow_linearises_the_network_in_double_precision(dtype, log):
    network, (inputs, targets) = make("batch norm", dtype), batch(dtype=dtype)
    copied = copy.deepcopy(network).double()
    copied[1], copied[4] = nn.Identity(), nn.Identity()
    for parameter in copied.parameters():
        parameter.data.abs_()
    copied(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().backward()
    expected = 0.0
    for layer in (copied[0], copied[3], copied[8]):
        flow = torch.log(layer.weight.grad + 1) if log else layer.weight.grad
        expected += float((layer.weight.detach() * flow).sum())
    scores = score_network(network, inputs, targets, ["synflow"], parameters={"synflow": {"log": log}})
    assert scores["synflow"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_synflow_bn_keeps_batch_normalisation(dtype):
    network, (inputs, targets) = make("batch norm", dtype), batch(dtype=dtype)
    copied = copy.deepcopy(network).double().train()
    for parameter in copied.parameters():
        parameter.data.abs_()
    copied(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().backward()
    layers = (copied[0], copied[3], copied[8])
    expected = sum(float((layer.weight.detach() * layer.weight.grad).abs().sum()) for layer in layers)
    assert score(network, inputs, targets, SynFlowWithNorm()) == pytest.approx(expected, rel=1e-12)


def test_synflow_bn_is_undefined_where_a_map_has_one_pixel():
    network = nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 5)).double()
    assert math.isnan(score(network, *batch(), SynFlowWithNorm()))
    assert score(network, *batch(), SynFlow()) > 0
    network[1].train = lambda mode: network[1]  # stays in evaluation mode, where statistics are given
    network[1].training = False
    assert score(network, *batch(), SynFlowWithNorm()) > 0


def test_log_synflow_is_defined_where_gradients_are_negative():
    network = make("tokens")
    assert score(network, *batch(), SynFlow(log=True)) > 0


def test_synflow_knows_neither_data_nor_loss():
    network = make("batch norm")
    scores = [
        score_network(network, *batch(seed=seed), ["synflow"], loss=lambda logits, targets: logits.square().sum())
        for seed in (1, 2)
    ]
    assert scores[0] == scores[1] == score_network(network, *batch(), ["synflow"])


@pytest.mark.parametrize("kind", KINDS)
def test_jacob_cov_follows_its_definition(kind):
    network, (inputs, targets) = make(kind).train(), batch()
    jacobian = torch.autograd.functional.jacobian(lambda x: network(x.clone()).sum(), inputs)
    eigenvalues = np.linalg.eigvals(np.corrcoef(jacobian.reshape(len(inputs), -1).numpy())).real
    expected = -sum(math.log(v + 1e-5) + 1 / (v + 1e-5) for v in eigenvalues)
    assert score_network(network, inputs, targets, ["jacob_cov"])["jacob_cov"] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("classes", [5, 100, 101])
def test_epe_nas_compares_images_of_one_class(classes):
    network, (inputs, _) = make("batch norm").train(), batch(9)
    network[8] = nn.Linear(8, classes).double()
    targets = torch.tensor([2, 0, 2, 4, 0, 2, 1, 4, 4])  # class 1 has one image
    jacobian = torch.autograd.functional.jacobian(lambda x: network(x).sum(), inputs).reshape(9, -1).numpy()
    sums, means = [], []
    for each in (0, 1, 2, 4):
        rows = [jacobian[i] for i in range(9) if targets[i] == each]
        correlations = [np.corrcoef(a, b)[0, 1] for a in rows for b in rows]
        sums.append(sum(math.log(abs(value) + 1e-5) for value in correlations))
        means.append(sums[-1] / len(rows))
    few, many = sum(abs(s) for s in sums), sum(abs(a - b) for a in means for b in means) / 4
    assert score(network, inputs, targets, EPENAS()) == pytest.approx(few if classes <= 100 else many, rel=1e-9)


def test_epe_nas_asks_for_one_class_per_image():
    inputs, targets = batch()
    with pytest.raises(UnsupportedError, match="one class per image"):
        score(make("no norm"), inputs, nn.functional.one_hot(targets, 5).double(), EPENAS())


@pytest.mark.parametrize("kind", ["batch norm", "no norm", "in-place modules"])
def test_nwot_counts_units_in_which_images_agree(kind):
    network, (inputs, targets) = make(kind).train(), batch()
    features, kernel = inputs, np.zeros((len(inputs), len(inputs)))
    for layer in network:
        if isinstance(layer, nn.ReLU):
            signs = (features.flatten(1) > 0).tolist()
            kernel += [[sum(a == b for a, b in zip(one, two, strict=True)) for two in signs] for one in signs]
            features = features.clamp(min=0)
        else:
            features = layer(features)
    expected = math.log(abs(np.linalg.det(kernel)))
    assert score_network(network, inputs, targets, ["nwot"])["nwot"] == pytest.approx(expected, rel=1e-10)


def test_images_with_equal_codes_leave_nwot_undefined():
    network, (inputs, targets) = make("no norm"), batch(number=40)
    inputs[-1] = inputs[0]
    assert math.isnan(score_network(network, inputs, targets, ["nwot"])["nwot"])


@pytest.mark.parametrize("n", [1, 3, 64, 65, 130])
@pytest.mark.parametrize("parts", [(7,), (40, 1, 300)])
def test_distinct_columns_are_counted(n, parts):
    generator = torch.Generator().manual_seed(n)
    codes = [torch.rand(n, units, generator=generator) > 0.1 / n for units in parts]
    columns = {tuple(column) for code in codes for column in code.T.tolist()}
    assert distinct_columns(codes) == len(columns)


@pytest.mark.parametrize("kind", ["batch norm", "no norm", "in-place modules"])
def test_swap_counts_the_patterns_of_units_on_maps(kind):
    network, (inputs, targets) = make(kind).train(), batch(3)
    network.insert(len(network) - 1, nn.ReLU())  # not on a map
    features, columns = inputs, set()
    for layer in network:
        if isinstance(layer, nn.ReLU) and features.dim() == 4:
            columns |= {tuple(unit) for unit in (features.flatten(1) > 0).T.tolist()}
        features = features.clamp(min=0) if isinstance(layer, nn.ReLU) else layer(features)
    assert 1 < len(columns) <= 8
    assert score(network, inputs, targets, SWAP()) == len(columns)
    params = sum(parameter.numel() for parameter in network.parameters())
    expected = len(columns) * math.exp(-((params - 400.0) ** 2) / 1e6)
    assert score(network, inputs, targets, SWAP(mu=400.0, sigma=1e6)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("estimator", [NWOT(), SWAP()])
def test_what_sees_only_modules_says_so(estimator):
    with pytest.raises(UnsupportedError, match=rf"{estimator.name} needs nn\.ReLU modules, and the network has none"):
        score(make("in-place functions"), *batch(), estimator)


@pytest.mark.parametrize("network", [Blind(), Detached()])
@pytest.mark.parametrize("number", [1, 6])
def test_without_a_path_gradient_scores_are_zero_and_the_others_undefined(network, number):
    minibatch = batch(number, dtype=torch.float32)
    for zero in (GradientNorm(), Plain(), Snip(), Grasp(), Grasp(temperature=2.0), Fisher(), SynFlow()):
        assert score(network, *minibatch, zero) == 0
    for undefined in (JacobianCovariance(), EPENAS()):
        assert math.isnan(score(network, *minibatch, undefined))


def test_equal_images_do_not_pass_for_a_missing_path():
    network, (inputs, targets) = make("no norm"), batch()
    scores = score_network(network, inputs[:1].expand(6, -1, -1, -1), targets, ["grad_norm"])
    assert scores["grad_norm"] > 0


def test_overflow_is_undefined():
    network = make("no norm", torch.float32)
    with torch.no_grad():
        network[0].weight.fill_(3e38)
    scores = score_network(network, *batch(dtype=torch.float32), ["snip", "synflow"])
    assert math.isnan(scores["snip"])
    assert math.isfinite(scores["synflow"])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Fisher(aggregate="layer"), "choose 'broadcast' or 'channel'"),
        (Grasp(temperature=0.0), "choose a temperature above 0"),
        (Grasp(batches=3), "and 1 or 2 batches"),
        (SWAP(mu=1.0), "give both"),
        (SWAP(mu=1.0, sigma=0.0), "sigma above 0"),
    ],
)
def test_a_hyperparameter_outside_its_range_is_named(estimator, message):
    with pytest.raises(SuiteError, match=message):
        score(make("no norm"), *batch(), estimator)
