"""The relay: takes due outbox rows, sends them, marks what the broker confirmed, and takes over the reports.

Several may run; a row is leased to one at a time. A crash between sending and marking means sending again, which
every consumer's inbox absorbs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from services.contracts.envelope import Envelope
from services.contracts.event import declaration_of
from services.kit import inbox, outbox, tracing
from services.kit.crash import crash_point
from services.kit.metrics import EVENTS_PUBLISHED
from services.kit.outbox import Report
from services.kit.pace import Pace

if TYPE_CHECKING:
    from services.kit.service import Runtime

log = logging.getLogger(__name__)
BATCH = 256
IDLE_SECONDS = 0.2
TIDY_SECONDS = 600


class Relay:
    """One service's relay."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.name = runtime.service.name
        self._next_tidy = time.monotonic() + TIDY_SECONDS
        self._reports: list[Report] = []

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. A database or broker that is away is waited for."""
        fresh = True
        pace = Pace()
        while not stop.is_set():
            seen = self.runtime.database.wakeup.count
            pace.begin()
            try:
                if fresh:
                    self.begin()
                    fresh = False
                taken = self.step()
                if not taken:
                    self._tidy()
            except (sa.exc.OperationalError, sa.exc.InterfaceError, OSError) as problem:
                log.warning("relay waits", extra={"service": self.name, "error": type(problem).__name__})
                stop.wait(1)
                continue
            if not taken:
                self.runtime.database.wakeup.wait(seen, IDLE_SECONDS)
            elif taken < BATCH:
                pace.rest(stop)

    def begin(self) -> None:
        """What a relay finds when it starts: a broker that may hold nothing, and consumers declared since."""
        with self.runtime.database.transaction() as tx:
            if not self.runtime.port().survives_restart:
                outbox.make_due(tx.connection)
            for cls in self.runtime.service.publishes:
                outbox.adopt(tx.connection, declaration_of(cls).type)

    def step(self) -> int:
        """One round of reports and one batch; returns how many there were, of the one or the other."""
        self._reports += self.runtime.port().reports(self.name)  # kept here until they are recorded
        with self.runtime.database.transaction() as tx:
            for report in self._reports:
                outbox.record(tx.connection, report)
            rows = outbox.claim(tx.connection, BATCH)
        reports, self._reports = self._reports, []
        if rows:
            self._send(rows)
        return max(len(rows), len(reports))

    def _tidy(self) -> None:
        """Once in a while, when idle: forget what every consumer applied long ago, and what no broker sends again."""
        if time.monotonic() < self._next_tidy:
            return
        self._next_tidy = time.monotonic() + TIDY_SECONDS
        with self.runtime.database.transaction() as tx:
            outbox.purge(tx.connection)
            inbox.purge(tx.connection)

    def _send(self, rows: list[sa.Row[Any]]) -> None:
        with self.runtime.database.transaction() as tx:
            bodies = self._documents(tx.connection, rows)
            envelopes = [self._envelope(row, bodies) for row in rows]
        crash_point("relay-before-publish")
        confirmed = self._publish(envelopes)
        crash_point("relay-before-mark")
        with self.runtime.database.transaction() as tx:
            outbox.mark_published(tx.connection, sorted(confirmed))
            outbox.release(tx.connection, [row.id for row in rows if row.id not in confirmed])
        crash_point("relay-after-mark")
        for row in rows:
            if row.id in confirmed:
                EVENTS_PUBLISHED.labels(self.name, row.type).inc()

    def _publish(self, envelopes: Sequence[Envelope]) -> set[str]:
        """The ids the broker confirmed. Each message goes on in the trace of what its event tells of."""
        with tracing.messages(self.name, "send", envelopes) as sent:
            confirmed = self.runtime.port().publish([envelope for envelope, _ in sent])
            for envelope, span in sent:
                if envelope.id not in confirmed:
                    span.fail("unconfirmed")
        return confirmed

    def _documents(
        self, connection: sa.Connection, rows: Sequence[sa.Row[Any]]
    ) -> dict[tuple[str, str], bytes]:
        """(event type, sha256) → the body of each row that has a document; a look-up for each type."""
        named: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            if row.document:
                named[row.type].add(row.document)
        return {
            (event_type, sha256): body
            for event_type, wanted in named.items()
            for sha256, body in self.runtime.service.reader(event_type)(connection, sorted(wanted)).items()
        }

    def _envelope(self, row: sa.Row[Any], bodies: Mapping[tuple[str, str], bytes]) -> Envelope:
        return Envelope(
            id=row.id,
            type=row.type,
            source=f"/tabian/{self.name}",
            time=row.time,
            subject=row.subject,
            about=row.about,
            correlationid=row.correlation,
            causationid=row.causation,
            traceparent=row.traceparent,
            document=bodies[row.type, row.document] if row.document else None,
        )
