"""Training sampled architectures with several seeds: side by side, each kept as soon as it has ended."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from benchsuite.core import registry
from benchsuite.core.errors import DataCorruptError
from benchsuite.core.identity import canonical_json, digest
from benchsuite.core.types import ARCHITECTURE, TRIAL
from benchsuite.data.images.minibatches import load_images
from benchsuite.data.tables import normalise
from benchsuite.truth.training import Point, TrainedArchitecture, TrainingProtocol, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from benchsuite.core.space import Space

VERSION = 1  # grows when a training's result would change, so that an old one is not taken for a new one


@dataclass(frozen=True, slots=True)
class TruthPlan:
    """What to train: a sample of a space, each architecture with several seeds.

    A plan with more architectures or seeds contains a smaller one.

    Attributes
    ----------
    space
        Registered name of the search space.
    images
        A name or a path that `load_images` takes.
    protocol
        How each architecture is trained.
    sizes
        Sizes of the networks that differ from the space's standard ones.
    architectures
        Number of architectures.
    seeds
        Number of trainings of each, with the seeds 0, 1, ...
    sample_seed
        Seed of the sample.
    """

    space: str
    images: str
    protocol: TrainingProtocol
    sizes: Mapping[str, int]
    architectures: int = 200
    seeds: int = 3
    sample_seed: int = 0

    def make_space(self) -> Space:
        """Return the space with the plan's sizes."""
        return registry.make_space(self.space, self.sizes)

    def trainings(self) -> list[tuple[str, int]]:
        """Return all pairs of architecture and seed; the first seed of every architecture comes first."""
        sample = self.make_space().sample(self.architectures, np.random.default_rng(self.sample_seed))
        return [(architecture, seed) for seed in range(self.seeds) for architecture in sample]

    def recipe(self) -> str:
        """Return the identity of everything that determines a training but its architecture and seed."""
        return digest(
            {
                "version": VERSION,
                "space": self.space,
                "sizes": dict(self.make_space().sizes),
                "images": load_images(self.images).digest,
                "protocol": asdict(self.protocol),
            }
        )


class TrainingStore:
    """Finished trainings in a SQLite file; each is a transaction of its own, so that a kill loses none.

    Parameters
    ----------
    path
        The file, which is made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS training (recipe TEXT, architecture TEXT, seed INTEGER, points TEXT, "
                "cpu_seconds REAL, PRIMARY KEY (recipe, architecture, seed))"
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=60)) as connection, connection:
                yield connection
        except sqlite3.DatabaseError as error:
            raise DataCorruptError(
                f"{self._path} cannot be used to store trainings ({error}); move it elsewhere"
            ) from error

    def finished(self, recipe: str) -> dict[tuple[str, int], TrainedArchitecture]:
        """Return the trainings of a recipe by architecture and seed.

        Parameters
        ----------
        recipe
            See `TruthPlan.recipe`.
        """
        with self._open() as connection:
            rows = connection.execute(
                "SELECT architecture, seed, points, cpu_seconds FROM training WHERE recipe = ?", (recipe,)
            ).fetchall()
        return {
            (architecture, seed): TrainedArchitecture(
                tuple(Point(**point) for point in json.loads(points)), cpu_seconds
            )
            for architecture, seed, points, cpu_seconds in rows
        }

    def add(self, recipe: str, architecture: str, seed: int, training: TrainedArchitecture) -> None:
        """Keep a training; an earlier one of the same identity stays.

        Parameters
        ----------
        recipe
            See `TruthPlan.recipe`.
        architecture
            What was trained.
        seed
            Seed of the training.
        training
            What to keep.
        """
        points = canonical_json([asdict(point) for point in training.points])
        with self._open() as connection:
            row = (recipe, architecture, seed, points, training.cpu_seconds)
            connection.execute("INSERT OR IGNORE INTO training VALUES (?, ?, ?, ?, ?)", row)


def make(
    plan: TruthPlan,
    store: TrainingStore,
    *,
    jobs: int = 1,
    device: str = "cpu",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[tuple[str, int], TrainedArchitecture]:
    """Execute the trainings of a plan that the store lacks.

    Parameters
    ----------
    plan
        What to train.
    store
        Where trainings are kept.
    jobs
        Trainings that run at once, one thread each.
    device
        Where networks are trained; not a part of a training's identity.
    progress
        Called with the numbers of finished and of all trainings, first before any is executed.

    Returns
    -------
    dict
        All trainings of the plan by architecture and seed.
    """
    recipe, wanted = plan.recipe(), plan.trainings()
    done = store.finished(recipe)
    missing = [key for key in wanted if key not in done]
    progress(len(wanted) - len(missing), len(wanted))
    for count, (key, training) in enumerate(_executed(plan, missing, jobs, device), start=1):
        store.add(recipe, *key, training)
        done[key] = training
        progress(len(wanted) - len(missing) + count, len(wanted))
    return {key: done[key] for key in wanted}


def _executed(
    plan: TruthPlan, keys: Sequence[tuple[str, int]], jobs: int, device: str
) -> Iterator[tuple[tuple[str, int], TrainedArchitecture]]:
    """Yield trainings in the order in which they end."""
    run = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    yield from run(delayed(_execute)(plan, architecture, seed, device) for architecture, seed in keys)


def _execute(plan: TruthPlan, architecture: str, seed: int, device: str) -> tuple[tuple[str, int], TrainedArchitecture]:
    """Train in a worker, which makes or reads the images once."""
    images = load_images(plan.images)
    training = train(plan.make_space(), architecture, images, plan.protocol, seed, device=device)
    return (architecture, seed), training


def table(trainings: Mapping[tuple[str, int], TrainedArchitecture]) -> pd.DataFrame:
    """Return the ground-truth table of trainings.

    Parameters
    ----------
    trainings
        By architecture and seed.

    Returns
    -------
    DataFrame
        As `benchsuite.data.tables.normalise` gives it, sorted by architecture and trial; `epochs` counts steps.
    """
    rows: list[dict[str, Any]] = [
        {ARCHITECTURE: architecture, TRIAL: seed, **asdict(point)}
        for (architecture, seed), training in sorted(trainings.items())
        for point in training.points
    ]
    return normalise(pd.DataFrame(rows), "the table of trainings")
