"""Putting a Runtime together, and running a service's background threads: relay, worker and jobs."""

from __future__ import annotations

import threading
from typing import Any

from services.kit.broker import Broker
from services.kit.clock import Clock
from services.kit.database import Database
from services.kit.doorbell import listen
from services.kit.figures import disks, readings
from services.kit.keys import Keys
from services.kit.measuring import Measuring
from services.kit.relay import Relay
from services.kit.service import Runtime, Service
from services.kit.settings import Settings
from services.kit.worker import Worker, run_job


def build_runtime(
    service: Service,
    settings: Settings,
    *,
    broker: Broker | None = None,
    parts: dict[str, Any] | None = None,
    pool_size: int | None = None,
) -> Runtime:
    """`parts`: what only this service needs (an HTTP client, say); `pool_size`: default is settings.threads."""
    clock = Clock(settings.clock_file)
    return Runtime(
        service=service,
        settings=settings,
        database=Database(settings.database_url, service, clock, pool_size=pool_size or settings.threads),
        clock=clock,
        keys=Keys(settings.keys),
        broker=broker,
        parts={} if parts is None else parts,
    )


BACKGROUND_CONNECTIONS = 3
"""What relay, worker and measuring hold at a time; each job holds one more."""


class Background:
    """The threads of one service beside its web application; all stop together. A process may run only some of them; one
    that is not alone listens for the others' bell."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        relay: bool = True,
        worker: bool = True,
        measuring: bool = True,
        alone: bool = True,
    ) -> None:
        self._stop = threading.Event()
        service = runtime.service
        targets: dict[str, tuple[Any, ...]] = {}
        if relay:
            targets["relay"] = (Relay(runtime).run, self._stop)
        if measured := (*(readings(runtime) if measuring else ()), *disks(runtime)):
            targets["measuring"] = (Measuring(runtime, measured).run, self._stop)
        if worker:
            targets["worker"] = (Worker(runtime).run, self._stop)
            targets |= {job.name: (run_job, runtime, job, self._stop) for job in service.jobs}
        if not alone:
            targets["bell"] = (listen, runtime.database.engine, runtime.database.wakeup.notify, self._stop)
        self._threads = [
            threading.Thread(target=target, args=args, name=f"{service.name}-{name}", daemon=True)
            for name, (target, *args) in targets.items()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def ended(self) -> list[str]:
        """The threads that are not running. A process that misses one of its threads looks well and does nothing."""
        return [thread.name for thread in self._threads if not thread.is_alive()]

    def stop(self) -> None:
        """Finish what is in hand; returns when every thread ended (at most 10 s each)."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)
