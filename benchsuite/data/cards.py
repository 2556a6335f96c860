"""Cards: what is known about a ground-truth table or an image set, in a JSON file beside it."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.expected import problem
from benchsuite.core.files import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import TypeAdapter


class ImageSetCard(TypedDict):
    """The images on which architectures were trained.

    Attributes
    ----------
    name
        Name of the data set.
    classes
        Number of classes.
    channels, size
        Channels and side of an image.
    training, test
        Numbers of images.
    sha256
        Digest of images and classes.
    """

    name: str
    classes: int
    channels: int
    size: int
    training: NotRequired[int]
    test: NotRequired[int]
    sha256: NotRequired[str]


class Card(TypedDict, total=False):
    """What is known about a table; a card may say more, which a report shows unchanged.

    Attributes
    ----------
    title
        What reports call the ground truth.
    page, licence, digest
        Page, licence and digest of the source that it was taken from.
    space, dataset
        The two parts of the benchmark's name.
    sizes
        Network sizes of the space.
    images
        Image set, folder or file of the images on which architectures were trained.
    image_set
        What these images are.
    task
        How they were made, if they were made.
    protocol
        How architectures were trained.
    epochs
        What the table calls an epoch.
    architectures
        Number of architectures in the table.
    sample_seed
        Seed with which they were sampled.
    seeds
        Number of trainings of each.
    cpu_hours, cpu_seconds_per_training
        What all trainings and one of them cost.
    versions
        Versions of the packages, by name.
    machine
        Processor and Python.
    figures, figures_above_chance
        Spread and reliability of the accuracies of all architectures, and of those above chance.
    pilots
        Parts of the cards of smaller tables by which task and protocol were chosen.
    """

    title: str
    page: str
    licence: str
    digest: str
    space: str
    dataset: str
    sizes: dict[str, int]
    images: str
    image_set: ImageSetCard
    task: dict[str, Any] | None
    protocol: dict[str, Any]
    epochs: str
    architectures: int
    sample_seed: int
    seeds: int
    cpu_hours: float
    cpu_seconds_per_training: float
    versions: dict[str, str]
    machine: str
    figures: dict[str, Any]
    figures_above_chance: dict[str, Any]
    pilots: list[dict[str, Any]]


def read_card(table: Path) -> Card:
    """Return what is known about a table, such as its title, licence and protocol.

    Parameters
    ----------
    table
        File of the table, or folder of an image set.

    Returns
    -------
    Card
        The card; empty if the table has none.

    Raises
    ------
    DataCorruptError
        If the card is not JSON or says something of another type than is expected.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - 0.1 s, and most commands read no card

    file = table.with_suffix(".json")
    if not file.is_file():
        return {}
    try:
        text = file.read_text(encoding="utf-8")
        content: Card = json.loads(text)
        _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        reason = problem(error, Card)
    except (ValueError, RecursionError) as error:
        reason = f"not valid JSON ({error})"
    else:
        return content  # in the order of the file, which a report keeps
    raise DataCorruptError(f"{file}: {reason}; correct the card, or fetch or import its table again")


@cache
def _adapter() -> TypeAdapter[Card]:
    from pydantic import TypeAdapter, with_config  # noqa: PLC0415 - as above

    return TypeAdapter(with_config(extra="allow")(Card))


def write_card(table: Path, card: Card) -> None:
    """Write the card of a table whole.

    Parameters
    ----------
    table
        File of the table, which need not exist.
    card
        What is known about it.
    """
    write_text(table.with_suffix(".json"), json.dumps(card, indent=2, ensure_ascii=False) + "\n")
