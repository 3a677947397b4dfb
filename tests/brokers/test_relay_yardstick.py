"""The relay and the one it is held against send the same messages: every row of the outbox, to every consumer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pika
import psycopg
import pytest

from deploy.rehearsal.bench.confirming import await_arrival
from gateway.cli.bench.relay_yard import relayed
from services.contracts.envelope import Envelope
from services.contracts.event import REGISTRY
from services.contracts.roster import canonical
from services.intake.app import SERVICE
from services.kit.postgres import EmbeddedPostgres
from tests.support.bench import Bench
from tests.support.intake_desk import IntakeDesk
from tests.support.rabbitmq import Node
from tests.support.rosters import csv_file, roll

pytestmark = pytest.mark.xdist_group("rabbitmq")


def arrived(node: Node, queue: str) -> list[Envelope]:
    """What lies in a consumer's queue, taken out."""
    found = []
    with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
        channel = connection.channel()
        while True:
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return found
            found.append(Envelope.parse(properties.headers, body, properties.content_type))


def outbox(url: str) -> dict[str, str]:
    """id → type of every row."""
    with psycopg.connect(url) as connection:
        rows: list[tuple[Any, ...]] = connection.execute("SELECT id::text, type FROM outbox").fetchall()
        return dict(rows)


def test_every_message_arrives_whoever_sends_it(
    bench: Callable[..., Bench], node: Node, postgres: EmbeddedPostgres, keys: Path
) -> None:
    intake = bench(SERVICE)
    desk = IntakeDesk(intake)
    for first in (1, 10, 20):
        desk.upload(csv_file(roll(first, 3)))
    url = intake.runtime.settings.database_url.replace("+psycopg", "")
    server = postgres.url("postgres", "postgres").replace("+psycopg", "")
    rows = outbox(url)

    figures = relayed(server, url, node.url, keys, most=1000)

    assert figures.events == len(rows)
    assert min(figures.relay_per_s, figures.confirm_each_per_s) > 0
    for queue in sorted({name for event_type in rows.values() for name in REGISTRY[event_type].consumers}):
        envelopes = arrived(node, queue)
        wanted = [row for row, event_type in rows.items() if queue in REGISTRY[event_type].consumers]
        assert sorted(envelope.id for envelope in envelopes) == sorted(wanted)
        for envelope in envelopes:
            event = envelope.event()
            if envelope.type == "intake.roster.accepted.v1":
                assert canonical.digest(canonical.unpack(envelope.document or b"")) == event.sha256


def test_a_message_that_does_not_arrive_is_said(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.rehearsal.bench.confirming.ARRIVE_SECONDS", 0.2)
    with pytest.raises(RuntimeError, match="arrived"):
        await_arrival(node.url, {"snapshot": 1})
