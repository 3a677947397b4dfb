"""The one table of routes: which address belongs to which service, and in which class it queues.

The edge, embedded mode and the documents are made from it. Order matters: the first match wins. Anything that no row
names is the portal's. What is below /internal/ is never routed from outside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Class = Literal["act", "read", "report", "upload", "sign-in", "page"]


@dataclass(frozen=True, slots=True)
class Route:
    """`pattern` with {names} for one path segment; `methods` empty = all; `queue`: its class at the edge; `body`: the
    most bytes it takes; `guarded`: whether the edge asks for an access token."""

    pattern: str
    owner: str
    queue: Class
    methods: frozenset[str] = frozenset()
    body: int = 64 * 1024
    guarded: bool = True

    def matches(self, method: str, path: str) -> bool:
        return (not self.methods or method in self.methods) and bool(_compiled(self.pattern).fullmatch(path))

    @property
    def regex(self) -> str:
        """The pattern as a regular expression for a whole path."""
        escaped = re.escape(self.pattern).replace(r"\{", "{").replace(r"\}", "}").replace(r"\*", ".*")
        return re.sub(r"\{[a-z]+\}", "[^/]+", escaped)


_COMPILED: dict[str, re.Pattern[str]] = {}


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern not in _COMPILED:
        _COMPILED[pattern] = re.compile(Route(pattern, "", "read").regex)
    return _COMPILED[pattern]


def _route(
    pattern: str, owner: str, queue: Class, *methods: str, body: int = 64 * 1024, guarded: bool = True
) -> Route:
    return Route(pattern, owner, queue, frozenset(methods), body, guarded)


_SCHOOL = "/api/v1/rounds/{round}/schools/{school}"
_FILE = 16 * 1024 * 1024

ROUTES: tuple[Route, ...] = (
    _route("/api/v1/tokens", "portal", "sign-in", guarded=False),
    _route("/.well-known/jwks.json", "portal", "read", guarded=False),
    _route("/api/v1/openapi.json", "portal", "read", guarded=False),
    _route(f"{_SCHOOL}/roster", "intake", "upload", "PUT", body=_FILE),
    _route(f"{_SCHOOL}/roster*", "intake", "read"),
    _route("/api/v1/register", "intake", "upload", "PUT", body=_FILE),
    _route(f"{_SCHOOL}/confirmation", "intake", "act"),
    _route(f"{_SCHOOL}/certification", "intake", "act"),
    _route(f"{_SCHOOL}/acknowledgement", "intake", "act"),
    _route(f"{_SCHOOL}/cancellation", "intake", "act"),
    _route("/api/v1/rounds/{round}/schools*", "intake", "read"),
    _route("/api/v1/uploads/*", "intake", "read"),
    _route("/api/v1/rounds/{round}/duplicates", "dedup", "read"),
    _route("/api/v1/duplicates/*", "dedup", "read"),
    _route("/api/v1/rounds/{round}/exports", "export", "report"),
    _route("/api/v1/exports/*", "export", "report"),
    _route("/api/v1/rounds/{round}/reports/*", "snapshot", "report"),
    _route("/api/v1/rounds*", "snapshot", "read"),
    _route("/api/v1/bobec/{round}/schools/{school}/carry-forward", "buildings", "read", body=512 * 1024),
    _route("/api/v1/bobec/*", "buildings", "read"),
)

PAGES: tuple[Route, ...] = (
    _route("/sign-in", "portal", "sign-in", "POST", guarded=False),
    _route("/step-up", "portal", "sign-in", "POST", guarded=False),
    *(
        _route(f"/rounds/{{round}}/schools/{{school}}/{act}", "portal", "act", "POST", guarded=False)
        for act in ("confirmation", "certification", "acknowledgement", "cancellation")
    ),
    _route("*/upload", "portal", "upload", "POST", body=_FILE + 1024 * 1024, guarded=False),
    _route("*", "portal", "page", guarded=False),
)
"""What people open in a browser: the portal's own sessions guard it. The edge tells these apart; all are the portal's.
An act's address is that of the API's without its beginning: the edge's ticket is for both."""


def owner_of(method: str, path: str) -> str | None:
    """The service that answers, or None for what is not reachable from outside."""
    if path.startswith("/internal/"):
        return None
    return next((route.owner for route in ROUTES if route.matches(method, path)), "portal")


def class_of(method: str, path: str) -> Class:
    """The class in which it queues."""
    return next(route.queue for route in (*ROUTES, *PAGES) if route.matches(method, path))
