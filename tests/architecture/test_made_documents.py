"""The documents that are made from the code are what the code says, are what their standards ask for, and leave nothing out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from deploy import documents
from deploy.documents import asyncapi, configuration, openapi
from deploy.documents.__main__ import main
from deploy.documents.openapi.building import application, views
from services.contracts import topology
from services.contracts.event import REGISTRY
from tests.architecture import tree

WORD = re.compile(r"TABIAN_[A-Z]+(?:_[A-Z]+)*")
READ = re.compile(r"environ(?:\.get\(|\[)\s*[\"'](TABIAN_[A-Z_]+)")


@pytest.mark.parametrize("path", documents.DOCUMENTS)
def test_a_made_document_is_what_the_code_says(path: str) -> None:
    assert tree.text_of(Path(path)) == documents.DOCUMENTS[path](), "run `make docs` and commit what it wrote"


def test_what_is_stale_is_named_and_written_anew(tmp_path: Path) -> None:
    written = documents.write(tmp_path)
    assert written == list(documents.DOCUMENTS)
    assert documents.stale(tmp_path) == []
    (tmp_path / "docs/events.md").write_text("an earlier time")
    assert documents.stale(tmp_path) == ["docs/events.md"]
    assert documents.write(tmp_path) == ["docs/events.md"]


def test_the_check_says_that_nothing_is_stale() -> None:
    told = CliRunner().invoke(main, ["--check"])
    assert (told.exit_code, told.output) == (0, "")


@pytest.mark.parametrize("name", openapi.NAMES)
def test_an_interface_is_sound_openapi(name: str) -> None:
    validate(openapi.document(name))


def test_the_whole_interface_is_sound_openapi() -> None:
    validate(openapi.whole())


@pytest.mark.parametrize("name", openapi.NAMES)
def test_an_interface_tells_of_every_route_and_no_other(name: str, tmp_path: Path) -> None:
    there = {told for _, _, told in views(application(name, tmp_path), name)}
    assert set(openapi.INTERFACES[name].operations) == there


@pytest.mark.parametrize("name", openapi.NAMES)
def test_every_operation_says_what_it_is_for(name: str) -> None:
    assert [one["operationId"] for _, one in _operations(openapi.document(name)) if not one["summary"]] == []


def test_the_whole_interface_leaves_out_what_is_not_reachable() -> None:
    parts = [path for name in openapi.NAMES for path in openapi.document(name)["paths"]]
    assert set(parts) - set(openapi.whole()["paths"]) == {"/internal/v1/rounds/{round}/extracts"}
    ids = [one["operationId"] for _, one in _operations(openapi.whole())]
    assert len(ids) == len(set(ids)) > 40


def test_an_act_is_refused_with_a_ticket() -> None:
    acts = openapi.document("intake")["paths"]["/api/v1/rounds/{round}/schools/{school}/certification"][
        "post"
    ]
    headers = openapi.document("intake")["components"]["responses"][_named(acts["responses"]["503"])][
        "headers"
    ]
    assert {"X-Tabian-Ticket", "Retry-After", "X-Tabian-Queue"} == set(headers)
    assert {"401", "403", "404", "409", "412", "413", "422", "428", "503"} <= set(acts["responses"])


def test_shapes_that_nothing_names_are_not_told_of() -> None:
    for name in openapi.NAMES:
        document = openapi.document(name)
        named = {ref.rpartition("/")[2] for ref in _references(document)}
        assert set(document["components"]["schemas"]) <= named, name


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for one in item.values():
            yield path, one


def _named(reference: dict[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _found(document: dict[str, Any], reference: str) -> Any:
    """What a reference leads to. Raises KeyError."""
    place: Any = document
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


EVENTS = asyncapi.document()


def test_every_reference_of_the_events_leads_somewhere() -> None:
    references = set(_references(EVENTS))
    assert len(references) > 60
    for reference in references:
        assert _found(EVENTS, reference)


def test_every_event_has_a_channel_and_both_its_ends() -> None:
    assert set(EVENTS["channels"]) == {*REGISTRY, topology.REPORT_TYPE}
    for name, declaration in REGISTRY.items():
        ends = {
            (operation["action"], operation["tags"][0]["name"])
            for operation in EVENTS["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{name}"
        }
        assert ends == {("send", declaration.producer), *(("receive", one) for one in declaration.consumers)}


def test_channels_are_routing_keys_of_exchanges_that_are_declared() -> None:
    declared = {exchange.name: exchange.type for exchange in topology.topology().exchanges}
    for channel in EVENTS["channels"].values():
        binding = channel["bindings"]["amqp"]
        assert binding["is"] == "routingKey"
        assert declared[binding["exchange"]["name"]] == binding["exchange"]["type"]


def test_examples_of_the_events_are_of_their_shape() -> None:
    seen = 0
    for message in EVENTS["components"]["messages"].values():
        for example in message.get("examples", ()):
            Draft202012Validator(_found(EVENTS, message["payload"]["$ref"])).validate(example["payload"])
            seen += 1
        if "x-about" in message:
            Draft202012Validator(_found(EVENTS, message["x-about"]["$ref"])).validate(
                message["x-about-example"]
            )
            seen += 1
    assert seen == len(REGISTRY)


def test_the_parts_that_the_standard_asks_for_are_there() -> None:
    assert EVENTS["asyncapi"].startswith("3.")
    assert {"title", "version"} <= set(EVENTS["info"])
    for operation in EVENTS["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = _found(EVENTS, operation["channel"]["$ref"])
        offered = {f"{operation['channel']['$ref']}/messages/{name}" for name in channel["messages"]}
        assert {one["$ref"] for one in operation["messages"]} <= offered


def test_every_variable_that_is_read_is_declared() -> None:
    told = configuration.declared()
    unknown = {
        f"{path}: {name}"
        for path in tree.tracked()
        for name in _variables(path)
        if name not in told and name.removesuffix(configuration.SUFFIX) not in told
    }
    assert not unknown, "a setting of a process is a field of its Settings; anything else stands in ELSEWHERE"


def test_every_variable_that_is_declared_is_read() -> None:
    read = {name for path in tree.tracked() for name in _variables(path)}
    assert configuration.declared() <= read


def _variables(path: Path) -> set[str]:
    """The names in a file of code; in tests only what they read themselves."""
    if path.suffix in {".md", ".json", ".lock"} or path.parts[:2] == ("deploy", "documents"):
        return set()
    try:
        text = tree.text_of(path)
    except UnicodeDecodeError:
        return set()
    if path.parts[0] == "tests":
        return set(READ.findall(text)) - {"TABIAN_"}
    return set(WORD.findall(text))


def test_what_the_portal_shows_is_the_whole_interface() -> None:
    assert json.loads(tree.text_of(Path("gateway/portal/openapi.json"))) == openapi.whole()
