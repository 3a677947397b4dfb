"""The process pools behind the edge: which processes answer which class of request, and how many at once.

A pool is named as its service in docker-compose.yml. `threads` is what each process gets as TABIAN_THREADS; the edge
sends it two fewer at once, so that a health check never queues behind the people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.routes import Route

SPARE_THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class Pool:
    """`queue`: how many may wait before readers are turned away (acts may wait in twice as many); `slow_seconds`:
    longest silence of the process while it answers; `pages`: whether people in a browser see its errors too."""

    name: str
    threads: int
    queue: int
    slow_seconds: int = 30
    pages: bool = False

    @property
    def at_once(self) -> int:
        """Requests that one process of the pool is given at a time."""
        return self.threads - SPARE_THREADS


POOLS: Final[tuple[Pool, ...]] = (
    Pool("intake-api", threads=10, queue=400),
    Pool("intake-uploads", threads=34, queue=400, slow_seconds=60),
    Pool("dedup-api", threads=10, queue=200),
    Pool("snapshot-api", threads=10, queue=200),
    Pool("buildings-api", threads=10, queue=200),
    Pool("export-api", threads=6, queue=50),
    Pool("portal", threads=18, queue=400, slow_seconds=90, pages=True),
    Pool("portal-sign-in", threads=6, queue=400, pages=True),
)

PRIORITIES: Final = {"act": -100, "sign-in": 0, "upload": 0, "page": 0, "read": 10, "report": 100}
"""HAProxy's queue serves the lowest number first."""


def pool_of(route: Route) -> str:
    """The name of the pool that answers a route."""
    if route.owner == "portal":
        return "portal-sign-in" if route.queue == "sign-in" else "portal"
    return f"{route.owner}-uploads" if route.queue == "upload" else f"{route.owner}-api"
