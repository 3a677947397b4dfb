"""Declaring events, and turning them into JSON and back: whatever comes in, an event or a mismatch comes out."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.dedup import CaseChanged, CaseParty
from services.contracts.event import (
    REGISTRY,
    EventMismatch,
    declaration_of,
    event,
    from_plain,
    to_plain,
)
from services.contracts.intake import AreaRegistered, ManifestEntry, ManifestSent, RegisteredSchool
from services.contracts.statements import Screening

TEXT = st.text(max_size=30)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Everything:
    """Every kind of field an event may have."""

    text: str
    number: int
    share: float
    yes: bool
    maybe: str | None
    inner: Screening | None
    rows: tuple[Screening, ...]
    words: tuple[str, ...]
    free: dict[str, Any]
    later: str = "given"
    more: tuple[str, ...] = ()


SCREENING = st.builds(Screening, compared_with=st.integers(), at=TEXT)
EVERYTHING = st.builds(
    Everything,
    text=TEXT,
    number=st.integers(),
    share=st.floats(allow_nan=False),
    yes=st.booleans(),
    maybe=st.none() | TEXT,
    inner=st.none() | SCREENING,
    rows=st.lists(SCREENING, max_size=3).map(tuple),
    words=st.lists(TEXT, max_size=3).map(tuple),
    free=st.dictionaries(TEXT, st.integers() | TEXT, max_size=3),
    later=TEXT,
    more=st.lists(TEXT, max_size=2).map(tuple),
)


@given(EVERYTHING)
def test_there_and_back_is_the_same(sent: Everything) -> None:
    assert from_plain(Everything, json.loads(json.dumps(to_plain(sent)))) == sent


@given(JSON)
def test_anything_becomes_an_event_or_a_mismatch(data: Any) -> None:
    for cls in (Everything, CaseChanged, ManifestSent, AreaRegistered):
        with pytest.raises(EventMismatch):
            from_plain(cls, data)


@given(EVERYTHING, st.sampled_from([f.name for f in dataclasses.fields(Everything)]), JSON)
def test_one_spoilt_field_is_taken_or_named(sent: Everything, name: str, value: Any) -> None:
    read, said = _read_or_say({**to_plain(sent), name: value})
    if read is None:
        assert f"Everything.{name}" in said
        return
    # what is taken is what was sent: nothing was bent into shape on the way
    taken = to_plain(read)[name]
    assert json.dumps(taken) == json.dumps(value) or (isinstance(value, int) and float(value) == taken)


def _read_or_say(data: dict[str, Any]) -> tuple[Everything | None, str]:
    try:
        return from_plain(Everything, data), ""
    except EventMismatch as mismatch:
        return None, str(mismatch)


def test_a_field_without_default_must_be_there_and_one_with_may_be_missing() -> None:
    plain = to_plain(
        Everything(text="", number=0, share=0.5, yes=True, maybe=None, inner=None, rows=(), words=(), free={})
    )
    without = {name: value for name, value in plain.items() if name not in ("later", "more")}
    assert from_plain(Everything, without).later == "given"
    with pytest.raises(EventMismatch, match=r"Everything\.maybe is missing"):
        from_plain(Everything, {name: value for name, value in plain.items() if name != "maybe"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", True),
        ("number", 1.0),
        ("number", "1"),
        ("yes", 1),
        ("yes", "true"),
        ("share", "0.5"),
        ("share", True),
        ("text", b"bytes"),
        ("text", None),
        ("words", "text"),
        ("words", {"a": 1}),
        ("words", [1]),
        ("rows", [{}]),
        ("rows", [None]),
        ("inner", []),
        ("free", []),
        ("free", None),
    ],
)
def test_nothing_is_bent_into_shape(field: str, value: object) -> None:
    plain = to_plain(
        Everything(text="", number=0, share=0.5, yes=True, maybe=None, inner=None, rows=(), words=(), free={})
    )
    with pytest.raises(EventMismatch, match=field):
        from_plain(Everything, {**plain, field: value})


def test_a_mismatch_deep_inside_says_where() -> None:
    entry = to_plain(
        ManifestEntry(school="1066350177", esa="6602", revision=1, state="empty", sha256=None, pupils=0)
    )
    data = {
        "round": "2564-2",
        "closure": "c",
        "part": 0,
        "parts": 1,
        "entries": [entry, {**entry, "pupils": "0"}],
    }
    with pytest.raises(EventMismatch, match=r"ManifestSent\.entries\[\]\.pupils should be int"):
        from_plain(ManifestSent, data)


def test_a_mismatch_never_quotes_what_came() -> None:
    party = {
        "school": "1066350177",
        "name": 1,
        "esa": "6602",
        "sha256": "",
        "line": 1,
        "answer": "",
        "sentence": "ลับ",
    }
    with pytest.raises(EventMismatch) as caught:
        from_plain(CaseParty, party)
    assert "ลับ" not in str(caught.value)
    assert "1066350177" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "intake",
        "intake.roster.accepted",
        "intake.roster.accepted.v0",
        "intake.roster.accepted.1",
        "Intake.roster.accepted.v1",
        "intake.roster.accepted.v1.more",
        "intake.roster.accepted.v1\n",
        "intake..accepted.v1",
        "intake.roster.*.v1",
        "intake.roster.#.v1",
    ],
)
def test_a_type_has_four_parts(name: str) -> None:
    before = dict(REGISTRY)
    with pytest.raises(ValueError, match="is not"):
        event(name, consumers=())
    assert before == REGISTRY


def test_a_type_is_declared_once() -> None:
    class Again:
        round: str

    before = dict(REGISTRY)
    with pytest.raises(ValueError, match="declared twice"):
        event("intake.area.registered.v1", consumers=())(Again)
    assert before == REGISTRY


def test_a_document_event_names_its_document() -> None:
    class Nameless:
        round: str

    with pytest.raises(ValueError, match="no field sha256"):
        event("intake.nameless.sent.v1", consumers=(), document=True)(Nameless)
    assert "intake.nameless.sent.v1" not in REGISTRY


def test_events_are_values() -> None:
    made = AreaRegistered(esa="6602", name="x", revision=1, schools=())
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.revision = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        AreaRegistered("6602", "x", 1, ())  # type: ignore[misc]
    assert declaration_of(made).type == declaration_of(AreaRegistered).type == "intake.area.registered.v1"
    with pytest.raises(KeyError):
        declaration_of(RegisteredSchool)
