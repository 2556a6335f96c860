from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from benchsuite.cli.schema import schema as command
from benchsuite.data.home import shipped
from benchsuite.suites.json_schema import json_schema
from benchsuite.suites.schema import suites

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {"object": dict, "array": list, "string": str, "integer": int}
CHECKED = {
    "$schema",
    "title",
    "description",
    "default",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "uniqueItems",
    "minimum",
    "enum",
    "anyOf",
}


def problems(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """What a JSON schema of the keywords that we use finds wrong with a value, as its drafts define them."""
    assert set(schema) <= CHECKED, set(schema) - CHECKED
    kind = KINDS.get(schema.get("type", ""), object)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield f"{where}: type"
        return
    if "enum" in schema and not any(type(value) is type(each) and value == each for each in schema["enum"]):
        yield f"{where}: enum"
    if "anyOf" in schema and all(any(problems(value, each)) for each in schema["anyOf"]):
        yield f"{where}: anyOf"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where}: minimum"
    if isinstance(value, list):
        yield from _of_list(value, schema, where)
    if isinstance(value, dict):
        yield from _of_table(value, schema, where)


def _of_list(value: list[Any], schema: dict[str, Any], where: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0) or (schema.get("uniqueItems") and len(set(value)) < len(value)):
        yield f"{where}: items"
    for number, each in enumerate(value):
        yield from problems(each, schema.get("items", {}), f"{where}[{number}]")


def _of_table(value: dict[str, Any], schema: dict[str, Any], where: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    yield from (f"{where}: {name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, each in value.items():
        inside = known.get(name, others)
        if isinstance(inside, dict):
            yield from problems(each, inside, f"{where}.{name}")
        elif not inside:
            yield f"{where}: {name} is unknown"


def _document(name: str) -> dict[str, Any]:
    return tomllib.loads(shipped("benchmarks", f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", suites())
def test_every_shipped_suite_is_valid(name: str) -> None:
    proposed = {"benchmark.space": ["macro"], "estimator.benchmarks": ["macro/cifar10"]}
    assert not list(problems(_document(name), json_schema()))
    assert not list(problems(_document(name), json_schema(proposed)))


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("schema",), 2, ".schema: enum"),
        (("seeds",), [0, 0], ".seeds: items"),
        (("seeds",), [-1], ".seeds[0]: minimum"),
        (("seed",), [0], ": seed is unknown"),
        (("estimator",), [], ".estimator: items"),
        (("benchmark", 0, "space"), 3, ".benchmark[0].space: type"),
        (("benchmark", 0, "sizes"), {"cells": 0}, ".benchmark[0].sizes.cells: minimum"),
        (("benchmark", 0, "batch"), {"size": True}, ".benchmark[0].batch.size: type"),
        (("benchmark", 0, "architectures"), {"pool": "all"}, ".benchmark[0].architectures.pool: enum"),
        (("estimator", 0), {"title": "a"}, ".estimator[0]: name is missing"),
        (("combination",), [{"name": "vote", "of": ["snip"]}], ".combination[0].of: items"),
    ],
)
def test_what_a_suite_may_not_say_is_found(place: tuple[Any, ...], value: object, problem: str) -> None:
    document = _document("quickstart")
    *outside, key = place
    table: Any = document
    for part in outside:
        table = table[part]
    table[key] = value
    assert list(problems(document, json_schema())) == [problem]


def test_every_key_says_what_it_means() -> None:
    def walk(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for each in schema.get("properties", {}).values():
            yield each
            yield from walk(each.get("items", each))

    keys = list(walk(json_schema()))
    assert len(keys) > 30
    assert all(key["description"].endswith(".") and len(key["description"]) > 15 for key in keys)


def test_the_file_that_shipped_suites_name_is_the_schema() -> None:
    kept = json.loads(shipped("benchmarks", "suite.schema.json").read_text(encoding="utf-8"))
    assert kept == json_schema(), "run: benchsuite schema --no-names > benchmarks/suite.schema.json"
    for name in suites():
        text = shipped("benchmarks", f"{name}.toml").read_text(encoding="utf-8")
        assert text.startswith("#:schema suite.schema.json\n\n"), name


def test_names_of_what_is_installed_are_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    command()
    benchmark = json.loads(capsys.readouterr().out)["properties"]["benchmark"]["items"]["properties"]
    assert "nasbench201" in benchmark["space"]["anyOf"][0]["enum"]
    assert "cifar10" in benchmark["dataset"]["anyOf"][0]["enum"]
    assert benchmark["transfer"]["items"]["anyOf"][1] == {"type": "string"}


def test_the_command_prints_json_alone() -> None:
    command_line = [sys.executable, "-m", "benchsuite", "schema", "--no-names"]
    answer = subprocess.run(command_line, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == json_schema()
