"""What the page and the Markdown show of each benchmark, put together once for both."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from benchsuite.analysis.evaluate import INTERVALS
from benchsuite.report import tables
from benchsuite.report.bias import bias_numbers, inside_numbers, order_words, size_numbers
from benchsuite.report.criteria import COMBINATION
from benchsuite.report.drawings import Drawings, draw
from benchsuite.report.epochs import epoch_numbers, relative_numbers
from benchsuite.report.exchanges import exchange_numbers
from benchsuite.report.mistakes import mistakes_numbers
from benchsuite.report.own_rule import own_rule
from benchsuite.report.pairs import PAIRS_NOTE, pairs_numbers
from benchsuite.report.render.charts import MOST_POINTS
from benchsuite.report.render.packed import MOST_ARCHITECTURES, packed_ranks
from benchsuite.report.render.parts import Folded, Lines, Panels, Part, Picture, Scatter, Section, Tab, Terms, Words
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of
from benchsuite.report.render.words import hours, number, slug
from benchsuite.report.search_value import NEEDED_NOTE, RANGE, needed_numbers, search_numbers
from benchsuite.report.supernets import training_numbers
from benchsuite.report.together import added_numbers, agreement_numbers, subsets_numbers
from benchsuite.report.transfers import TRANSFER_NOTE, transfer_numbers
from benchsuite.report.verdict import no_ceiling, verdict
from benchsuite.running.score_files import FAMILY as IMPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchsuite.report.judge import Judgement
    from benchsuite.report.render.parts import Block
    from benchsuite.report.results import Results

_TAU_NOTE = "Dot and line: mean over trials with 95 % interval over architectures. Grey: baselines."
_COST_NOTE = "Step line: the best tau at this cost or less (the Pareto front). Grey: baselines."
_BIAS_NOTE = (
    "Mean rank difference in percent of the architectures, with the half-width of its 95 % interval; + (orange): "
    "ranked too high. A ranking by chance does this too, wherever large and small architectures differ in truth: "
    "compare with random, where it is judged."
)
_EXCHANGES_NOTE = (
    "Over pairs of architectures that differ in one operation alone: how much more often the score rises than the "
    "truth when the second operation takes the place of the first, in percent of the pairs (a tie is half a rise); + "
    "(orange): the second is over-estimated. Fewer than ten pairs, or all alike, have no interval."
)
_REGRET_NOTE = (
    "Accuracy points between the best architecture and the best of the k best-scored, mean over trials, exact under "
    "ties; grey: counting parameters, and the expectation of a random choice. Bands (of the best estimator and of the "
    f"random choice): {RANGE}. The frame may cut off bad first choices."
)
_AGREEMENT_NOTE = (
    "Spearman's rho between scores, mean over pairs of trials; blue: alike, orange: opposed. On the diagonal the "
    "agreement of an estimator with itself under other seeds, 1 where it has one trial."
)
_ADDED_NOTE = (
    "Added: what the row's score knows of the truth beyond parameters and the column's score, as a partial rank "
    "correlation; on the diagonal beyond parameters alone; 0 = nothing."
)
_SUBSETS_NOTE = (
    "Chosen among all estimators but combinations and those that read the trainings, by their first trials. Held out: "
    "in each fold the best subset on the other folds is judged, so that choosing does not flatter."
)
_MISTAKES_NOTE = (
    "Cells are drawn with their inputs on the left and their output on the right, a curve for an operation; chains of "
    "layers as blocks in their order; others are named. Positive: ranked better than it is."
)
_STABILITY_NOTE = "Tau between the scores of every two trials, named by the seeds of initialisation and minibatch."
_EPOCHS_NOTE = "Estimators that differ in their epoch alone are joined by a line; intervals over architectures, 95 %."
_FACTORS_NOTE = (
    "The variance of the ranks, in shares that sum to 1: what belongs to the architecture in every trial, what changes "
    "with its initialisation, with the minibatch, and with the two in combination. A share below 0 is chance about 0; "
    "a dash: the score does not depend on it."
)
_UNSEEDED = "No estimator has scores of two seeds here, so nothing can be said about stability."
_MOST = (MOST_ARCHITECTURES, MOST_POINTS)
_WEAK = 0.6  # a ceiling below it is said on every figure


def section(judgement: Judgement, results: Results, anchor: str) -> Section:
    """Everything that is shown of one benchmark; `anchor` begins its identifiers and the names of its figures."""
    shown, drawings = judgement.results, draw(judgement, anchor)
    tabs = (
        Tab("Leaderboard", (_ranking(judgement, drawings),)),
        Tab("Ranks", (_ranks(judgement, drawings),)),
        Tab("Bias", tuple(_bias(judgement, drawings))),
        Tab("Variance", tuple(_variance(judgement, drawings))),
        Tab("Search value", tuple(_search_value(judgement, drawings))),
        *_own_rule(judgement, drawings),
        Tab("Together", tuple(_together(judgement, drawings))),
        Tab("Truth", tuple(_truth(judgement, results))),
        Tab("Protocol", (_protocol(judgement),)),
    )
    return Section(
        benchmark=shown.benchmark,
        anchor=anchor,
        population=shown.population,
        setting=shown.caption,
        caption=f"{shown.caption[:1].upper()}{shown.caption[1:]}. Population: {shown.population}.{_warning(judgement)}",
        facts=_facts(judgement),
        verdict=verdict(judgement),
        families=dict(zip(judgement.order, judgement.leaderboard["family"], strict=True)),
        tabs=tabs,
    )


def interval_methods() -> dict[str, str]:
    """How intervals were made, by the names of the criteria that share a method."""
    methods: dict[str, list[str]] = {}
    for criterion, method in INTERVALS.items():
        methods.setdefault(method, []).append(criterion)
    return {", ".join(names): method for method, names in methods.items()}


def problems(judgement: Judgement) -> list[str]:
    """Undefined and failed scores by estimator and reason, and how many scores are missing."""
    bad = judgement.scores[judgement.scores["status"].isin(["undefined", "failed"])]
    groups = bad.groupby(["estimator", "status", "reason"], sort=False).size()
    listed = [
        f"{row['estimator']}: {row['number']:,} {row['status']} ({row['reason'] or 'not a finite number'})"
        for row in rows_of(groups.reset_index(name="number"))
    ]
    missing = judgement.leaderboard.set_index("estimator")["n_missing"]
    without = len(judgement.results.truth) - len(judgement.truth)
    if without:
        listed.append(f"{without:,} architectures of the population have no truth and are not judged")
    imported = (judgement.leaderboard["family"] == IMPORTED).any()
    why = "not in the file" if imported else "missing (not scored yet)"
    return [*listed, *(f"{name}: {count:,} {why}" for name, count in missing.items() if count)]


def _ranking(judgement: Judgement, drawings: Drawings) -> Part:
    return Part(
        "Which estimator ranks best?",
        (
            tables.leaderboard_table(judgement),
            Picture(drawings.tau, _TAU_NOTE),
            Picture(drawings.cost, _COST_NOTE),
            Folded(pairs_numbers(judgement)),
            Words(PAIRS_NOTE),
        ),
    )


def _ranks(judgement: Judgement, drawings: Drawings) -> Part:
    total, note = len(judgement.truth), "One dot per architecture; the first trial's scores, 1 = best."
    chosen = {most: f" A random {most:,} of the {total:,} are drawn." if total > most else "" for most in _MOST}
    scatter = Scatter(packed_ranks(judgement), note + chosen[MOST_ARCHITECTURES])
    panels = Panels(drawings.ranks, f"{note} The line is a perfect ranking.{chosen[MOST_POINTS]}", coloured=True)
    return Part("How does each ranking compare with the truth?", (scatter, panels))


def _bias(judgement: Judgement, drawings: Drawings) -> Iterator[Part]:
    pictures = (Picture(each, _BIAS_NOTE) for each in drawings.bias)
    order = Words(order_words(judgement.sizes))
    yield Part("Where is it biased by size?", (*pictures, order, *map(Folded, bias_numbers(judgement))))
    inside = (Folded(table, opened=not place) for place, table in enumerate(inside_numbers(judgement)))
    yield Part("What does it know beyond size?", (*inside, *map(Folded, size_numbers(judgement))))
    if drawings.exchanges:
        picture = Picture(drawings.exchanges, _EXCHANGES_NOTE)
        yield Part("Which operations does it favour?", (picture, *map(Folded, exchange_numbers(judgement))))
    yield Part("Which architectures does it misjudge most?", (mistakes_numbers(judgement), Words(_MISTAKES_NOTE)))


def _variance(judgement: Judgement, drawings: Drawings) -> Iterator[Part]:
    seeds: list[Block] = [Words(_UNSEEDED)]
    if drawings.variance:
        seeds = [Picture(drawings.variance, "1 = the seed changes nothing."), tables.variance_numbers(judgement)]
        if len(judgement.factors):
            seeds += [tables.factors_numbers(judgement), Words(_FACTORS_NOTE)]
        seeds += [Panels(drawings.stability, _STABILITY_NOTE)] if drawings.stability else []
    yield Part("How stable is it across seeds?", tuple(seeds))
    if drawings.epochs:
        panels = Panels(drawings.stability_by_epoch, "Tau between the scores at every two epochs, first trial.")
        yield Part(
            "How does it change with the epoch?",
            (Picture(drawings.epochs, _EPOCHS_NOTE), *epoch_numbers(judgement), panels, *relative_numbers(judgement)),
        )
    if judgement.results.trainings is not None:
        picture = [Picture(drawings.training, "A line for each training.")] if drawings.training else []
        yield Part("How were the supernets trained?", (*picture, training_numbers(judgement)))


def _search_value(judgement: Judgement, drawings: Drawings) -> Iterator[Part]:
    picture, numbers = Picture(drawings.regret, _REGRET_NOTE), Folded(search_numbers(judgement))
    needed = (needed_numbers(judgement), Words(NEEDED_NOTE))
    yield Part("What is a search by it worth?", (picture, *needed, numbers))
    by_k = [Folded(table, opened=not place) for place, table in enumerate(tables.by_k_tables(judgement))]
    within = [Folded(table) for table in tables.within_ends_tables(judgement)]
    yield Part("How good is the top of its list?", (*by_k, *within))


def _own_rule(judgement: Judgement, drawings: Drawings) -> Iterator[Tab]:
    parts = tuple(own_rule(judgement, drawings))
    if parts:
        yield Tab("Own rule", parts)


def _together(judgement: Judgement, drawings: Drawings) -> Iterator[Part]:
    picture = Picture(drawings.agreement, _AGREEMENT_NOTE)
    matrices = (Folded(agreement_numbers(judgement)), Folded(added_numbers(judgement)))
    yield Part("Who agrees with whom?", (Words(judgement.beside.words()), picture, *matrices, Words(_ADDED_NOTE)))
    if len(judgement.subsets):
        yield Part("Which ones to combine?", (subsets_numbers(judgement), Words(_SUBSETS_NOTE)))


def _truth(judgement: Judgement, results: Results) -> Iterator[Part]:
    reason = no_ceiling(judgement)
    sure = Words(reason) if reason else tables.reliability_numbers(judgement)
    yield Part("How sure is the truth?", (sure,))
    if judgement.results.card:
        yield Part("Where does it come from?", (Terms(_in_words(judgement.results.card)),))
    if len(judgement.transfer):
        yield Part("Do the scores hold on other data sets?", (transfer_numbers(judgement), Words(TRANSFER_NOTE)))
    published = tables.published_numbers(judgement, results.published)
    if published.rows:
        yield Part("Published figures", (published,))


def _protocol(judgement: Judgement) -> Part:
    lists = {
        "Undefined, failed and missing scores": problems(judgement),
        "Not judged on this benchmark": [f"{name}: {why}" for name, why in judgement.results.skipped.items()],
    }
    lines = (Lines(title, tuple(each)) for title, each in lists.items() if each)
    common, own = _protocol_by_estimator(judgement)
    return Part("What was scored how, and what is not here?", (Terms(common), *own, *lines))


def _protocol_by_estimator(judgement: Judgement) -> tuple[dict[str, str], list[Folded]]:
    """What holds for all estimators, and tables of what "Supernet of NAME" and the like say of one."""
    common, own = {}, defaultdict[str, list[tuple[Cell, Cell]]](list)
    for name, words in judgement.results.protocol.items():
        kind, _, estimator = name.partition(" of ")
        if estimator in judgement.order:
            own[kind].append((Cell(estimator, estimator), Cell(words, words)))
        else:
            common[name] = words
    columns = (ESTIMATOR, Column("Protocol", numeric=False))
    return common, [
        Folded(Table(slug(f"protocol {kind}"), f"{kind} of each estimator", columns, tuple(rows)))
        for kind, rows in own.items()
    ]


def _in_words(card: Mapping[str, Any]) -> dict[str, str]:
    """A data card as names and words; what is nested in it as JSON."""
    return {name: str(value) if isinstance(value, str | int) else json.dumps(value) for name, value in card.items()}


def _warning(judgement: Judgement) -> str:
    """What stands on every figure where the truth is too noisy to judge by."""
    if judgement.ceiling is None or not judgement.ceiling < _WEAK:
        return ""
    return f" Weak truth: its noise lets even a perfect estimator reach a tau of {number(judgement.ceiling, 2)} only."


def _facts(judgement: Judgement) -> dict[str, str]:
    scores = judgement.scores[judgement.scores["family"] != COMBINATION]  # they are made of the others
    trainings = judgement.results.trainings
    return {
        "architectures": f"{len(judgement.truth):,}",
        "estimators": f"{len(judgement.leaderboard):,}",
        "trials": f"{judgement.leaderboard['trials'].max():,}",
        "scores": f"{len(scores):,}",
        "CPU time, each scored alone": hours(scores["cpu_seconds"].sum(min_count=1)),
        **({} if trainings is None else {"CPU time of trainings": hours(trainings["cpu_seconds"].sum())}),
    }
