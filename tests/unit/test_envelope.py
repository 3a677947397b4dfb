"""The envelope: what is sent reads back the same, and whatever else arrives is told apart from it, without an accident."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.envelope import DOCUMENT_TYPE, JSON_TYPE, Envelope, UnknownEvent, describe
from services.contracts.event import EventMismatch
from services.contracts.intake import RosterAccepted
from services.contracts.snapshot import ClosingAnnounced

ID = "6b1f7d0e-6f57-4c8e-9d7e-0a1b2c3d4e5f"
ANNOUNCED = ClosingAnnounced(round="2564-2", closure="c", revision=3)
ACCEPTED = RosterAccepted(round="2564-2", school="1066350177", revision=3, sha256="ab", pupils=2)


def envelope(event: object = ANNOUNCED, **more: Any) -> Envelope:
    event_type, about = describe(event)
    fields: dict[str, Any] = {
        "id": ID,
        "type": event_type,
        "source": "/tabian/snapshot",
        "time": datetime(2021, 11, 12, 3, 0, tzinfo=UTC),
        "subject": "2564-2",
        "about": about,
        "correlationid": "c" * 32,
        "causationid": str(uuid.uuid4()),
        "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        **more,
    }
    return Envelope(**fields)


def over_the_wire(sent: Envelope) -> Envelope:
    return Envelope.parse(dict(sent.headers()), sent.body(), sent.content_type)


def test_an_event_arrives_as_it_was_sent() -> None:
    sent = envelope()
    assert sent.content_type == JSON_TYPE
    assert over_the_wire(sent) == sent
    assert over_the_wire(sent).event() == ANNOUNCED


def test_a_document_arrives_byte_for_byte_with_its_fields_beside_it() -> None:
    body = bytes(range(256)) * 3
    sent = envelope(ACCEPTED, document=body)
    assert sent.content_type == DOCUMENT_TYPE
    arrived = over_the_wire(sent)
    assert arrived == sent
    assert arrived.document == body
    assert arrived.event() == ACCEPTED


def test_an_empty_document_is_a_document() -> None:
    assert over_the_wire(envelope(ACCEPTED, document=b"")).event() == ACCEPTED


def test_what_is_empty_is_not_sent_as_a_header() -> None:
    headers = envelope(correlationid="", causationid="", traceparent="", subject="").headers()
    assert set(headers) == {f"cloudEvents:{name}" for name in ("specversion", "id", "type", "source", "time")}


def test_headers_are_text_that_any_wire_carries() -> None:
    sent = envelope(ACCEPTED, document=b"x", about={"name": "โรงเรียน\r\nX-Evil: 1"})
    for name, value in sent.headers().items():
        assert f"{name}{value}".isascii()
        assert "\n" not in value


def test_a_document_never_shows_in_a_log() -> None:
    assert "1100500000001" not in repr(envelope(ACCEPTED, document=b"1100500000001,somchai"))


def test_a_type_nobody_declared_is_unknown() -> None:
    with pytest.raises(UnknownEvent):
        envelope(type="intake.gossip.spread.v1").event()


def test_a_document_event_without_its_document_does_not_fit() -> None:
    with pytest.raises(EventMismatch, match="without its document"):
        envelope(ACCEPTED).event()


def test_what_is_not_the_declared_body_does_not_fit() -> None:
    with pytest.raises(EventMismatch, match="revision"):
        envelope(about={"round": "2564-2", "closure": "c", "revision": "3"}).event()


def _headers(**changes: Any) -> dict[str, Any]:
    headers: dict[str, Any] = dict(envelope().headers())
    for name, value in changes.items():
        headers[f"cloudEvents:{name}"] = value
    return headers


def test_an_id_has_one_spelling_once_it_is_here() -> None:
    for spelling in (ID.upper(), ID.replace("-", ""), f"{{{ID}}}"):
        assert Envelope.parse(_headers(id=spelling), b"{}", JSON_TYPE).id == ID


GARBAGE: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "no headers": ({}, b"{}", JSON_TYPE),
    "no id": (_headers(id=""), b"{}", JSON_TYPE),
    "an id that is no UUID": (_headers(id="1; DROP TABLE inbox"), b"{}", JSON_TYPE),
    "a null id": (_headers(id=None), b"{}", JSON_TYPE),
    "an id of bytes": (_headers(id=ID.encode()), b"{}", JSON_TYPE),
    "no type": (_headers(type=""), b"{}", JSON_TYPE),
    "no time": (_headers(time=""), b"{}", JSON_TYPE),
    "a Thai date": (_headers(time="12/11/2564"), b"{}", JSON_TYPE),
    "no time zone": (_headers(time="2021-11-12T10:00:00"), b"{}", JSON_TYPE),
    "a number as time": (_headers(time=1636686000), b"{}", JSON_TYPE),
    "an empty body": (_headers(), b"", JSON_TYPE),
    "no JSON": (_headers(), b"\x89PNG\r\n", JSON_TYPE),
    "no UTF-8": (_headers(), b'{"a": "\xe0"}', JSON_TYPE),
    "a list": (_headers(), b"[]", JSON_TYPE),
    "null": (_headers(), b"null", JSON_TYPE),
    "half an object": (_headers(), b'{"round": ', JSON_TYPE),
    "without end": (_headers(), b'{"a":' * 50_000, JSON_TYPE),
    "a document without fields": (_headers(), b"x", DOCUMENT_TYPE),
    "a document with a list": (_headers(about="[1]"), b"x", DOCUMENT_TYPE),
    "a document with half fields": (_headers(about='{"a"'), b"x", DOCUMENT_TYPE),
    "a document nested without end": (_headers(about="[" * 50_000), b"x", DOCUMENT_TYPE),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_a_mismatch(what: str) -> None:
    with pytest.raises(EventMismatch) as caught:
        Envelope.parse(*GARBAGE[what])
    assert "DROP TABLE" not in str(caught.value)


def test_an_unknown_content_type_is_read_as_json() -> None:
    sent = envelope()
    assert Envelope.parse(dict(sent.headers()), sent.body(), "application/octet-stream").event() == ANNOUNCED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON | st.binary(), max_size=5), st.binary(max_size=200), st.booleans())
def test_any_message_reads_or_is_a_mismatch(headers: dict[str, Any], body: bytes, document: bool) -> None:
    try:
        Envelope.parse({**_headers(), **headers}, body, DOCUMENT_TYPE if document else JSON_TYPE)
    except EventMismatch:
        return


@given(JSON)
def test_any_json_body_becomes_the_event_or_is_a_mismatch(value: Any) -> None:
    body = json.dumps(value, allow_nan=True).encode()
    try:
        Envelope.parse(_headers(), body, JSON_TYPE).event()
    except EventMismatch:
        return
