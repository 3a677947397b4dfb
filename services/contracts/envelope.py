"""The CloudEvents 1.0 envelope every message travels in (binary mode: attributes as headers, body apart).

`correlationid` is one id from a person's first request to the last consumer; `causationid` is the event
that caused this one. Not here: which events exist, and which broker carries them.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.contracts.event import REGISTRY, EventMismatch, declaration_of, from_plain, to_plain

JSON_TYPE = "application/json"
DOCUMENT_TYPE = "text/csv"


class UnknownEvent(ValueError):
    """A message whose type nobody declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message. `about` is the event's fields; `document` the zstd-compressed document, if the type has one."""

    id: str
    type: str
    source: str
    time: datetime
    subject: str
    about: dict[str, Any]
    correlationid: str = ""
    causationid: str = ""
    traceparent: str = ""
    document: bytes | None = field(default=None, repr=False)

    def event(self) -> Any:
        """The declared event. Raises UnknownEvent or EventMismatch."""
        declaration = REGISTRY.get(self.type)
        if declaration is None:
            raise UnknownEvent(self.type)
        if declaration.document and self.document is None:
            raise EventMismatch(f"{self.type} came without its document")
        return from_plain(declaration.cls, self.about)

    def headers(self) -> dict[str, str]:
        """The CloudEvents attributes as message headers."""
        attributes = {
            "cloudEvents:specversion": "1.0",
            "cloudEvents:id": self.id,
            "cloudEvents:type": self.type,
            "cloudEvents:source": self.source,
            "cloudEvents:time": self.time.isoformat(),
            "cloudEvents:subject": self.subject,
            "cloudEvents:correlationid": self.correlationid,
            "cloudEvents:causationid": self.causationid,
            "traceparent": self.traceparent,
        }
        if self.document is not None:
            attributes["cloudEvents:about"] = json.dumps(self.about, ensure_ascii=True, separators=(",", ":"))
        return {name: value for name, value in attributes.items() if value}

    def body(self) -> bytes:
        if self.document is not None:
            return self.document
        return json.dumps(self.about, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def content_type(self) -> str:
        return JSON_TYPE if self.document is None else DOCUMENT_TYPE

    @classmethod
    def parse(cls, headers: dict[str, Any], body: bytes, content_type: str) -> Envelope:
        """The envelope of a received message. Raises EventMismatch if attributes or body are unreadable: an id
        that is no UUID, a time without zone, a body that is no JSON object."""

        def attribute(name: str) -> str:
            return str(headers.get(f"cloudEvents:{name}", ""))

        document = content_type == DOCUMENT_TYPE
        try:
            about = json.loads(attribute("about") if document else body)
            time = datetime.fromisoformat(attribute("time"))
            event_id = str(uuid.UUID(attribute("id")))
        except (ValueError, RecursionError) as problem:
            raise EventMismatch("the message's attributes or body cannot be read") from problem
        if not isinstance(about, dict) or not attribute("type") or time.tzinfo is None:
            raise EventMismatch("the message lacks a type, a time with zone or an object body")
        return cls(
            id=event_id,
            type=attribute("type"),
            source=attribute("source"),
            time=time,
            subject=attribute("subject"),
            about=about,
            correlationid=attribute("correlationid"),
            causationid=attribute("causationid"),
            traceparent=str(headers.get("traceparent", "")),
            document=body if document else None,
        )


def describe(body: object) -> tuple[str, dict[str, Any]]:
    """(type name, plain fields) of an event about to be published."""
    plain: dict[str, Any] = to_plain(body)
    return declaration_of(body).type, plain
