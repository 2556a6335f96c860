"""Batch normalisation that is differentiated twice in few passes over memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torch import Tensor


class QuickSecondDerivative(TorchFunctionMode):
    """Gives batch normalisation in training mode, inside a `with`, a second derivative of few passes over memory.

    Its operators read and write 15 tensors of the features' size; torch's read and write 84, counted by a dispatch
    mode. Outputs and first derivatives come from torch's own operators and keep their bits. Where parameters of batch
    normalisation need gradients, in checkpoints and in evaluation mode, everything is left to torch.

    Examples
    --------
    >>> features = torch.tensor([[1.0], [2.0], [4.0]], requires_grad=True)
    >>> with QuickSecondDerivative():
    ...     output = functional.batch_norm(features, None, None, training=True)
    >>> type(output.grad_fn).__name__
    '_BatchNormBackward'
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, with batch normalisation replaced."""
        return (_batch_norm if func is functional.batch_norm else func)(*args, **(kwargs or {}))


def _batch_norm(  # noqa: PLR0913, PLR0917 - parameters are those of torch's function
    input: Tensor,  # noqa: A002
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    learns = any(parameter is not None and parameter.requires_grad for parameter in (weight, bias))
    # Checkpoints compute again outside the mode, and must find what they saw; torch refuses a single value per channel.
    hooked = torch._C._autograd._top_saved_tensors_default_hooks(False)  # noqa: SLF001 - torch's only answer
    if learns or hooked or not training or input.numel() <= input.shape[1]:
        return functional.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    result: Tensor = _BatchNorm.apply(input, weight, bias, running_mean, running_var, momentum, eps)
    return result


class _BatchNorm(torch.autograd.Function):
    """Batch normalisation whose weight and bias are constants."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor | None, *others: Any) -> Tensor:
        *parameters, momentum, eps = others
        output, *statistics, ctx.kernel = torch.ops.aten._batch_norm_impl_index(  # noqa: SLF001 - torch.batch_norm calls it
            features, weight, *parameters, True, momentum, eps, torch.backends.cudnn.enabled
        )
        ctx.save_for_backward(features, weight, *statistics)
        ctx.eps = eps
        result: Tensor = output
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        [gradient] = gradients
        return _FirstDerivative.apply(gradient, ctx.kernel, ctx.eps, *ctx.saved_tensors), *6 * [None]  # type: ignore[no-untyped-call]


class _FirstDerivative(torch.autograd.Function):
    """First derivative of batch normalisation y = weight z, z = r (x - mean(x)), as a function with a derivative.

    It is dx = weight r (dy - mean(dy) - z mean(dy z)). Let v be the gradient with respect to dx. That with respect to
    dy is the same function of v, call it u, as the operator is symmetric. That with respect to x is

        -r (mean(dy z) u + mean(v z) dx + mean(v dx) z),

    as a change e of x changes z by r (e - mean(e) - z mean(e z)) and r by -r^2 mean(e z).
    """

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, kernel: int, eps: float, *saved: Tensor) -> Tensor:
        ctx.kernel, ctx.eps = kernel, eps
        derivative, along = _derivative(ctx, gradient, saved)
        ctx.save_for_backward(derivative, along, *saved)
        return derivative

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        [gradient] = gradients
        derivative, along, *saved = ctx.saved_tensors
        to_gradient, along_too = _derivative(ctx, gradient, saved)
        features, _, mean, scale, _ = saved
        # sum(v dx) by channel: the gradient of a weight is the sum over a channel of a product, in one pass
        across = torch.ops.aten.native_batch_norm_backward(
            gradient, derivative, None, None, None, torch.zeros_like(mean), torch.ones_like(scale), True, 0.0,
            [False, True, False],
        )[1]  # fmt: skip
        factor = -scale * features.shape[1] / features.numel()
        channel = (-1, *(features.dim() - 2) * [1])
        to_features = (features - mean.view(channel)).mul_((factor * across * scale).view(channel))  # mean(v dx) z
        to_features.addcmul_(to_gradient, (factor * along).view(channel))  # mean(dy z) u
        to_features.addcmul_(derivative, (factor * along_too).view(channel))  # mean(v z) dx
        return to_gradient, None, None, to_features, *4 * [None]


def _derivative(ctx: Any, gradient: Tensor, saved: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the first derivative, and for each channel the sum of the gradient times normalised features z."""
    features, weight, mean, scale, reserve = saved
    to_features, along, _ = torch.ops.aten._batch_norm_impl_index_backward(  # noqa: SLF001 - torch's own derivative
        ctx.kernel, features, gradient, weight, None, None, mean, scale, True, ctx.eps, [True, True, True], reserve
    )
    return to_features, along
