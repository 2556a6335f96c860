"""Reader of the official `nds_data` folder: trainings of the NDS design spaces (Radosavovic et al., ICCV 2019).

A file such as `ResNet.json` is a list of trainings on CIFAR-10, `ResNet_rng1.json` and so on are trainings of some
networks with other seeds. A training has `net` (lists `ds`, `ws`, `ss` and for bottlenecks `bot_muls`, `num_gs`, whose
first entry is the stem), `optim`, `rng_seed` and, epoch by epoch, errors in percent and losses.

Read are the files of the four spaces of plain and residual stages; those of cells (NASNet, DARTS, ...), of ImageNet
(`_in`), of other learning rates (`_lr-wd`) and `_reruns` are left alone.

The layout is known from public programs that read the files and from the networks' code in pycls.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.sequences import chunks
from benchsuite.core.types import ACCURACY, ARCHITECTURE, EPOCHS, LOSS, SPLIT, TRIAL
from benchsuite.data.readers.pieces import Piece, Progress, silent
from benchsuite.data.tables import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchsuite.core.arrays import Floats

_CHUNK = 500  # trainings at a time: their curves take about 10 MB
_STEM = {"ds": 1, "ws": 16, "ss": 1}
_STRIDES = [1, 2, 2]


class _Family(NamedTuple):
    file: str  # the file's name is this and .json, or _rng1.json and so on
    space: str
    block: str  # how the names of its blocks begin
    keys: tuple[str, ...]  # lists of a net that make its string
    letters: tuple[str, ...]


_PLAIN, _GROUPED = (("ds", "ws"), ("d", "w")), (("ds", "ws", "bot_muls", "num_gs"), ("d", "w", "b", "g"))
_FAMILIES = (
    _Family("ResNet", "nds_resnet", "res_basic", *_PLAIN),
    _Family("ResNeXt-A", "nds_resnext_a", "res_bottleneck", *_GROUPED),
    _Family("ResNeXt-B", "nds_resnext_b", "res_bottleneck", *_GROUPED),
    _Family("Vanilla", "nds_vanilla", "double_plain", *_PLAIN),
)


class _Training(NamedTuple):
    architecture: str
    seed: int
    errors: Mapping[str, Floats]  # by split, in percent, the last one after the last epoch
    loss: Floats  # on the training images, after each epoch


def read(folder: Path, progress: Progress = silent) -> Iterator[Piece]:
    """Yield accuracies (percent) of every training at its end and by epoch, in the order of the architecture strings.

    Splits are "train", "test" (after the last epoch) and, only in the table, "test-best": the lowest error after any
    epoch (`min_test_top1`), which the paper reports although it is selected on the test images. Trainings of the same
    architecture are the trials 0, 1, ... in the order of the files; one that two files contain is read once.

    Parameters
    ----------
    folder
        The official folder, or a copy with some of its files.
    progress
        Called with the files done and all files.

    Raises
    ------
    DataCorruptError
        If all files are missing, or one is truncated or of another form.
    """
    files = {family: _files(folder, family) for family in _FAMILIES}
    total = sum(map(len, files.values()))
    if not total:
        names = ", ".join(f"{family.file}.json" for family in _FAMILIES)
        raise DataCorruptError(f"{folder.name} lacks {names}; unpack the official nds_data archive again")
    done = 0
    for family, paths in files.items():
        trainings: list[_Training] = []
        for path in paths:
            trainings += _trainings(path, family)
            progress(done := done + 1, total)
        yield from _pieces(family, trainings)


def _files(folder: Path, family: _Family) -> list[Path]:
    main = folder / f"{family.file}.json"
    return [path for path in (main, *sorted(folder.glob(f"{family.file}_rng[0-9]*.json"))) if path.is_file()]


def _trainings(path: Path, family: _Family) -> Iterator[_Training]:
    for number, item in enumerate(_items(path), start=1):
        try:
            yield _training(item, family)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())[:120]
            raise DataCorruptError(
                f"{path.name}, training {number}, does not belong to {family.space} "
                f"({type(error).__name__}: {reason}); "
                "get the file again from the official page"
            ) from error


def _items(path: Path) -> Iterator[Any]:
    """Yield the items of a list in a JSON file, one after the other: parsed at once they would take gigabytes."""
    try:
        text = path.read_text(encoding="utf-8")
        position, decoder = _after_space(text, 0), json.JSONDecoder()
        separator = text[position]
        if separator != "[":
            raise DataCorruptError(f"{path.name} is not a list of trainings; get it again from the official page")
        while separator != "]":
            item, position = decoder.raw_decode(text, _after_space(text, position + 1))
            yield item
            position = _after_space(text, position)
            separator = text[position]
            if separator not in ",]":
                raise ValueError(f"expected a comma at character {position}")
    except (ValueError, OSError, IndexError, RecursionError) as error:
        raise DataCorruptError(
            f"{path.name} is truncated or not a JSON file; get it again from the official page"
        ) from error


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _training(item: Any, family: _Family) -> _Training:
    test, train, loss = (np.array(item[key], "float64") for key in ("test_ep_top1", "train_ep_top1", "train_ep_loss"))
    if not test.shape == train.shape == loss.shape == (item["optim"]["max_ep"],):
        raise ValueError(f"some results do not have max_ep = {item['optim']['max_ep']} epochs")
    loss[~np.isfinite(loss)] = np.nan  # a training that diverged
    errors = {"train": train, "test": test, "test-best": np.array([float(item["min_test_top1"])])}
    return _Training(_architecture(item["net"], family), int(item["rng_seed"]), errors, loss)


def _architecture(net: Any, family: _Family) -> str:
    """Return the string of a network, whose stem and strides must be those of the design space."""
    if not net["block_type"].startswith(family.block):
        raise ValueError(f"its blocks are {net['block_type']}")
    stem = {key: net[key][0] for key in _STEM}
    if stem != _STEM or list(net["ss"][1:]) != _STRIDES:
        raise ValueError(f"its stem is {stem}, its strides are {net['ss'][1:]}")
    stages = zip(*(net[key][1:] for key in family.keys), _STRIDES, strict=True)
    return "/".join(
        "-".join(f"{letter}{value:g}" for letter, value in zip(family.letters, stage, strict=False)) for stage in stages
    )


def _pieces(family: _Family, trainings: Sequence[_Training]) -> Iterator[Piece]:
    benchmark = f"{family.space}/cifar10"
    for chunk in chunks(_numbered(trainings), _CHUNK):
        ends = [_rows(chunk, split, slice(-1, None)) for split in ("train", "test", "test-best")]
        yield Piece(benchmark, "table", normalise(pd.concat(ends), family.file))
        curves = [_rows(chunk, split, slice(None)) for split in ("train", "test")]
        yield Piece(benchmark, "curve", normalise(pd.concat(curves), family.file))


def _rows(chunk: Sequence[tuple[int, _Training]], split: str, part: slice) -> pd.DataFrame:
    """Return the rows of some trainings in a part of their epochs."""
    errors = [one.errors[split][part] for _, one in chunk]
    lengths = [len(each) for each in errors]
    return pd.DataFrame(
        {
            ARCHITECTURE: np.repeat([one.architecture for _, one in chunk], lengths),
            TRIAL: np.repeat([trial for trial, _ in chunk], lengths),
            SPLIT: split,
            EPOCHS: np.concatenate([np.arange(1, len(one.loss) + 1)[part] for _, one in chunk]),
            ACCURACY: 100 - np.concatenate(errors),
            LOSS: np.concatenate([one.loss[part] for _, one in chunk]) if split == "train" else np.nan,
        }
    )


def _numbered(trainings: Sequence[_Training]) -> list[tuple[int, _Training]]:
    """Return the different trainings in the order of their architectures, numbered within each architecture."""
    different = {(one.architecture, one.seed, one.errors["test"].tobytes()): one for one in trainings}
    counts: dict[str, int] = {}
    numbered = []
    for training in sorted(different.values(), key=lambda one: one.architecture):
        trial = counts.get(training.architecture, 0)
        counts[training.architecture] = trial + 1
        numbered.append((trial, training))
    return numbered
