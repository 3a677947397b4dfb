"""The words in which an interface is described: shapes of values, and an operation's bodies, headers and refusals.

What Flask and marshmallow know already (addresses, methods, the bodies taken, who must show a token) is not said again here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import Schema

from services.contracts.access import ROLES

Shape = dict[str, Any]
JSON: Final = "application/json"

TEXT: Final[Shape] = {"type": "string"}
WHOLE: Final[Shape] = {"type": "integer"}
COUNT: Final[Shape] = {"type": "integer", "minimum": 0}
FLAG: Final[Shape] = {"type": "boolean"}
TIME: Final[Shape] = {"type": "string", "format": "date-time"}
DAY: Final[Shape] = {"type": "string", "format": "date"}
UUID: Final[Shape] = {"type": "string", "format": "uuid"}
ANYTHING: Final[Shape] = {"type": "object"}
SHA256: Final[Shape] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
SCHOOL: Final[Shape] = {"type": "string", "description": "a school's 10-digit code"}
ESA: Final[Shape] = {"type": "string", "description": "an education service area's code"}
FILE: Final[Shape] = {"type": "string", "format": "binary"}
CSV: Final[Shape] = {"type": "string"}


def closed(optional: Mapping[str, Shape] | None = None, /, **members: Shape) -> Shape:
    """An object with these members and no others; all but the optional ones are always there."""
    properties = {**members, **(optional or {})}
    return {
        "type": "object",
        "properties": properties,
        "required": list(members),
        "additionalProperties": False,
    }


def listed(items: Shape) -> Shape:
    return {"type": "array", "items": items}


def by_name(values: Shape) -> Shape:
    """An object whose members have names of their own."""
    return {"type": "object", "additionalProperties": values}


def among(*values: str) -> Shape:
    return {"type": "string", "enum": list(values)}


def or_none(shape: Shape) -> Shape:
    return {"anyOf": [shape, {"type": "null"}]}


def ref(name: str) -> Shape:
    """A shape of `SHAPES` by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


BOTH: Final = closed(th=TEXT, en=TEXT)
"""Words in Thai and English."""
CODED: Final = closed(code=TEXT, th=TEXT, en=TEXT)
WINDOW: Final = closed(opens=TIME, closes=TIME, open=FLAG)
CURSOR: Final = or_none(TEXT)
ROLE: Final = among(*ROLES)


@dataclass(frozen=True, slots=True)
class Asked:
    """A header or a part of the query that a request may carry."""

    name: str
    place: str
    about: str
    shape: Mapping[str, Any] = field(default_factory=lambda: TEXT)
    required: bool = False

    def parameter(self) -> Shape:
        said = {"name": self.name, "in": self.place, "description": self.about, "schema": dict(self.shape)}
        return said | ({"required": True} if self.required else {})


def query(name: str, about: str, shape: Mapping[str, Any] = TEXT) -> Asked:
    return Asked(name, "query", about, shape)


ETAG_SHAPE: Final[Shape] = {"type": "string", "pattern": '^"[0-9a-f]{1,64}"$'}
IF_MATCH: Final = Asked(
    "If-Match", "header", "the entity tag of the version that is meant", ETAG_SHAPE, required=True
)
IF_MATCH_EARLIER: Final = Asked(
    "If-Match", "header", "the current version, to go back to the bytes of an earlier one", ETAG_SHAPE
)
TICKET: Final = Asked(
    "X-Tabian-Ticket",
    "header",
    "the ticket of an earlier 503 or 504 to this very act: it counts as arrived then",
    {"type": "string", "pattern": "^[0-9]{13}\\.[0-9a-f]{64}$"},
)


def answered(about: str, shape: Mapping[str, Any] = TEXT) -> Shape:
    """A header that the answer always has."""
    return {"description": about, "required": True, "schema": dict(shape)}


ETAG: Final = {"ETag": answered("names this version", ETAG_SHAPE)}
LOCATION: Final = {"Location": answered("the address of what was made")}


@dataclass(frozen=True, slots=True)
class Gives:
    """An answer that is not a refusal: media type → shape, and its headers beside those of every answer."""

    about: str
    content: Mapping[str, Shape]
    headers: Mapping[str, Shape] = field(default_factory=dict)


def gives(about: str, shape: Shape, headers: Mapping[str, Shape] | None = None) -> Gives:
    return Gives(about, {JSON: shape}, headers or {})


@dataclass(frozen=True, slots=True)
class Bytes:
    """A body that is no JSON of ours: media type → shape."""

    about: str
    media: Mapping[str, Shape]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is told of a route beside what the code knows. `takes`: its body, the schema where it is JSON; `refuses`: the
    statuses of its own refusals, beside those that follow from the rest."""

    gives: Mapping[int, Gives]
    takes: type[Schema] | Schema | Bytes | None = None
    asks: tuple[Asked | type[Schema], ...] = ()
    refuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One service's part: its words, its shapes by name, and "METHOD rule" → operation."""

    title: str
    about: str
    shapes: Mapping[str, Shape]
    operations: Mapping[str, Operation]
