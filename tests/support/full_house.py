"""A real edge before the real portal and intake, each with few places, which a test can fill: who comes then is turned
away. The round clock of both is one, and runs. Not here: the other services (snapshot knows of no round).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from gateway.edge.pools import POOLS, SPARE_THREADS, Pool
from gateway.portal.app import SERVICE as PORTAL
from gateway.stack.secrets import make_secrets
from services.intake.app import SERVICE as INTAKE
from services.kit.clock import set_clock
from services.kit.service import Service
from tests.support.bench import Bench
from tests.support.edge import Edge, running_edge
from tests.support.intake_desk import OTHER, SCHOOL, IntakeDesk
from tests.support.tokens import bearer
from tests.support.visitor import enrol

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

CLERK = f"clerk-{SCHOOL}"
_CROWD = 24
_NUMBERS = itertools.count(1)


class Gate:
    """Before an application: while it is shut, whoever is let in by the edge stands here and holds the place."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self.is_open = threading.Event()
        self.is_open.set()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/readyz":
            self.is_open.wait(60)
        return self._app(environ, start)


@dataclass(frozen=True, slots=True)
class House:
    """The running system. `intake` are the verbs of its people; CLERK may use the pages and has a roll to confirm."""

    edge: Edge
    intake: IntakeDesk
    gates: dict[str, Gate]

    @property
    def address(self) -> str:
        return str(self.edge.public.base_url).rstrip("/")

    def clock_runs_from(self, moment: str) -> None:
        """Asia/Bangkok, for the portal and intake."""
        set_clock(self.intake.bench.clock_file, datetime.fromisoformat(f"{moment}+07:00"))

    def arrived(self, act: str) -> datetime:
        """When the school's last act arrived, by its receipt."""
        receipts = self.intake.get(self.intake.url("/receipts"))["receipts"]
        assert receipts[-1]["payload"]["act"] == act
        return datetime.fromisoformat(receipts[-1]["payload"]["arrived"])

    @contextmanager
    def away(self, pool: str) -> Iterator[None]:
        """The pool's only process is not there."""
        self.edge.processes[pool].stop()
        try:
            yield
        finally:
            self.edge.processes[pool].start()

    @contextmanager
    def full(self, pool: str) -> Iterator[None]:
        """Every place of a pool of intake's is taken and its queue is full, by people of another school: each ask is
        another person's, since who asks often stands behind and leaves room in the queue."""
        gate, ended = self.gates[pool], threading.Event()
        gate.is_open.clear()
        with ThreadPoolExecutor(_CROWD) as crowd:
            for _ in range(_CROWD):
                crowd.submit(self._press, pool, ended.is_set)
            try:
                self._wait_until_full(pool)
                yield
            finally:
                ended.set()
                gate.is_open.set()

    def _press(self, pool: str, has_ended: Callable[[], bool]) -> None:
        while not has_ended():
            self._ask(pool)
            time.sleep(0.05)

    def _ask(self, pool: str) -> int:
        headers = bearer(self.edge.keys, f"other-{next(_NUMBERS)}", ("clerk", OTHER))
        method, act = ("PUT", "/roster") if pool == "intake-uploads" else ("POST", "/confirmation")
        with httpx.Client(base_url=self.edge.inner.base_url, timeout=60) as client:
            return client.request(
                method, self.intake.url(act, OTHER), headers=headers, content=b""
            ).status_code

    def _wait_until_full(self, pool: str) -> None:
        refused = 0
        while refused < 3:  # the crowd's own attempts come and go
            refused = refused + 1 if self._ask(pool) == 503 else 0


def _small(pool: Pool) -> Pool:
    """With one place for acts; and nobody who holds one gives it up by waiting too long."""
    places = pool.readers + (8 if pool.pages else 1)
    return replace(pool, threads=SPARE_THREADS + places, queue=1, slow_seconds=30)


@contextmanager
def full_house(folder: Path, database_url: Callable[[Service], str]) -> Iterator[House]:
    """The system with one place in each of its pools; ends with the block."""
    make_secrets(folder / "secrets")
    with httpx.Client(timeout=30) as services:
        parts = {"api": services, "proxies": 1}
        portal = Bench(PORTAL, database_url(PORTAL), folder / "secrets", folder, parts=parts)
        intake = Bench(INTAKE, database_url(INTAKE), folder / "secrets", folder)
        gates = {"intake-api": Gate(intake.app), "intake-uploads": Gate(intake.app)}
        apps: dict[str, Any] = {**gates, "portal": portal.app, "portal-sign-in": portal.app}
        small = tuple(map(_small, POOLS))
        with running_edge(folder, small, apps=apps) as edge:
            edge.processes["snapshot-api"].says = lambda *_: (200, {"rounds": []})
            services.base_url = edge.inner.base_url
            intake.set_time("2021-10-20T09:00:00+07:00")
            desk = IntakeDesk(intake)
            desk.upload()
            enrol(portal.database, CLERK, ("clerk", SCHOOL))
            yield House(edge, desk, gates)
        portal.close()
        intake.close()
