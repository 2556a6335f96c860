"""The form of suite files as a JSON schema, by which editors complete, explain and check them.

It has only keywords that every draft of JSON schema knows, for the editors' libraries are of different drafts.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from benchsuite.core.expected import annotations_of
from benchsuite.suites.schema import SuiteDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DRAFT = "http://json-schema.org/draft-07/schema#"
_LEFT_OUT = "left out:"
_SECTION = re.compile(r"^Attributes\n-+\n(.*?)(?:\n\n\w+\n-+\n|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(r"^(\w+(?:, \w+)*)\n((?: .*\n?|\n)+)", re.MULTILINE)


def json_schema(names: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """Return the JSON schema of suite files.

    Parameters
    ----------
    names
        Names that editors propose, such as those of the installed spaces, by the path of the key that takes them, such
        as "benchmark.space"; others stay allowed, since a plug-in file can bring them.

    Examples
    --------
    >>> batch = json_schema()["properties"]["benchmark"]["items"]["properties"]["batch"]
    >>> batch["properties"]["size"]
    {'default': 64, 'minimum': 1, 'type': 'integer', 'description': 'Images in a minibatch.'}
    """
    made = TypeAdapter(SuiteDocument).json_schema()
    schema = _described(_plain(made, made.get("$defs", {})), SuiteDocument)
    for place, known in (names or {}).items():
        _propose(schema, place.split("."), known)
    return {"$schema": DRAFT, "title": "A suite of benchsuite", **schema}


def _plain(node: Any, definitions: Mapping[str, Any]) -> Any:
    """Return a schema without references, titles and nulls, which TOML does not have."""
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    choices = [each for each in node.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return _plain(choices[0], definitions)
    if "const" in node:
        return {"enum": [node["const"]]}
    if "properties" in node:
        properties = {name: _plain(each, definitions) for name, each in node["properties"].items()}
        kept = {key: node[key] for key in ("type", "required", "additionalProperties") if key in node}
        return {**kept, "properties": properties}
    return {key: _plain(each, definitions) for key, each in node.items() if key not in {"title", "description"}}


def _described(schema: Mapping[str, Any], cls: Any) -> dict[str, Any]:
    """Return the schema of a dataclass with the texts of its docstring."""
    summary, said = (inspect.getdoc(cls) or "").split("\n\n", 1)[0], dict(_texts(cls))
    properties = {}
    for name, each in schema["properties"].items():
        properties[name] = {**_within(each, annotations_of(cls)[name]), "description": said[name]}
        if _LEFT_OUT in said[name]:  # the text says what holds then
            properties[name].pop("default", None)
    return {**schema, "description": summary, "properties": properties}


def _within(schema: Mapping[str, Any], annotation: Any) -> Mapping[str, Any]:
    """Return the schema of a field with the texts of the dataclass that its values, or the entries of its list, are."""
    found = next(_dataclasses(annotation), None)
    if found is None:
        return schema
    if "items" in schema:
        return {**schema, "items": _described(schema["items"], found)}
    return _described(schema, found)


def _dataclasses(annotation: Any) -> Iterator[type]:
    """Yield the dataclasses of which a type is made."""
    if isinstance(annotation, type) and is_dataclass(annotation):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _dataclasses(part)


def _texts(cls: type) -> Iterator[tuple[str, str]]:
    """Yield the names of fields with what the section Attributes of a numpydoc docstring says of them."""
    section = _SECTION.search(inspect.getdoc(cls) or "")
    for entry in _ENTRY.finditer(section[1] if section else ""):
        for name in entry[1].split(", "):
            yield name, " ".join(entry[2].split())


def _propose(schema: dict[str, Any], place: Sequence[str], known: Sequence[str]) -> None:
    """Put names before the plain type of a key's values, or of the entries of its list."""
    *outside, key = place
    for name in outside:
        inside = schema["properties"][name]
        schema = inside.get("items", inside)
    values = schema["properties"][key]
    if "items" in values:
        values["items"] = {"anyOf": [{"enum": list(known)}, values["items"]]}
    else:
        schema["properties"][key] = {
            "description": values["description"],
            "anyOf": [{"enum": list(known)}, {"type": values["type"]}],
        }
