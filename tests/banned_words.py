"""Words that readers do not meet: private ones, and those that the glossary gives another name.

`BANNED` holds for all sentences: documents, templates, strings and docstrings of the package. `BANNED_WHERE_SHOWN`
holds for all but docstrings. Each entry: a regular expression, the words to use, and a sentence that it must find.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Banned(NamedTuple):
    """A pattern that no sentence contains, what to write, and a sentence that the pattern finds."""

    pattern: re.Pattern[str]
    instead: str
    example: str


def banned(pattern: str, instead: str, example: str) -> Banned:
    return Banned(re.compile(pattern, re.IGNORECASE), instead, example)


BANNED = [
    banned(r"(?<!depthwise )\bseparabl[ey]\b(?! conv)", "significant", "snip is not separable from nwot"),
    banned(r"\bsmall print\b", "small type, or a note", "in small print: of an epoch"),
    banned(r"\b(?:told|tells?|telling)\b[^.;:]{0,60}\bapart\b", "distinguish", "so many would tell it from nwot apart"),
    banned(r"\bsurely\b", "significantly, certainly", "it is surely above chance"),
    banned(r"\bmultiply-adds?\b", "MACs", "neither parameters nor multiply-adds"),
    banned(r"\b(?:of|in|than|across) the field\b|\bthe field's\b", "of all architectures", "20 % of the field too low"),
    banned(
        r"(?<!\bthere )\b(?:is|are|was|were) (?-i:no|none)\b(?! (?:longer|more|less|fewer|better|worse|larger)\b)",
        "is not a ..., are not ...",
        "synflow is none",
    ),
    banned(r"\bholds? (?:no|none)\b", "does not contain", "this folder holds no images"),
    banned(r"\bpopulations?\b", "sample (of architectures)", "Population: all strings"),
    banned(
        r"\b(?:mean|lowest|highest|best|worst|first|second|last) places?\b|\bby places?\b|\bplaces? among\b",
        "rank",
        "mean places must differ by 10.5",
    ),
    banned(r"\b(?:a|the|this|its|each|every|another) reading\b|\breadings\b", "readout", "each reading of a supernet"),
    banned(r"\balike\b", "equally, the same, similar", "ranks them exactly alike"),
    banned(r"\bof like (?:size|sizes|parameters|complexity)\b", "of similar", "the 5 groups of like parameters"),
    banned(r"\bsample deviations?\b", "sample standard deviation", "the sample deviation over seeds"),
    banned(r"\bFLOPs\b", "MACs", "parameters and FLOPs"),
]

BANNED_WHERE_SHOWN = [
    banned(r"\b(?:stands?|stood|standing) beside\b", "is shown next to", "the best baseline stands beside it"),
    banned(r"\bones alone\b", "only the ...", "judges the defined ones alone"),
    banned(r"(?<!`)\btrials?\b(?!`)", "run (of an estimator), training (of an architecture)", "the mean over trials"),
]

# Pattern's example, file (a regular expression of its path), and why the word is right there.
EXCEPTIONS = [
    ("Population: all strings", r"benchsuite/(search|suites)/.*", "the population of a genetic algorithm"),
    ("Population: all strings", r"benchsuite/cli/search.py", "the same"),
    ("Population: all strings", r"benchsuite/report/(results.py|render/.*)", "the name of a field that old pages have"),
    ("parameters and FLOPs", r"README.md|benchsuite/report/runs.py", "the historic name of an estimator"),
    ("parameters and FLOPs", r"benchsuite/estimators/baselines/sizes.py", "says by how much FLOPs and MACs differ"),
    ("the mean over trials", r"benchsuite/data/tables.py", "a column of a user's table of accuracies has this name"),
]
