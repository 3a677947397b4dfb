"""The process pools behind the edge: which processes answer which class of request, how many at once, and how many may wait.

A pool is named as its service in docker-compose.yml. `threads` is what each process gets as TABIAN_THREADS; the edge
sends it two fewer at once, so that a health check never queues behind the people. Why so: decisions/0021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.routes import Class, Route

SPARE_THREADS: Final = 2
ACTS: Final = "intake-api"
"""The pool that answers acts."""


@dataclass(frozen=True, slots=True)
class Pool:
    """`queue`: how many may wait before others are turned away (a class waits in its part of it, WAITING); `readers`: so
    many of its requests at once are for those alone who come for no act, in a queue of their own; `wait_seconds`:
    longest wait in the queue; `slow_seconds`: longest silence of the process while it answers; `pages`: whether people
    in a browser see its errors too."""

    name: str
    threads: int
    queue: int
    readers: int = 0
    wait_seconds: int = 8
    slow_seconds: int = 30
    pages: bool = False

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Its queues."""
        own = Lane(self.name, self, self.threads - SPARE_THREADS - self.readers)
        return (own, Lane(f"{self.name}-readers", self, self.readers)) if self.readers else (own,)


@dataclass(frozen=True, slots=True)
class Lane:
    """One queue for a pool's processes, a backend of the edge: each process is given `at_once` of its requests at a time."""

    name: str
    pool: Pool
    at_once: int


POOLS: Final[tuple[Pool, ...]] = (
    Pool(ACTS, threads=28, queue=400, readers=2, slow_seconds=10),
    Pool("intake-uploads", threads=34, queue=400, slow_seconds=60),
    Pool("dedup-api", threads=10, queue=200),
    Pool("snapshot-api", threads=10, queue=200),
    Pool("buildings-api", threads=10, queue=200),
    Pool("export-api", threads=6, queue=200),
    Pool("portal", threads=18, queue=400, slow_seconds=90, pages=True),
    Pool("portal-sign-in", threads=4, queue=200, pages=True),
)

WAITING: Final[dict[Class, float]] = {"report": 0.25, "act": 2}
"""Class → the part of a pool's queue in which it may wait; all others in the whole. Who is turned away first stands first."""
OWN_ACTS: Final = 4
"""Acts that a person may ask for within ten seconds and stand where everybody stands; with the next they stand behind, and
in half the part of the queue in which others may."""
BEHIND: Final = 5
"""Their place in HAProxy's order."""
PRIORITIES: Final[dict[Class, int]] = {"read": 10, "report": 100}
"""HAProxy's queue serves the lowest number first; all others are 0."""


def acts_waiting(pools: Sequence[Pool]) -> int:
    """When more acts wait, reports of all pools are turned away: they are other processes, but the same machine."""
    return round(WAITING["report"] * next(pool.queue for pool in pools if pool.name == ACTS))


def pool_of(route: Route) -> str:
    """The name of the pool that answers a route."""
    if route.owner == "portal":
        return "portal-sign-in" if route.queue == "sign-in" else "portal"
    return f"{route.owner}-uploads" if route.queue == "upload" else f"{route.owner}-api"


def lane_of(route: Route) -> str:
    """The name of the queue in which a route waits."""
    own, *readers = next(pool for pool in POOLS if pool.name == pool_of(route)).lanes
    return readers[0].name if readers and route.queue != "act" else own.name
