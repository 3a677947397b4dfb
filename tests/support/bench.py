"""One service on a test bench: real PostgreSQL, migrated, with a LocalBroker and a clock the test sets.

`deliver` hands a message to the service's worker, `queue` leaves it to be taken with others; `step` runs relay, worker and jobs until nothing moves.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from services.contracts.envelope import Envelope, describe
from services.contracts.event import declaration_of
from services.kit.broker.local import LocalBroker
from services.kit.clock import set_clock
from services.kit.http import build_app
from services.kit.messaging import outbox
from services.kit.relay import Relay
from services.kit.runtime import build_runtime
from services.kit.service import Service
from services.kit.settings import Settings
from services.kit.worker import Worker


class Bench:
    """A service under test. `client` is its HTTP API; `keys` signs tokens for it."""

    def __init__(
        self, service: Service, url: str, keys: Path, folder: Path, *, parts: Mapping[str, Any] | None = None
    ) -> None:
        self.broker = LocalBroker()
        self.clock_file = folder / "clock.json"
        settings = Settings(database_url=url, keys=keys, clock_file=self.clock_file, data=folder / "data")
        self.runtime = build_runtime(service, settings, broker=self.broker, parts=parts)
        self.keys = self.runtime.keys
        self.database = self.runtime.database
        self.app = build_app(self.runtime)
        self.client: FlaskClient = self.app.test_client()
        self._worker, self._relay = Worker(self.runtime), Relay(self.runtime)
        self._stop = threading.Event()

    def set_time(self, text: str) -> None:
        """Stop the round clock at an ISO time, Asia/Bangkok."""
        set_clock(self.clock_file, datetime.fromisoformat(text), rate=0)

    def deliver(self, event: object, *, document: bytes | None = None, event_id: str = "") -> str:
        """Hand an event to the service's worker as the broker would; returns its id."""
        sent = self.queue(event, document=document, event_id=event_id)
        self.work()
        return sent

    def queue(
        self, event: object, *, document: bytes | None = None, event_id: str = "", correlation: str = ""
    ) -> str:
        """Put an event into the service's queue, where the worker finds it later; returns its id."""
        event_type, about = describe(event)
        envelope = Envelope(
            id=event_id or str(uuid.uuid4()),
            type=event_type,
            source="/test",
            time=datetime.now(UTC),
            subject="test",
            about=about,
            correlationid=correlation,
            document=document,
        )
        self.broker.publish([envelope])
        return envelope.id

    def work(self) -> int:
        """Let the worker take what is queued for this service; returns how many deliveries."""
        subscription = self.broker.subscribe(self.runtime.service.name)
        done = 0
        while taken := self._worker.step(subscription, self._stop, timeout=0):
            done += taken
        return done

    def jobs(self) -> None:
        """Run every background job until none finds work."""
        while any([job.run(self.runtime) for job in self.runtime.service.jobs]):
            pass

    def relay(self) -> None:
        while self._relay.step():
            pass

    def published(self, cls: type[Any]) -> list[dict[str, Any]]:
        """The fields of every event of that class in the outbox, in order."""
        wanted = outbox.c.type == declaration_of(cls).type
        with self.database.transaction() as tx:
            return list(
                tx.execute(sa.select(outbox.c.about).where(wanted).order_by(outbox.c.position)).scalars()
            )

    def close(self) -> None:
        self.database.close()
