"""Refusals in the documents: problem+json (RFC 9457), the status that each can have, and when one is to be expected.

Not here: what each says in a case; `services.kit.errors` and the rules word them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from deploy.documents.openapi.vocabulary import IF_MATCH, TEXT, Bytes, Operation, Shape, answered, closed
from gateway.routes import Route

PROBLEM: Final[Shape] = {
    **closed(
        {"errors": {"type": "object", "description": "by field, where the body or query is not valid"}},
        type={"type": "string", "description": "/problems/ and a code that does not change"},
        title=TEXT,
        status={"type": "integer"},
        detail={"type": "string", "description": "in the language of Accept-Language, Thai by default"},
        detail_th=TEXT,
        detail_en=TEXT,
        correlation_id=TEXT,
    ),
    "additionalProperties": True,
}
REQUEST_ID: Final = {
    "X-Request-Id": answered("the correlation id: operators find everything that belongs to it")
}
_RETRY: Final = {
    "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 0}}
}
_WHO: Final = {"WWW-Authenticate": {"description": "Bearer, and what is wrong", "schema": TEXT}}
_TICKET: Final = {
    "X-Tabian-Ticket": {
        "description": "shown with the same act later, it counts as arrived now",
        "schema": TEXT,
    }
}
_QUEUE: Final = {
    "X-Tabian-Queue": {"description": "how many wait", "schema": {"type": "integer", "minimum": 0}}
}
_ACT: Final = "Act"

RESPONSES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "400": ("The request is malformed", {}),
    "401": ("The access token is missing, not valid or expired", _WHO),
    "403": ("Not for this person's role, or not now", {}),
    "404": ("There is no such thing, or it is not this person's to see", {}),
    "408": ("The request came too slowly", {}),
    "409": ("Not in this state, or not at this time", _RETRY),
    "412": ("It is no longer the version that is meant", {}),
    "413": ("The body is larger than this address takes", {}),
    "415": ("This kind of content is not taken here", {}),
    "422": ("The body or the query is not valid", {}),
    "428": ("If-Match is missing", {}),
    "416": ("There is no such part", {}),
    "429": ("Too many attempts", _RETRY),
    "500": ("Something failed on our side", {}),
    "502": ("This part of the system gave no answer", {}),
    "503": ("The system is full, busy or coming back; what is sent again is done once", _RETRY | _QUEUE),
    "504": ("This part of the system gave no answer in time", {}),
    f"503{_ACT}": ("No room just now; the ticket keeps the time", _RETRY | _QUEUE | _TICKET),
    f"504{_ACT}": ("No answer in time; the ticket keeps the time", _TICKET),
}
"""Name → words and headers. An act's have a ticket beside."""
EVERYWHERE: Final = (400, 500, 502, 503, 504)


def component(name: str) -> Shape:
    """The response of this name, as a component."""
    words, headers = RESPONSES[name]
    return {
        "description": words,
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def expected(operation: Operation, route: Route | None, rule: str, *, public: bool) -> dict[str, str]:
    """Status → name of the response, for every refusal that the operation may meet. `route`: its row at the edge."""
    statuses = sorted({*EVERYWHERE, *operation.refuses, *_following(operation, rule, public)})
    act = _ACT if route is not None and route.queue == "act" else ""
    return {str(status): f"{status}{act if status in (503, 504) else ''}" for status in statuses}


def _following(operation: Operation, rule: str, public: bool) -> Iterator[int]:
    """What follows from the rest."""
    if not public:
        yield 401
    if "<" in rule:
        yield 404
    if operation.takes is not None:
        yield from (408, 413) if isinstance(operation.takes, Bytes) else (408, 413, 422)
    if IF_MATCH in operation.asks:
        yield from (412, 428)
