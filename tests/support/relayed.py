"""A producer and a consumer with a broker between them, moved step by step by the test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from services.kit import figures
from services.kit.messaging import outbox as rows
from services.kit.relay import Relay
from services.kit.worker import Worker
from tests.support.bench import Bench
from tests.support.brokers import Lab, until
from tests.support.toys import package, seen


class Pair:
    """`maker` (export) publishes packages, `taker` (snapshot) notes each it sees."""

    def __init__(self, maker: Bench, taker: Bench, lab: Lab) -> None:
        self.maker, self.taker, self.lab = maker, taker, lab
        for bench in (maker, taker):
            object.__setattr__(bench.runtime, "broker", lab.broker)
        self.relay, self.worker = Relay(maker.runtime), Worker(taker.runtime)
        self.subscription = lab.subscribe("snapshot")
        self._stop = threading.Event()

    def publish(self, *names: str) -> None:
        with self.maker.database.transaction() as tx:
            for name in names:
                tx.publish(package(name), subject=name)

    def send(self) -> None:
        """The relay, until nothing is due."""
        while self.relay.step():
            pass

    def run(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        """Relay and worker by turns, until the condition holds."""

        def turn() -> Any:
            self.relay.step()
            self.worker.step(self.subscription, self._stop, timeout=0.05)
            self.relay.step()
            return condition()

        until(turn, seconds)

    def make_due(self) -> None:
        """As if the time to send again had come."""
        with self.maker.database.transaction() as tx:
            overdue = sa.func.clock_timestamp()
            tx.execute(sa.update(rows).where(rows.c.next_send_at.is_not(None)).values(next_send_at=overdue))

    def effects(self) -> list[str]:
        with self.taker.database.transaction() as tx:
            return sorted(tx.execute(sa.select(seen.c.package)).scalars())

    def rows(self) -> list[Any]:
        with self.maker.database.transaction() as tx:
            return list(tx.execute(sa.select(rows).order_by(rows.c.position)))

    def waiting(self) -> int:
        """Outbox rows that a consumer has yet to report."""
        with self.maker.database.transaction() as tx:
            return figures.depth(tx.connection).waiting
