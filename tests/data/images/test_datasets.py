"""Descriptions of data sets."""

from __future__ import annotations

import pytest

from benchsuite.core.errors import UnknownNameError
from benchsuite.core.types import Dataset
from benchsuite.data.images.datasets import dataset


@pytest.mark.parametrize(
    ("name", "classes", "shape"),
    [
        ("cifar10", 10, (3, 32, 32)),
        ("cifar100", 100, (3, 32, 32)),
        ("imagenet16-120", 120, (3, 16, 16)),
        ("digits", 10, (1, 8, 8)),
    ],
)
def test_known_data_sets_have_the_published_classes_and_shapes(name, classes, shape):
    assert (dataset(name).classes, dataset(name).shape) == (classes, shape)


def test_a_description_passes_through():
    own = Dataset("leaves", classes=5, size=28)
    assert dataset(own) is own


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match="Did you mean 'cifar10'"):
        dataset("cifar-10")
