"""How full the system is, second by second, while a load comes: who waits at the edge, which files wait to be checked, and
what was not yet applied by everybody."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from deploy.rehearsal.checker import SERVICES, Databases

EVERY_SECONDS = 1.0
_QUEUE = re.compile(r'^haproxy_backend_current_queue\{proxy="([\w-]+)"\} (\d+)', re.MULTILINE)
_UPLOADS = "SELECT count(*) FROM upload WHERE state IN ('received', 'checking')"
_OUTBOX = "SELECT count(*) FROM outbox WHERE next_send_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Sample:
    """`second`: of the load; `queues`: process pool → requests that wait for it at the edge; `uploads`: files that wait
    to be checked or are; `outbox`: service → events that somebody has not applied yet."""

    second: float
    queues: dict[str, int]
    uploads: int
    outbox: dict[str, int]


class Sampler:
    """Samples in a thread of its own while the block lasts. `now`: seconds since the load began. A system that does not
    answer leaves a gap."""

    def __init__(self, metrics: str, databases: Databases, now: Callable[[], float]) -> None:
        self.samples: list[Sample] = []
        self._metrics, self._databases, self._now = metrics, databases, now
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client(timeout=5) as client:
            while not self._over.is_set():
                began = self._now()
                with suppress(httpx.TransportError, OSError):
                    self.samples.append(self._sample(client, began))
                self._over.wait(max(0.0, EVERY_SECONDS - (self._now() - began)))

    def _sample(self, client: httpx.Client, second: float) -> Sample:
        said = client.get(self._metrics).text
        outbox = {service: int(self._databases.ask(service, _OUTBOX)[0][0]) for service in SERVICES}
        uploads = int(self._databases.ask("intake", _UPLOADS)[0][0])
        return Sample(second, {pool: int(n) for pool, n in _QUEUE.findall(said)}, uploads, outbox)
