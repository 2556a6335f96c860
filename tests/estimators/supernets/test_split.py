"""Training and validation images of supernets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from path_trainings import DIGITS

from benchsuite.core.errors import (
    SuiteError,
    UnknownNameError,
)
from benchsuite.estimators.supernets.split import Split, augmented


def test_training_and_validation_images_are_different_and_shuffled() -> None:
    training, validation = (part(DIGITS, 0, 1, "cpu") for part in (Split.training, Split.validation))
    assert len(training) + len(validation) == len(DIGITS.train_targets)
    assert len(validation) == len(DIGITS.train_targets) // 5
    kept = {image.numpy().tobytes() for image in training.inputs}
    assert sum(image.numpy().tobytes() in kept for image in validation.inputs) <= 2  # digits repeats few images
    assert set(validation.targets[:100].tolist()) == set(range(10))
    with pytest.raises(SuiteError, match=r"must be 0 \(all\) to"):
        Split.training(DIGITS, 10**6, 1, "cpu")
    with pytest.raises(SuiteError, match="must divide the images' side"):
        Split.training(DIGITS, 0, 3, "cpu")


def test_shrunken_images_are_means_over_squares() -> None:
    split = Split.training(DIGITS, 5, 2, "cpu")
    plain = Split.training(DIGITS, 5, 1, "cpu")
    assert torch.equal(split.inputs[..., 1, 2], plain.inputs[..., 2:4, 4:6].float().mean((-2, -1)))
    (inputs, _), *_ = split.in_order(5)
    assert inputs.shape == (5, 1, 4, 4)


def test_crops_shift_and_mirror_whole_images() -> None:
    torch.manual_seed(0)
    image = torch.arange(1.0, 65.0).reshape(1, 1, 8, 8)
    windows = torch.nn.functional.pad(image, [4] * 4)[0, 0].unfold(0, 8, 1).unfold(1, 8, 1).reshape(-1, 8, 8)
    shifted = {window.numpy().tobytes() for window in windows}
    mirrored = {window.flip(1).contiguous().numpy().tobytes() for window in windows}
    images = image.repeat(600, 1, 1, 1)
    crops = {crop.contiguous().numpy().tobytes() for crop in augmented(images, "crop")[:, 0]}
    assert crops <= shifted
    assert len(crops) == 81  # all shifts in both directions
    drawn = [crop.contiguous().numpy().tobytes() for crop in augmented(images, "crop+flip")[:, 0]]
    assert set(drawn) <= shifted | mirrored
    assert 0.4 < np.mean([crop in mirrored for crop in drawn]) < 0.6
    with pytest.raises(UnknownNameError, match="no augmentation named 'flip'"):
        augmented(images, "flip")
