"""Packages that share their name with a function of `benchsuite`."""

from __future__ import annotations

import sys
from types import ModuleType

from benchsuite.core import registry


class ListingPackage(ModuleType):
    """A package that can be called as the function of its name in `benchsuite.core.registry`.

    Python puts a package that is imported in the place of whatever bears its name in the package above: without this,
    `benchsuite.spaces()` would fail as soon as a space was loaded.
    """

    def __call__(self) -> list[str]:
        """Return the registered names."""
        found: list[str] = getattr(registry, self.__name__.rpartition(".")[2])()
        return found


def make_callable(package: str) -> None:
    """Let `benchsuite.PACKAGE()` list names also after the package of that name was imported.

    Parameters
    ----------
    package
        Its `__name__`.
    """
    sys.modules[package].__class__ = ListingPackage
