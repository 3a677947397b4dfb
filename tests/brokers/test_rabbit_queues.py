"""Reading from RabbitMQ: what kombu leaves to its user, and what happens when the broker or the queue is not there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pika
import psutil
import pytest
from prometheus_client import REGISTRY

from services.contracts.topology import DELIVERY_LIMIT, topology
from services.kit.broker import rabbit_queues
from services.kit.broker.rabbit import PREFETCH, RabbitBroker
from services.kit.broker.rabbit_queues import ERRORS, QueueReader
from services.kit.outbox import Report
from tests.support.brokers import RabbitLab, envelope, receive, until
from tests.support.rabbitmq import Node
from tests.support.toys import package

pytestmark = pytest.mark.xdist_group("rabbitmq")


@pytest.fixture
def channel(node: Node) -> Iterator[Any]:
    """pika, for doing what the code under test would not."""
    with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
        yield connection.channel()


@pytest.fixture
def quick(node: Node) -> Iterator[RabbitLab]:
    """With a heartbeat of one second."""
    lab = RabbitLab(node, heartbeat=1)
    yield lab
    lab.close()


def connected() -> float:
    return REGISTRY.get_sample_value("tabian_broker_connected", {"role": "consumer"}) or 0


def send(lab: RabbitLab, count: int) -> set[str]:
    sent = [envelope(package(str(number))) for number in range(count)]
    assert len(lab.broker.publish(sent)) == count
    return {one.id for one in sent}


@pytest.mark.parametrize("compression", ["nonsense", "zlib", "application/x-gzip"])
def test_what_kombu_cannot_decode_becomes_a_dead_letter_and_not_nothing(
    rabbit: RabbitLab, compression: str
) -> None:
    rabbit.put("snapshot", {"compression": compression}, b"no such thing", "application/json")
    sent = send(rabbit, 1)
    (delivery,) = receive(rabbit.subscribe("snapshot"), 1)
    assert {delivery.headers["cloudEvents:id"]} == sent
    until(lambda: rabbit.dead("snapshot") == 1)


@pytest.mark.parametrize("encoding", ["utf-8", "zstd", "rot13", "undefined"])
def test_a_body_is_bytes_whatever_its_encoding_claims(rabbit: RabbitLab, channel: Any, encoding: str) -> None:
    properties = pika.BasicProperties(content_type="text/csv", content_encoding=encoding)
    channel.basic_publish("", "snapshot", "ก".encode(), properties)
    (delivery,) = receive(rabbit.subscribe("snapshot"), 1)
    assert delivery.body == "ก".encode()


def test_a_reader_holds_no_more_than_its_prefetch(rabbit: RabbitLab) -> None:
    send(rabbit, 4 * PREFETCH)
    slow, quick = rabbit.subscribe("snapshot"), rabbit.subscribe("snapshot")
    assert receive(slow, 1)
    assert len(receive(quick, PREFETCH)) == PREFETCH
    assert rabbit.waiting("snapshot") == 2 * PREFETCH


def test_a_queue_that_is_not_declared_is_waited_for(node: Node, channel: Any) -> None:
    reader = QueueReader(node.url, "later", 10, 10)
    try:
        assert reader.take(10, 1) == []
        channel.queue_declare("later", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", "later", b"x")
        (message,) = until(lambda: reader.take(10, 0.2))
        reader.settle(message, "ack")
        channel.queue_delete("later")
        assert reader.take(10, 0.5) == []
        channel.queue_declare("later", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", "later", b"y")
        (message,) = until(lambda: reader.take(10, 0.2))
        assert message.body == b"y"
    finally:
        reader.close()
        channel.queue_delete("later")


def test_a_silent_broker_is_noticed_also_while_a_handler_is_busy(quick: RabbitLab) -> None:
    send(quick, 2)
    subscription = quick.subscribe("snapshot")
    before = connected()
    held = receive(subscription, 2)
    assert connected() == before + 1
    quick.node.pause()
    try:
        until(lambda: connected() == before)  # nobody calls receive meanwhile
    finally:
        quick.node.resume()
    subscription.acknowledge(held[0])  # its connection is gone: nothing happens
    again = receive(subscription, 2)
    assert {d.headers["cloudEvents:id"] for d in again} == {d.headers["cloudEvents:id"] for d in held}
    assert {d.attempt for d in again} == {2}


def test_a_busy_handler_does_not_lose_its_connection(quick: RabbitLab) -> None:
    send(quick, 1)
    subscription = quick.subscribe("snapshot")
    (delivery,) = receive(subscription, 1)
    rival = quick.subscribe("snapshot")
    assert rival.receive(1, 5) == []  # five heartbeats long
    subscription.acknowledge(delivery)
    subscription.close()
    assert rival.receive(1, 0.3) == []


def test_a_broker_that_is_not_there_is_waited_for_without_a_word_to_the_caller() -> None:
    broker = RabbitBroker("amqp://guest:guest@127.0.0.1:1/%2F")
    subscription = broker.subscribe("snapshot")
    assert subscription.receive(10, 0.5) == []
    assert broker.reports("export") == []
    broker.report("export", Report("snapshot", (str(uuid.uuid4()),)))
    subscription.close()
    broker.close()


def test_reports_wait_for_a_broker_that_takes_nothing(rabbit: RabbitLab) -> None:
    broker, event_id = rabbit.broker, str(uuid.uuid4())
    subscription = rabbit.subscribe("snapshot")
    broker.report("export", Report("snapshot", (str(uuid.uuid4()),)))
    until(lambda: broker.reports("export"))
    rabbit.node.pause()
    try:
        broker.report("export", Report("snapshot", (event_id,)))
    finally:
        rabbit.node.resume()
    got: set[str] = set()

    def came() -> bool:
        subscription.receive(1, 0.1)
        got.update(one for report in broker.reports("export") for one in report.applied)
        return event_id in got

    until(came, seconds=30)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b'{"consumer": "snapshot", "applied": ["no id"], "parked": []}',
        b'{"consumer": 5, "applied": [], "parked": []}',
        b'{"consumer": "snapshot", "applied": [], "parked": [["a"]]}',
        b'{"consumer": "snapshot", "applied": 7, "parked": []}',
        b"[" * 100_000,
    ],
)
def test_a_report_that_cannot_be_read_is_refused_and_stops_nothing(rabbit: RabbitLab, body: bytes) -> None:
    rabbit.put("export.reports", {}, body, "application/json")
    good = Report("snapshot", (str(uuid.uuid4()),))
    rabbit.broker.report("export", good)
    assert until(lambda: rabbit.broker.reports("export")) == [good]
    assert rabbit.broker.reports("export") == []


def test_reports_in_hand_of_a_relay_that_dies_come_to_the_next(rabbit: RabbitLab) -> None:
    report = Report("snapshot", (str(uuid.uuid4()),))
    rabbit.broker.report("export", report)
    relay = RabbitBroker(rabbit.node.url)
    assert until(lambda: relay.reports("export")) == [report]
    relay.close()  # before it asked again
    assert until(lambda: rabbit.broker.reports("export")) == [report]


def test_a_message_that_kills_its_workers_ends_in_the_dead_letters(rabbit: RabbitLab) -> None:
    rabbit.put("snapshot", {}, b"killer", "application/json")
    for _ in range(DELIVERY_LIMIT + 1):
        subscription = rabbit.broker.subscribe("snapshot")
        assert receive(subscription, 1)
        subscription.close()
    until(lambda: rabbit.dead("snapshot") == 1)
    assert rabbit.waiting("snapshot") == 0


def test_looking_at_dead_letters_often_loses_none(rabbit: RabbitLab) -> None:
    rabbit.put("snapshot.dead", {}, b"x", "application/json")
    for _ in range(25):
        assert rabbit.dead("snapshot") == 1


def test_everything_declared_is_there_and_declaring_again_changes_nothing(node: Node) -> None:
    assert rabbit_queues.missing(node.url) == []
    rabbit_queues.declare(node.url)


def test_what_is_missing_is_named(node: Node, channel: Any) -> None:
    channel.queue_delete("export.reports")
    channel.exchange_delete("tabian.reports")
    assert rabbit_queues.missing(node.url) == ["tabian.reports", "export.reports"]
    rabbit_queues.declare(node.url)
    assert rabbit_queues.missing(node.url) == []


def test_a_queue_with_other_arguments_is_refused_and_left(node: Node, channel: Any) -> None:
    channel.queue_delete("export.reports")
    channel.queue_declare("export.reports", durable=True)
    with pytest.raises(ERRORS):
        rabbit_queues.declare(node.url)
    channel.queue_delete("export.reports")


@pytest.mark.parametrize("consumer", ["intake", "dedup", "snapshot", "buildings", "export"])
def test_dead_letters_leave_only_when_they_have_arrived(consumer: str) -> None:
    queue = next(q for q in topology().queues if q.name == consumer)
    assert queue.arguments["x-queue-type"] == "quorum"
    assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
    assert queue.arguments["x-overflow"] == "reject-publish", "else the strategy is silently at-most-once"
    assert queue.arguments["x-delivery-limit"] == DELIVERY_LIMIT
    assert any(b.exchange == "tabian.dead" and b.queue == f"{consumer}.dead" for b in topology().bindings)


@pytest.mark.parametrize(
    "url", ["amqp://guest:wrong@127.0.0.1:{port}/%2F", "amqp://guest:guest@127.0.0.1:{port}/none"]
)
def test_a_connection_that_is_refused_is_tried_again_and_leaves_nothing_open(node: Node, url: str) -> None:
    me = psutil.Process()
    reader = QueueReader(url.format(port=node.port), "snapshot", 10, 10)
    assert reader.take(1, 0.5) == []
    before = me.num_fds()
    assert reader.take(1, 2) == []
    assert me.num_fds() <= before
    reader.close()
