"""The folder of a training: checkpoints that survive a kill, its learning curve, and the lock of the process in it.

recipe.json       everything that determines the weights
latest.pt         the whole state after the last finished epoch, from which a training continues
epoch_0040.pt     only the weights after an epoch that is kept: the supernet's state, by the name of each copy of it;
                  "shared" is that of all architectures, those of a split are named by the operation they are for
curve.csv         a row for each finished epoch; some trainings write further tables
lock, lock.json   the lock of the process that trains; its machine and number
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any, BinaryIO

import torch

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.core.files import durable
from benchsuite.core.locks import locked
from benchsuite.estimators.supernets.epoch import Epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from benchsuite.estimators.supernets.protocols import SupernetTrainer

_LATEST, _CURVE = "latest.pt", "curve.csv"


@dataclass(frozen=True, slots=True)
class TrainingFolder:
    """Files of one training; every file is written whole.

    Attributes
    ----------
    path
        The folder.
    """

    path: Path

    def finished(self, epochs: int) -> bool:
        """Return whether the training has finished.

        Parameters
        ----------
        epochs
            Number of its last epoch.
        """
        return self.checkpoint_file(epochs).is_file()

    def checkpoint_file(self, epoch: int) -> Path:
        """Return the file of the supernet's weights after an epoch.

        Parameters
        ----------
        epoch
            Number of the epoch, counted from 1.
        """
        return self.path / f"epoch_{epoch:04d}.pt"

    def run(
        self,
        trainer: SupernetTrainer,
        recipe: Mapping[str, Any],
        advance: Callable[[Epoch], None],
        *,
        begun: TrainingFolder | None = None,
    ) -> None:
        """Train to the end under the folder's lock, from the last finished epoch if there is one.

        Parameters
        ----------
        trainer
            A trainer at its beginning.
        recipe
            Everything that determines the weights, for recipe.json.
        advance
            Called with what each epoch left.
        begun
            Finished training of the same first epochs, from which an empty folder starts.

        Raises
        ------
        BusyError
            If another process trains here.
        """
        with locked(self.path / "lock", f"the training in {self.path}"):
            _write(self.path / "recipe.json", lambda file: file.write(json.dumps(recipe, indent=1).encode()))
            if begun is not None and (begun.path / _LATEST).is_file() and not (self.path / _LATEST).is_file():
                self._begin_with(begun)
            if (self.path / _LATEST).is_file():
                trainer.load_state_dict(self._load(self.path / _LATEST))
            while trainer.epoch < trainer.training.last_epoch:
                done = trainer.run_epoch()
                self._keep(trainer)
                advance(done)

    def _begin_with(self, other: TrainingFolder) -> None:
        """Copy what another training has left; the state to continue from comes last."""
        for file in (*sorted(other.path.glob("epoch_*.pt")), other.path / _CURVE, other.path / _LATEST):
            _write(self.path / file.name, methodcaller("write", file.read_bytes()))

    def _keep(self, trainer: SupernetTrainer) -> None:
        """Write what the last epoch left: tables, then weights, so that a training with its last weights is complete.

        The state to continue from comes last: after a kill, an epoch with missing files is run again.
        """
        state = trainer.state_dict()
        for name, rows in trainer.tables().items():
            _write(self.path / f"{name}.csv", partial(_write_rows, rows))
        if trainer.epoch in trainer.training.kept_epochs():
            _write(self.checkpoint_file(trainer.epoch), lambda file: torch.save(trainer.checkpoint(), file))
        _write(self.path / _LATEST, lambda file: torch.save(state, file))

    def weights(self, epoch: int) -> dict[str, dict[str, torch.Tensor]]:
        """Return the supernet's states after an epoch.

        Parameters
        ----------
        epoch
            Number of the epoch, counted from 1.

        Returns
        -------
        dict
            A state by the name of each copy.

        Raises
        ------
        DataMissingError
            If the epoch was not kept.
        DataCorruptError
            If its file is damaged.
        """
        file = self.checkpoint_file(epoch)
        if not file.is_file():
            kept = ", ".join(str(int(found.stem[6:])) for found in sorted(self.path.glob("epoch_*.pt")))
            raise DataMissingError(f"{self.path} lacks a checkpoint of epoch {epoch}; it has: {kept or 'none'}")
        weights: dict[str, dict[str, torch.Tensor]] = self._load(file)
        return weights

    def curve(self) -> list[Epoch]:
        """Return what each finished epoch left."""
        return [
            Epoch(int(row.pop("epoch")), **{name: float(value) for name, value in row.items()})
            for row in self.rows(_CURVE)
        ]

    def rows(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a table that the training wrote.

        Parameters
        ----------
        name
            Name of the file.

        Returns
        -------
        list
            Texts by column; empty if the training has not written the table.
        """
        file = self.path / name
        if not file.is_file():
            return []
        with file.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))

    def _load(self, file: Path) -> Any:
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file can raise anything
            reason = type(error).__name__
            raise DataCorruptError(f"{file} cannot be read ({reason}); remove its folder to train again") from error


def _write_rows(rows: Sequence[Mapping[str, Any]], file: BinaryIO) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.write(text.getvalue().encode())


def _write(path: Path, content: Callable[[BinaryIO], object]) -> None:
    with durable(path) as partial, partial.open("wb") as file:
        content(file)
