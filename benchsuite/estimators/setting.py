"""Where estimators are judged: all that an estimator may know of a benchmark and of how the suite wants it scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from benchsuite.core.arrays import Integers, Singles
from benchsuite.data.images.minibatches import describe_images, load_images, minibatch, noise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset
from benchsuite.data.images.minibatches import Images

NOISE = "noise"  # the image set that is made to the data set's shape
Minibatch: TypeAlias = tuple[Singles, Integers]


class GroundTruth(Protocol):
    """What an estimator may see of the ground truth: learning curves, which cost the trainings themselves."""

    def curve(self, architecture: str) -> pd.DataFrame:
        """Return all results of an architecture along its trainings; UnsupportedError where there are none.

        Parameters
        ----------
        architecture
            A canonical string.
        """
        ...

    def curves(self, architectures: Sequence[str]) -> Mapping[str, pd.DataFrame]:
        """Return the learning curve of each architecture.

        Parameters
        ----------
        architectures
            Canonical strings.
        """
        ...

    def digest(self) -> str:
        """Return the identity of the curves."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """One benchmark as estimators see it, with the seeds and minibatches that the suite asks for.

    Attributes
    ----------
    space
        Search space at the sizes of the networks that are scored.
    dataset
        Classes and image shape for which networks are built.
    images
        Name of the image set of minibatches and supernets; `NOISE` for noise of the data set's shape.
    truth
        Learning curves of the benchmark's trainings.
    seeds
        Seeds of initialisations and trainings.
    batch_size
        Images in a minibatch.
    batch_number
        Minibatches over which a score is averaged.
    batch_seeds
        Seeds by which minibatches are drawn.
    initialisation
        "independent", or "common": weights do not depend on the architecture.
    fast
        Whether networks and minibatches lie in memory channels last: faster, and rounded otherwise.
    device
        Where networks run.
    """

    space: Space
    dataset: Dataset
    images: str
    truth: GroundTruth
    seeds: tuple[int, ...] = (0,)
    batch_size: int = 64
    batch_number: int = 1
    batch_seeds: tuple[int, ...] = (0,)
    initialisation: str = "independent"
    fast: bool = False
    device: str = "cpu"

    def image_set(self) -> Images:
        """Return the images of minibatches and supernets."""
        return noise(self.dataset) if self.images == NOISE else load_images(self.images)

    def minibatches(self, seed: int) -> tuple[Minibatch, ...]:
        """Draw the minibatches over which scores are averaged.

        Parameters
        ----------
        seed
            One of `batch_seeds`.

        Returns
        -------
        tuple of (float32 (size, channels, height, width), int64 (size,))
            Normalised inputs and their classes.
        """
        return tuple(minibatch(self.image_set(), self.batch_size, seed, self.batch_number))

    def batch_recipe(self, seed: int) -> dict[str, Any]:
        """Return everything that determines the minibatches, as a score's recipe has it.

        Parameters
        ----------
        seed
            One of `batch_seeds`.
        """
        return {
            "images": self.image_set().digest,
            "size": self.batch_size,
            "number": self.batch_number,
            "seed": seed,
        }

    def minibatch_words(self) -> str:
        """Return what the minibatches are, for a report."""
        kind = "random noise, no images" if self.images == NOISE else describe_images(self.images)
        number = "one minibatch" if self.batch_number == 1 else f"mean over {self.batch_number} minibatches"
        return f"{number} of {self.batch_size} ({kind})"
