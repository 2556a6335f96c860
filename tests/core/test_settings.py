from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.core.errors import BenchsuiteError, SuiteError, UnknownNameError, UnsupportedError
from benchsuite.core.registry import make_estimator
from benchsuite.core.settings import from_parameters

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.core.space import Space


@dataclass(frozen=True, slots=True)
class Rounds:
    """A part with a range, a choice and a rule between them."""

    epochs: Annotated[int, Ge(1)] = 40
    schedule: Literal["cosine", "plateau"] = "cosine"
    share: Annotated[float, Gt(0), Le(1)] = 1.0

    def check(self) -> None:
        if self.schedule == "plateau" and self.epochs < 30:
            raise SuiteError(f"epochs = {self.epochs}; must be at least 30 with schedule = 'plateau'")


_ROUNDS = Rounds()


@dataclass(frozen=True, slots=True)
class Fit:
    """An estimator as a plug-in may write it."""

    count: int = 3
    rate: float = 0.1
    log: bool = False
    readout: str = "loss"
    layers: tuple[int, ...] = (1, 2)
    limit: int | None = None
    start: int | Literal["first", "last"] = "first"
    options: dict[str, float] = field(default_factory=dict)
    space: Space | None = None  # a name for type checks only
    anything: Any = None
    rounds: Rounds = _ROUNDS


def _fit(**parameters: Any) -> Fit:
    made: Fit = from_parameters("estimator 'fit'", Fit, parameters)
    return made


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"count": 2.0}, "estimator 'fit': count = 2.0; must be an integer"),
        ({"count": True}, "estimator 'fit': count = true; must be an integer"),
        ({"count": "3"}, "estimator 'fit': count = '3'; must be an integer"),
        ({"count": None}, "estimator 'fit': count = None; must be an integer"),
        ({"rate": "fast"}, "estimator 'fit': rate = 'fast'; must be a number"),
        ({"rate": False}, "estimator 'fit': rate = false; must be a number"),
        ({"rate": float("nan")}, "estimator 'fit': rate = nan; must be a finite number"),
        ({"rate": float("inf")}, "estimator 'fit': rate = inf; must be a finite number"),
        ({"log": "no"}, "estimator 'fit': log = 'no'; must be true or false"),
        ({"log": 1}, "estimator 'fit': log = 1; must be true or false"),
        ({"readout": 3}, "estimator 'fit': readout = 3; must be text in quotes"),
        ({"layers": 3}, "estimator 'fit': layers = 3; must be a list of integers"),
        ({"layers": [1, 2.5]}, "estimator 'fit': layers = [1, 2.5]; must be a list of integers"),
        ({"limit": "all"}, "estimator 'fit': limit = 'all'; must be an integer"),
        ({"start": "middle"}, "estimator 'fit': start = 'middle'; must be an integer or 'first' or 'last'"),
        ({"options": {"a": "b"}}, "estimator 'fit': options = {'a': 'b'}; must be a table"),
        ({"rounds": 3}, "estimator 'fit': rounds = 3; must be a table, such as rounds = {...}"),
        ({"rounds": {"epochs": 0}}, "estimator 'fit', rounds: epochs = 0; must be a positive integer"),
        ({"rounds": {"share": 0}}, "estimator 'fit', rounds: share = 0; must be a positive number of at most 1"),
        ({"rounds": {"schedule": "step"}}, "rounds: schedule = 'step'; must be 'cosine' or 'plateau'"),
        (
            {"rounds": {"epochs": 3, "schedule": "plateau"}},
            "estimator 'fit', rounds: epochs = 3; must be at least 30 with schedule = 'plateau'",
        ),
        ({"space": float("nan")}, "space = nan; must be a finite number"),
        ({"anything": object}, "must be a number, text, true or false, or a list or table of these"),
        ({"anything": {1: 2}}, "must be a number, text, true or false, or a list or table of these"),
        ({"anything": 10**5000}, "must be a number, text"),
        ({"rate": 10**5000}, "must be a number"),
    ],
)
def test_a_wrong_value_gets_one_line_that_says_what_is_allowed(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        _fit(**parameters)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_value_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(SuiteError, match="nested too deeply"):
        _fit(anything=deep)


@pytest.mark.parametrize("parameters", [{"counts": 3}, {"rounds": {"epoch": 3}}])
def test_an_unknown_parameter_gets_a_suggestion(parameters: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean"):
        _fit(**parameters)


def test_values_are_kept_as_they_are_given() -> None:
    made = _fit(rate=1, layers=[4, 5], limit=None, start="last", options={"a": 1}, rounds={"share": 1})
    assert type(made.rate) is int
    assert made.layers == [4, 5]
    assert type(made.rounds.share) is int
    assert made.rounds.epochs == 40
    assert make_estimator("grasp", {"temperature": 1}).parameters() == {"temperature": 1, "batches": 1}


def test_what_cannot_be_resolved_or_has_no_type_is_not_checked() -> None:
    assert _fit(space="anything", anything=[1, "a"]).space == "anything"


def test_a_parameter_without_default_must_be_given() -> None:
    @dataclass
    class Needy:
        size: int
        kept: int = field(init=False, default=3)

    with pytest.raises(SuiteError, match="estimator 'needy': size is missing"):
        from_parameters("estimator 'needy'", Needy, {})
    with pytest.raises(UnknownNameError, match="no parameter of estimator 'needy' named 'kept'"):
        from_parameters("estimator 'needy'", Needy, {"size": 1, "kept": 2})
    assert from_parameters("estimator 'needy'", Needy, {"size": 1}).size == 1


def test_what_a_constructor_refuses_is_one_line() -> None:
    @dataclass
    class Strict:
        size: int = 3

        def __post_init__(self) -> None:
            if self.size > 4:
                raise ValueError("size is too large\nfor this")

    with pytest.raises(SuiteError, match=r"^estimator 'strict': size is too large for this$"):
        from_parameters("estimator 'strict'", Strict, {"size": 5})


def test_what_is_unsupported_stays_so() -> None:
    @dataclass
    class Rare:
        size: int = 3

        def check(self) -> None:
            raise UnsupportedError("needs a package")

    with pytest.raises(UnsupportedError):
        from_parameters("estimator 'rare'", Rare, {})


@pytest.mark.parametrize("head", ["", "from __future__ import annotations\n"])
@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        ("int", 3, 2.5),
        ("float", 3, "3"),
        ("bool", True, 1),
        ("str", "a", 1),
        ("tuple[int, ...]", [1, 2], ["a"]),
        ("tuple[int, str]", [1, "a"], [1]),
        ("list[str]", ["a"], "a"),
        ("int | None", None, "a"),
        ("Optional[float]", None, "a"),
        ("Literal['a', 'b']", "b", "c"),
        ("Literal[1, -1]", -1, True),
        ("Annotated[int, Ge(2)]", 2, 1),
        ("Annotated[int, Field(ge=2)]", 2, 1),
        ("Annotated[int, 'images']", 1, "a"),
        ("dict[str, int]", {"a": 1}, {"a": "b"}),
        ("Colour", "red", "blue"),
    ],
)
def test_plain_annotations_of_plugins_are_checked(
    head: str, annotation: str, good: object, bad: object, tmp_path: Path
) -> None:
    mine = _module(
        tmp_path,
        f"{head}import enum\nfrom dataclasses import dataclass\nfrom typing import *\nfrom annotated_types import Ge\n"
        f"from pydantic import Field\nclass Colour(enum.Enum):\n    RED = 'red'\n"
        f"@dataclass\nclass Mine:\n    value: {annotation} = None\n",
    )
    assert from_parameters("mine", mine.Mine, {"value": good}).value == good
    with pytest.raises(SuiteError, match=r"mine: value = .*; must be") as caught:
        from_parameters("mine", mine.Mine, {"value": bad})
    assert "a number, text" not in str(caught.value)  # what is said where the annotation says nothing


@pytest.mark.parametrize(
    "annotation", ["'Missing'", "'1 +'", "'1 / 0'", "'list[Missing]'", "'Tensor | int'", "object", "Threading", "'3'"]
)
def test_annotations_that_say_nothing_are_not_checked(annotation: str, tmp_path: Path) -> None:
    text = "from dataclasses import dataclass\nfrom threading import Thread as Threading\n"
    mine = _module(tmp_path, f"{text}@dataclass\nclass Mine:\n    value: {annotation} = None\n")
    assert from_parameters("mine", mine.Mine, {"value": "a"}).value == "a"


def test_annotations_are_read_where_a_base_class_says_them(tmp_path: Path) -> None:
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    base = "from typing import Literal as OneOf\n@dataclass\nclass Base:\n    value: OneOf[1, 2] = 1\n"
    _module(tmp_path, head + base, "test_settings_base")
    mine = _module(tmp_path, f"{head}from test_settings_base import Base\n@dataclass\nclass Mine(Base):\n    ...\n")
    with pytest.raises(SuiteError, match="mine: value = 3; must be 1 or 2"):
        from_parameters("mine", mine.Mine, {"value": 3})


def _module(folder: Path, text: str, name: str = "test_settings_mine") -> Any:
    file = folder / f"{name}.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(Fit.__dataclass_fields__)), VALUES, max_size=3))
def test_any_value_makes_an_object_or_one_line(parameters: dict[str, Any]) -> None:
    try:
        made = _fit(**parameters)
    except BenchsuiteError as error:
        message = str(error)
    else:
        message = ""
        assert all(getattr(made, name) is value for name, value in parameters.items() if name != "rounds")
    assert len(message.splitlines()) <= 1
