"""Telling in gauges what lies in tables and elsewhere: a thread that takes readings, each every so many seconds.

It runs in a service's relay, and in the portal's web processes, which have none. A reading looks and writes nothing. One that
takes long is taken more seldom, so that however much there is to count, counting takes at most a fiftieth of the time.
Not here: what is read (`figures`, `conservation`, and a module `readings` in a service).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from prometheus_client import Gauge

from services.kit.logs import stack_of
from services.kit.metrics import MEASURED_TIMESTAMP, MEASURING_SECONDS
from services.kit.service import Reading, Runtime, Sample

log = logging.getLogger(__name__)
SHARE = 50
"""A reading rests so many times as long as it took."""
AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, OSError)
"""What a reading raises that cannot have what it wants to look at just now."""


class Measuring:
    """The readings of one process."""

    def __init__(self, runtime: Runtime, readings: Sequence[Reading]) -> None:
        self._runtime = runtime
        self._shown: dict[str, dict[Gauge, set[tuple[str, ...]]]] = {}
        self._due = {reading: 0.0 for reading in readings}

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            for reading, due in self._due.items():
                if due <= time.monotonic() and not stop.is_set():
                    self._due[reading] = time.monotonic() + self.take(reading)
            stop.wait(max(0.1, min(self._due.values(), default=60.0) - time.monotonic()))

    def take(self, reading: Reading) -> float:
        """Take one reading, and show it; returns the seconds until it is due again. One that fails leaves what it showed
        before, and when that was."""
        service, began = self._runtime.service.name, time.monotonic()
        about = {"service": service, "reading": reading.name}
        try:
            samples = list(reading.read(self._runtime))
        except AWAY as problem:
            log.warning("reading waits", extra={**about, "error": type(problem).__name__})
            return reading.every
        except Exception as problem:
            log.error(
                "reading failed",
                extra={**about, "error": type(problem).__name__, "stack": stack_of(problem)},
            )
            return reading.every
        took = time.monotonic() - began
        self._show(reading.name, samples)
        MEASURED_TIMESTAMP.labels(service, reading.name).set_to_current_time()
        MEASURING_SECONDS.labels(service, reading.name).set(took)
        return max(reading.every, SHARE * took)

    def _show(self, name: str, samples: Iterable[Sample]) -> None:
        """What was shown before and is not any more goes; nothing is away in between."""
        now: dict[Gauge, set[tuple[str, ...]]] = {}
        for family, labels, value in samples:
            (family.labels(*labels) if labels else family).set(value)
            now.setdefault(family, set()).add(labels)
        for family, before in self._shown.get(name, {}).items():
            for gone in before - now.get(family, set()):
                if gone:
                    family.remove(*gone)
        self._shown[name] = now
