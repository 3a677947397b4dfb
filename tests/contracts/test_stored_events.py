"""Every event against what is stored of it: schema, example, and what older and newer programs would make of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.contracts.calendar import Extension, RoundPlan
from services.contracts.event import REGISTRY, EventMismatch, from_plain, to_plain
from services.contracts.schema import schema_of
from tests.contracts import store as stores
from tests.contracts.extension import broken_by
from tests.contracts.store import COMMAND, EXAMPLES, SCHEMAS, stored

TYPES = sorted(REGISTRY)
NOT_FOR_EVENTS = re.compile(
    r"national|citizen|passport|id_?card|disab|disadvantag|พิการ|first_?name|last_?name|surname|birth|religion"
    r"|address|phone|parent|guardian|income|password|token",
    re.IGNORECASE,
)


def _schema(event_type: str) -> dict[str, Any]:
    found = stored(SCHEMAS, event_type)
    assert found is not None, f"{event_type} has no stored schema: run `{COMMAND}` and commit tests/contracts"
    return found


def _example(event_type: str) -> dict[str, Any]:
    found = stored(EXAMPLES, event_type)
    assert found is not None, (
        f"{event_type} has no stored example: run `{COMMAND}` and commit tests/contracts"
    )
    return found


@pytest.mark.parametrize("event_type", TYPES)
def test_an_event_only_grows(event_type: str) -> None:
    faults = broken_by(_schema(event_type), schema_of(REGISTRY[event_type]))
    assert not faults, "declare the next version, and publish both until nobody consumes this one"


@pytest.mark.parametrize("event_type", TYPES)
def test_the_stored_schema_is_todays(event_type: str) -> None:
    assert _schema(event_type) == schema_of(REGISTRY[event_type]), (
        f"run `{COMMAND}` and commit tests/contracts"
    )


@pytest.mark.parametrize("event_type", TYPES)
def test_what_was_sent_once_still_reads(event_type: str) -> None:
    sent = _example(event_type)
    Draft202012Validator(_schema(event_type)).validate(sent)
    again = to_plain(from_plain(REGISTRY[event_type].cls, sent))
    Draft202012Validator(_schema(event_type)).validate(again)
    assert {name: again[name] for name in sent} == sent


@pytest.mark.parametrize("event_type", TYPES)
def test_what_a_newer_producer_adds_is_passed_over(event_type: str) -> None:
    sent = _example(event_type)
    newer = {**sent, "added_next_year": {"deep": [1, None]}}
    Draft202012Validator(_schema(event_type)).validate(newer)
    assert from_plain(REGISTRY[event_type].cls, newer) == from_plain(REGISTRY[event_type].cls, sent)


@pytest.mark.parametrize("event_type", TYPES)
def test_a_missing_or_mistyped_field_is_named_and_its_value_is_not(event_type: str) -> None:
    cls, sent, schema = REGISTRY[event_type].cls, _example(event_type), _schema(event_type)
    for name in schema["required"]:
        with pytest.raises(EventMismatch, match=name):
            from_plain(cls, {key: value for key, value in sent.items() if key != name})
    for name in schema["properties"]:
        wrong = "สมชาย ใจดี" if not isinstance(sent[name], str) else 4711
        with pytest.raises(EventMismatch) as caught:
            from_plain(cls, {**sent, name: wrong})
        assert name in str(caught.value)
        assert str(wrong) not in str(caught.value)


def _names(schema: dict[str, Any]) -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from _names(inner)
    if "items" in schema:
        yield from _names(schema["items"])
    for inner in schema.get("anyOf", ()):
        yield from _names(inner)


@pytest.mark.parametrize("event_type", TYPES)
def test_no_event_has_a_field_for_what_is_personal(event_type: str) -> None:
    personal = [name for name in _names(schema_of(REGISTRY[event_type])) if NOT_FOR_EVENTS.search(name)]
    assert not personal, "events name a pupil by school, roster and line"


def test_nothing_is_stored_that_is_not_declared() -> None:
    kept = {path.stem for folder in (SCHEMAS, EXAMPLES) for path in folder.glob("*.json")}
    assert kept == set(TYPES)


def test_the_example_of_a_round_carries_a_calendar_that_reads() -> None:
    sent = _example("snapshot.round.opened.v1")
    plan = RoundPlan.from_plain(sent["plan"])
    extension = Extension.from_plain(sent["extensions"][0])
    assert plan.window("confirm", school=extension.school, extensions=[extension]).closes == extension.until


def test_a_new_event_that_was_not_stored_is_told_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.contracts.test_stored_events.SCHEMAS", tmp_path)
    with pytest.raises(AssertionError, match="make contracts"):
        _schema("intake.roster.accepted.v1")


def _declared(**fields: Any) -> Any:
    """A declaration like one of ours, with these fields, that the registry does not know."""
    made = dataclasses.make_dataclass(
        "Something",
        [
            (name, kind) if default is None else (name, kind, dataclasses.field(default=default))
            for name, (kind, default) in fields.items()
        ],
        namespace={"__doc__": "Something happened."},
    )
    return dataclasses.replace(
        REGISTRY["intake.roster.accepted.v1"], type="intake.thing.happened.v1", cls=made
    )


BEFORE = {"round": (str, None), "pupils": (int, None)}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"round": (str, None)}, "pupils was removed"),
        ({**BEFORE, "pupils": (str, None)}, "pupils was integer, is string"),
        ({**BEFORE, "at": (str, None)}, "at has no default"),
        ({**BEFORE, "pupils": (tuple[int, ...], None)}, "pupils was integer, is array"),
        ({**BEFORE, "pupils": (int | None, None)}, "pupils was integer, is None"),
    ],
)
def test_storing_refuses_what_would_break_a_consumer(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    schemas, examples = tmp_path / "schemas", tmp_path / "examples"
    assert stores.store(_declared(**BEFORE), schemas, examples) == []
    kept = (schemas / "intake.thing.happened.v1.json").read_bytes()
    faults = stores.store(_declared(**fields), schemas, examples)
    assert len(faults) == 1
    assert said in faults[0]
    assert (schemas / "intake.thing.happened.v1.json").read_bytes() == kept


def test_storing_takes_an_extension_and_keeps_the_old_example(tmp_path: Path) -> None:
    schemas, examples = tmp_path / "schemas", tmp_path / "examples"
    assert stores.store(_declared(**BEFORE), schemas, examples) == []
    grown = _declared(**BEFORE, at=(str, ""))
    assert stores.store(grown, schemas, examples) == []
    assert "at" in (stored(schemas, grown.type) or {})["properties"]
    assert "at" not in (stored(examples, grown.type) or {})
