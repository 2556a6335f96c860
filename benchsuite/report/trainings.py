"""What the trainings of supernets have left in their folders beside the store, as the tables of a report."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.core.identity import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchsuite.suites.stored import StoredTrial

_READ = re.compile(r"_(likelihood|weights)\b|\(.*\)$")  # parts of an estimator's title that say how it reads
_WORDS = re.compile(r"[^\W_]+|[\W_]+")


@dataclass(frozen=True, slots=True)
class ReadTraining:
    """A training that estimators read: its folder, seed, hyperparameters, and the titles of those estimators.

    `parameters` are empty where the folder is gone.
    """

    folder: Path
    seed: int
    parameters: Mapping[str, Any]
    titles: tuple[str, ...]

    @property
    def key(self) -> str:
        """Identity of the training."""
        return self.folder.name


def read_trainings(root: str, trials: Iterable[StoredTrial]) -> list[ReadTraining]:
    """Return the trainings that the runs of a benchmark read, in their order.

    Parameters
    ----------
    root
        Folder of all trainings.
    trials
        The runs as the store has recorded them.
    """
    seeds: dict[str, int] = {}
    titles: dict[str, dict[str, None]] = {}
    for trial in trials:
        for key, seed in trial.trainings.items():
            seeds[key] = seed
            titles.setdefault(key, {})[trial.estimator] = None
    folders = {key: Path(root) / key for key in seeds}
    return [
        ReadTraining(folder, seeds[key], _parameters(folder / "recipe.json"), tuple(titles[key]))
        for key, folder in folders.items()
    ]


def _parameters(recipe: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(recipe.read_text(encoding="utf-8"))["training"] if recipe.is_file() else {}
    return found


def table_of(trainings: Sequence[ReadTraining], name: str, columns: Iterable[str]) -> pd.DataFrame:
    """Return a table that trainings have written, one below the other.

    Parameters
    ----------
    trainings
        The trainings.
    name
        Name of the file in their folders, without its ending.
    columns
        The columns, NaN in the rows of files that lack them; supernet (see `names_of`), estimator (the first that reads
        it), seed and training (its key) can be among them.
    """
    names, parts = names_of(trainings), [pd.DataFrame(columns=list(columns))]
    for each in trainings:
        file = each.folder / f"{name}.csv"
        if file.is_file():
            said: dict[str, Any] = {
                "supernet": names[each.key],
                "estimator": each.titles[0],
                "seed": each.seed,
                "training": each.key,
            }
            parts.append(pd.read_csv(file, dtype={"architecture": str}).assign(**said).reindex(columns=list(columns)))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def names_of(trainings: Sequence[ReadTraining]) -> dict[str, str]:
    """Return what to call the supernet of each training, by key: what the titles of its readers have in common.

    Trainings that differ only in their seeds have one name; where others would share it, the title of the first reader
    is taken.

    Parameters
    ----------
    trainings
        The trainings.

    Examples
    --------
    >>> titles = [("darts_weights", "darts_likelihood"), ("uniform(epoch=1)", "uniform, averaged(epoch=1)")]
    >>> names_of([ReadTraining(Path(f"store/{key}"), 0, {}, each) for key, each in zip("ab", titles)])
    {'a': 'darts', 'b': 'uniform'}
    """
    alike = {each.key: canonical_json(each.parameters or each.key) for each in trainings}
    titles: dict[str, list[str]] = {}
    for each in trainings:
        titles.setdefault(alike[each.key], []).extend(each.titles)
    common = {recipe: _common(names) for recipe, names in titles.items()}
    times = Counter(common.values())
    called = {recipe: name if times[name] == 1 else titles[recipe][0] for recipe, name in common.items()}
    return {key: called[recipe] for key, recipe in alike.items()}


def _common(titles: Sequence[str]) -> str:
    """The words with which all titles begin, what says how they read left out; the first title if there are none.

    >>> _common(["darts_likelihood of second order"]), _common(["uniform", "uniform, 3 checkpoints averaged(epoch=4)"])
    ('darts of second order', 'uniform')
    """
    words = zip(*(_WORDS.findall(_READ.sub("", title)) for title in titles), strict=False)
    shared = takewhile(lambda alike: len(set(alike)) == 1, words)
    return "".join(word for word, *_ in shared).strip(" _,") or titles[0]
