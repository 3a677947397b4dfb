"""The broker port. Relays publish and take reports; workers receive, and settle each delivery exactly once.

No ordering is promised. A delivery that was not settled when its subscription closes, or its process dies,
comes again with `attempt` one higher. The broker may lose everything: the outbox sends again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.contracts.envelope import Envelope
from services.kit.outbox import Report


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as received. `attempt` is 1 the first time; `token` is the broker's own."""

    headers: dict[str, Any]
    body: bytes = field(repr=False)
    content_type: str
    attempt: int
    token: Any = field(repr=False, compare=False, default=None)


class Subscription(Protocol):
    """One consumer's hold on its queue; used by one thread."""

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Up to `limit` deliveries; waits up to `timeout` seconds for the first."""

    def acknowledge(self, delivery: Delivery) -> None:
        """Done: the broker forgets it."""

    def retry(self, delivery: Delivery) -> None:
        """Back to the queue, counted as a failed attempt."""

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Give it up: it moves to the consumer's dead letters."""

    def close(self) -> None:
        """Unsettled deliveries go back to the queue."""


class Broker(Protocol):
    """What carries events between services."""

    survives_restart: bool

    def publish(self, envelopes: Sequence[Envelope]) -> set[str]:
        """Send to every declared consumer; returns the ids the broker is answerable for. May block some seconds."""

    def subscribe(self, consumer: str) -> Subscription: ...

    def report(self, producer: str, report: Report) -> None:
        """Tell a producer's relay what was done. Best effort: a lost report means the event is sent again."""

    def reports(self, producer: str) -> list[Report]:
        """The reports for this producer that came since the last call."""
