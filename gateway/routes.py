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
    """`pattern` with {names} for one path segment; `methods` empty = all; `queue`: its class at the edge."""

    pattern: str
    owner: str
    queue: Class
    methods: frozenset[str] = frozenset()

    def matches(self, method: str, path: str) -> bool:
        return (not self.methods or method in self.methods) and bool(_regex(self.pattern).fullmatch(path))


_COMPILED: dict[str, re.Pattern[str]] = {}


def _regex(pattern: str) -> re.Pattern[str]:
    if pattern not in _COMPILED:
        escaped = re.escape(pattern).replace(r"\{", "{").replace(r"\}", "}").replace(r"\*", ".*")
        _COMPILED[pattern] = re.compile(re.sub(r"\{[a-z]+\}", "[^/]+", escaped))
    return _COMPILED[pattern]


def _route(pattern: str, owner: str, queue: Class, *methods: str) -> Route:
    return Route(pattern, owner, queue, frozenset(methods))


_SCHOOL = "/api/v1/rounds/{round}/schools/{school}"

ROUTES: tuple[Route, ...] = (
    _route("/api/v1/tokens", "portal", "sign-in"),
    _route("/.well-known/jwks.json", "portal", "read"),
    _route(f"{_SCHOOL}/roster", "intake", "upload", "PUT"),
    _route(f"{_SCHOOL}/roster*", "intake", "read"),
    _route("/api/v1/register", "intake", "upload", "PUT"),
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
    _route("/api/v1/bobec/*", "buildings", "read"),
)


def owner_of(method: str, path: str) -> str | None:
    """The service that answers, or None for what is not reachable from outside."""
    if path.startswith("/internal/"):
        return None
    return next((route.owner for route in ROUTES if route.matches(method, path)), "portal")
