"""Ranks of all architectures packed into text that a page carries and its script unpacks."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from benchsuite.report.render import svg
from benchsuite.report.render.words import large

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from benchsuite.report.render.drawings import Drawings

MOST_ARCHITECTURES = 16_000  # in one scatter; ranks take two bytes per estimator


def packed_ranks(ranks: pd.DataFrame, truth: pd.DataFrame, order: Sequence[str], drawings: Drawings) -> str:
    """Pack ranks by ground truth and by every estimator.

    Parameters
    ----------
    ranks
        Columns estimator, architecture and score (rank, 1 = best).
    truth
        Columns architecture, accuracy (percent), params and group (1 = fewest parameters); its rows are the
        architectures that are judged.
    order
        The estimators, the best first.
    drawings
        Draws the architectures.

    Returns
    -------
    str
        Base64 text of a zlib stream: the length of a JSON text (4 bytes, little endian), the text, the ranks. The text
        has the keys architectures, truth (accuracy, percent), params, groups (1 = fewest parameters; their number is
        given), estimators (the best first), of (how many architectures are ranked) and drawings (those of
        `Drawings.packed`). Ranks are 32-bit little-endian integers, estimator by estimator, after those by ground
        truth: 1 = best, ties share the mean, rounded; 0 = not scored.
    """
    known = truth.set_index("architecture")
    shown = _shown(known)
    wide = ranks.pivot_table(index="architecture", columns="estimator", values="score", observed=True)
    columns = [known["accuracy"].rank(ascending=False), *(wide[name] for name in order)]
    matrix = np.array([column.reindex(shown.index).fillna(0).round().to_numpy(dtype="<u4") for column in columns])
    content = _content(shown, order, len(known)) | {"drawings": drawings.packed(shown.index)}
    text = json.dumps(content, separators=(",", ":")).encode()
    stream = len(text).to_bytes(4, "little") + text + _planes(matrix)
    return base64.b64encode(zlib.compress(stream, 9)).decode("ascii")


def _planes(ranks: np.ndarray) -> bytes:
    """Return the low bytes of all ranks, then the second bytes, and so on: zeros stand together and take no room."""
    return np.ascontiguousarray(ranks.view(np.uint8).reshape(*ranks.shape, 4).transpose(2, 0, 1)).tobytes()


def _shown(known: pd.DataFrame) -> pd.DataFrame:
    """Return all architectures, or a fixed random choice of as many as a page can carry."""
    if len(known) <= MOST_ARCHITECTURES:
        return known
    keep = np.random.default_rng(0).choice(len(known), MOST_ARCHITECTURES, replace=False)
    return known.iloc[np.sort(keep)]


def _content(shown: pd.DataFrame, order: Sequence[str], ranked: int) -> dict[str, Any]:
    return {
        "architectures": shown.index.tolist(),
        "truth": [round(value, 3) for value in shown["accuracy"].tolist()],
        "params": [large(value) for value in shown["params"].tolist()],
        "groups": shown["group"].tolist(),
        "number_of_groups": len(svg.GROUPS),
        "estimators": list(order),
        "of": ranked,
    }
