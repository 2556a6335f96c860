"""Ranks packed for the page."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from judged import judge
from scipy.stats import rankdata

from benchsuite.report.render.drawings import Drawings
from benchsuite.report.render.packed import packed_ranks


@pytest.fixture(scope="module")
def results(make_results):
    """Return results of 60 architectures on two data sets."""
    return make_results(("nasbench201/cifar10", "nasbench201/digits"), 60, ("nwot", "synflow", "plain"), seeds=2)


@pytest.fixture(scope="module")
def judgement(results):
    return judge(results.benchmarks[0])


def _packed(judgement):
    return packed_ranks(judgement.ranks, judgement.architectures, judgement.order, Drawings())


def _trials(judgement, name):
    rows = judgement.scores[judgement.scores["estimator"] == name]
    return [each.set_index("architecture")["value"] for _, each in rows.groupby("seed")]


def test_packed_ranks_are_the_ranks_of_all_architectures(judgement):
    stream = zlib.decompress(base64.b64decode(_packed(judgement)))
    start = 4 + int.from_bytes(stream[:4], "little")
    content = json.loads(stream[4:start])
    names = content["architectures"]
    planes = np.frombuffer(stream[start:], np.uint8).reshape(4, 1 + len(content["estimators"]), len(names))
    ranks = (planes.astype(int) * 256 ** np.arange(4)[:, None, None]).sum(axis=0)
    assert content["estimators"] == judgement.order
    assert ranks[0].tolist() == rankdata(-judgement.truth.reindex(names)).tolist()
    first = _trials(judgement, "nwot")[0].reindex(names)
    assert ranks[1 + content["estimators"].index("nwot")].tolist() == rankdata(-first).tolist()
    assert set(content["groups"]) == {1, 2, 3, 4, 5}


def test_what_was_not_scored_has_no_rank(results):
    part = results.benchmarks[0]
    judged = judge(replace(part, scores=part.scores.drop(part.scores.index[part.scores["estimator"] == "nwot"][:5])))
    stream = zlib.decompress(base64.b64decode(_packed(judged)))
    start = 4 + int.from_bytes(stream[:4], "little")
    n = len(judged.truth)
    low = np.frombuffer(stream[start:], np.uint8)[: n * (1 + len(judged.order))].reshape(-1, n)
    assert (low[1 + judged.order.index("nwot")] == 0).sum() == 5
