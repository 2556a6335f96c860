"""Identities that are the same in every process and on every machine: digests, seeds, labels."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def canonical_json(value: object) -> str:
    """Return a JSON text that is the same for equal values: sorted keys, no spaces.

    Parameters
    ----------
    value
        What JSON can express, without NaN and infinities.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": (2, 3)})
    '{"a":[2,3],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: object) -> str:
    """Return the identity of a recipe: the first 32 hexadecimal digits of the sha256 of its canonical JSON.

    Parameters
    ----------
    value
        What JSON can express.
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:32]


def seed_of(*parts: object) -> int:
    """Return a 63-bit seed that depends only on its parts, the same in every process and on every machine.

    Parameters
    ----------
    *parts
        What JSON can express.

    Examples
    --------
    >>> seed_of(0, "a") == seed_of(0, "a") != seed_of(1, "a")
    True
    """
    return int.from_bytes(hashlib.sha256(canonical_json(parts).encode()).digest()[:8], "big") >> 1


def label(name: str, parameters: Mapping[str, Any]) -> str:
    """Return how a report names an estimator with parameters.

    Parameters
    ----------
    name
        Name of the estimator.
    parameters
        Hyperparameters that differ from their defaults.

    Examples
    --------
    >>> label("synflow", {"log": True})
    'synflow(log=True)'
    """
    inside = ", ".join(f"{key}={value}" for key, value in sorted(parameters.items()))
    return f"{name}({inside})" if inside else name
