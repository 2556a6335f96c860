"""Ranks of all architectures packed into text that a page carries and its script unpacks."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.groups import quantile_groups
from benchsuite.report.bias import GROUPS
from benchsuite.report.render.words import large

if TYPE_CHECKING:
    from benchsuite.report.judge import Judgement

MOST_ARCHITECTURES = 16_000  # in one scatter; ranks take two bytes per estimator


def packed_ranks(judgement: Judgement) -> str:
    """Base64 text of a zlib stream: the length of a JSON text (4 bytes, little endian), the text, the ranks.

    The text has the keys architectures, truth (accuracy, percent), params, groups (1 = fewest parameters; their number
    is given), estimators (the best first) and of (how many architectures are ranked). Ranks are 32-bit little-endian
    integers, estimator by estimator, after those by truth: 1 = best, ties share the mean, rounded; 0 = not scored.
    """
    names = _shown(judgement.truth)
    ranks = judgement.ranks.pivot_table(index="architecture", columns="estimator", values="score", observed=True)
    by_truth = judgement.truth.rank(ascending=False)
    columns = [by_truth, *(ranks[name] for name in judgement.order)]
    matrix = np.array([column.reindex(names).fillna(0).round().to_numpy(dtype="<u4") for column in columns])
    text = _text(judgement, names)
    stream = len(text).to_bytes(4, "little") + text + _planes(matrix)
    return base64.b64encode(zlib.compress(stream, 9)).decode("ascii")


def _planes(ranks: np.ndarray) -> bytes:
    """The low bytes of all ranks, then the second bytes, and so on: zeros stand together and take no room."""
    return np.ascontiguousarray(ranks.view(np.uint8).reshape(*ranks.shape, 4).transpose(2, 0, 1)).tobytes()


def _shown(truth: pd.Series) -> pd.Index:
    """All architectures, or a fixed random choice of as many as a page can carry."""
    if len(truth) <= MOST_ARCHITECTURES:
        return truth.index
    keep = np.random.default_rng(0).choice(len(truth), MOST_ARCHITECTURES, replace=False)
    return truth.index[np.sort(keep)]


def _text(judgement: Judgement, names: pd.Index) -> bytes:
    params = judgement.results.complexity["params"].reindex(judgement.truth.index)
    groups = pd.Series(quantile_groups(params.to_numpy(dtype=float), GROUPS), params.index)
    content = {
        "architectures": names.tolist(),
        "truth": [round(value, 3) for value in judgement.truth.reindex(names).tolist()],
        "params": [large(value) for value in params.reindex(names).tolist()],
        "groups": groups.reindex(names).tolist(),
        "number_of_groups": GROUPS,
        "estimators": judgement.order,
        "of": len(judgement.truth),
    }
    return json.dumps(content, separators=(",", ":")).encode()
