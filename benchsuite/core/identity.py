"""Identities that are the same in every process and on every machine: digests, seeds, labels."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def canonical_json(value: object) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces.

    >>> canonical_json({"b": 1, "a": (2, 3)})
    '{"a":[2,3],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: object) -> str:
    """First 32 hexadecimal digits of the sha256 of a value's canonical JSON: the identity of a recipe."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:32]


def seed_of(*parts: object) -> int:
    """A 63-bit seed that depends on its parts alone, the same in every process and on every machine.

    >>> seed_of(0, "a") == seed_of(0, "a") != seed_of(1, "a")
    True
    """
    return int.from_bytes(hashlib.sha256(canonical_json(parts).encode()).digest()[:8], "big") >> 1


def label(name: str, parameters: Mapping[str, Any]) -> str:
    """How a report names an estimator with parameters.

    >>> label("synflow", {"log": True})
    'synflow(log=True)'
    """
    inside = ", ".join(f"{key}={value}" for key, value in sorted(parameters.items()))
    return f"{name}({inside})" if inside else name
