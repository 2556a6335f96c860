"""Cards are typed, and a damaged one gets one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchsuite.core.errors import DataCorruptError
from benchsuite.data.cards import read_card, write_card
from benchsuite.data.home import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from benchsuite.data.cards import Card


def test_a_card_is_read_as_it_was_written_and_in_its_order(tmp_path: Path) -> None:
    card: Card = {"title": "Leaves", "sizes": {"channels": 8}, "cpu_hours": 1, "architectures": 3}
    write_card(tmp_path / "own.parquet", card)
    assert list(read_card(tmp_path / "own.parquet").items()) == list(card.items())


def test_a_table_without_a_card_has_an_empty_one(tmp_path: Path) -> None:
    assert read_card(tmp_path / "own.parquet") == {}


def test_what_only_a_user_says_is_kept(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"title": "Leaves", "thanks": ["to all"]}')
    assert dict(read_card(tmp_path / "own.csv"))["thanks"] == ["to all"]


@pytest.mark.parametrize("file", sorted(shipped("data", "truth").glob("*-digits.json")), ids=lambda file: file.stem)
def test_every_shipped_card_is_read_whole(file: Path) -> None:
    assert read_card(file) == json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "must be a table"),
        ('{"title": 3}', "title = 3; must be text in quotes"),
        ('{"architectures": 2.5}', "architectures = 2.5; must be an integer"),
        ('{"architectures": true}', "architectures = true; must be an integer"),
        ('{"cpu_hours": "3"}', "cpu_hours = '3'; must be a number"),
        ('{"sizes": {"cells": "3"}}', "sizes.cells = '3'; must be an integer"),
        ('{"sizes": 3}', "sizes = 3; must be a table"),
        ('{"image_set": {"name": "digits"}}', "image_set.classes is missing"),
        (
            '{"image_set": {"name": "a", "classes": 2, "channels": 1, "size": 8, "test": "x"}}',
            "image_set.test = 'x'; must",
        ),
        ('{"pilots": {}}', "pilots = {}; must be a list"),
    ],
)
def test_what_is_wrong_with_a_card_is_said_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(text)
    with pytest.raises(DataCorruptError) as caught:
        read_card(tmp_path / "own.parquet")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("correct the card, or fetch or import its table again")
