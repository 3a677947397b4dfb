"""What publish() returns was confirmed, and each way in which a broker seems to take a message and does not is refused."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator

import pika
import pytest

from services.contracts.topology import EVENTS, UNROUTED_QUEUE
from services.kit.broker.publisher import WINDOW, Message, Publisher
from tests.support.brokers import until
from tests.support.rabbitmq import Node

pytestmark = pytest.mark.xdist_group("rabbitmq")


def message(key: str = "export.package.built.v1", exchange: str = EVENTS, size: int = 2) -> Message:
    return Message(str(uuid.uuid4()), exchange, key, {"a": "b"}, b"x" * size, "application/json", key)


@pytest.fixture
def publisher(node: Node) -> Iterator[Publisher]:
    made = Publisher(node.url, EVENTS, heartbeat=2, blocked_timeout=2)
    yield made
    made.close()


@pytest.fixture
def queue(node: Node) -> Iterator[Callable[..., str]]:
    """A queue of the test's own, bound to an exchange of its own that has no alternate; both go at the end."""
    with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
        channel = connection.channel()
        channel.exchange_declare("t", "direct")

        def make(**arguments: object) -> str:
            channel.queue_declare("t", durable=True, arguments={"x-queue-type": "quorum", **arguments})
            channel.queue_bind("t", "t", "t")
            return "t"

        yield make
        connection.process_data_events(0)
        channel.queue_delete("t")
        channel.exchange_delete("t")


def test_everything_is_confirmed_in_the_order_of_thousands(publisher: Publisher, node: Node) -> None:
    sent = [message() for _ in range(3000)]
    assert publisher.publish(sent, 30) == {m.id for m in sent}
    until(lambda: node.waiting("snapshot") == 3000)


def test_nothing_is_published_in_no_time(publisher: Publisher) -> None:
    assert publisher.publish([], 5) == set()


def test_an_unroutable_message_is_not_confirmed_and_its_neighbours_are(
    publisher: Publisher, queue: Callable[..., str]
) -> None:
    queue()
    good, lost = [message("t", "t") for _ in range(50)], [message("nobody", "t") for _ in range(50)]
    mixed = [m for two in zip(good, lost, strict=True) for m in two]
    assert publisher.publish(mixed, 10) == {m.id for m in good}


def test_a_message_nobody_consumes_is_kept_where_it_can_be_seen(publisher: Publisher, node: Node) -> None:
    stray = message("intake.nothing.happened.v1")
    assert publisher.publish([stray], 10) == {stray.id}
    until(lambda: node.waiting(UNROUTED_QUEUE) == 1)


def test_a_full_queue_refuses_and_what_is_confirmed_is_there(
    publisher: Publisher, node: Node, queue: Callable[..., str]
) -> None:
    queue(**{"x-max-length": 5, "x-overflow": "reject-publish"})
    confirmed: set[str] = set()
    for _ in range(10):
        confirmed |= publisher.publish([message("t", "t") for _ in range(10)], 10)
    assert 5 <= len(confirmed) < 100
    until(lambda: node.waiting("t") == len(confirmed))


def test_a_late_confirm_counts_for_no_other_message(
    publisher: Publisher, node: Node, queue: Callable[..., str]
) -> None:
    queue()
    publisher.publish([message("t", "t")], 10)
    node.pause()
    late, lost = message("t", "t"), message("nobody", "t")
    try:
        assert publisher.publish([late], 0.5) == set()
    finally:
        node.resume()
    assert publisher.publish([lost], 10) == set(), "the late confirm of the first is not the second's"
    again = message("t", "t")
    assert publisher.publish([again], 10) == {again.id}


def test_no_more_than_the_window_is_ever_unconfirmed(publisher: Publisher, node: Node) -> None:
    publisher.publish([message()], 10)
    node.pause()
    try:
        thread = threading.Thread(target=publisher.publish, args=([message() for _ in range(2000)], 1.5))
        thread.start()
        until(lambda: publisher.unconfirmed == WINDOW)
        thread.join()
        assert publisher.unconfirmed <= WINDOW
    finally:
        node.resume()


def test_large_messages_fill_the_window_by_their_bytes(publisher: Publisher, node: Node) -> None:
    publisher.publish([message()], 10)
    node.pause()
    try:
        large = [message(size=1_000_000) for _ in range(100)]
        assert publisher.publish(large, 1) == set()
        assert 1 <= publisher.unconfirmed <= 20
    finally:
        node.resume()
    assert publisher.publish(large[:20], 30) == {m.id for m in large[:20]}


def test_a_broker_that_answers_nothing_is_given_up_and_found_again(publisher: Publisher, node: Node) -> None:
    publisher.publish([message()], 10)
    node.pause()
    try:
        assert publisher.publish([message()], 0.5) == set()
        until(lambda: not publisher.ready, seconds=20)
        assert publisher.unconfirmed == 0
    finally:
        node.resume()
    sent = message()
    assert publisher.publish([sent], 20) == {sent.id}


def test_a_blocked_broker_confirms_nothing_and_is_waited_for(publisher: Publisher, node: Node) -> None:
    publisher.publish([message()], 10)
    node.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        until(lambda: publisher.publish([message()], 0.5) == set())
        until(lambda: not publisher.ready)
        assert not publisher.soon(0.1), "a report would not wait for it either"
    finally:
        node.control("set_vm_memory_high_watermark", "0.6")
    sent = message()
    until(lambda: publisher.publish([sent], 2) == {sent.id})


def test_what_cannot_be_written_as_amqp_fails_alone(publisher: Publisher) -> None:
    good, bad = message(), message("k" * 300)
    assert publisher.publish([bad, good, bad], 10) == {good.id}


def test_an_exchange_that_is_not_declared_is_waited_for(node: Node) -> None:
    publisher = Publisher(node.url, "later", heartbeat=2)
    with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
        channel = connection.channel()
        try:
            assert publisher.publish([message("t", "later")], 1) == set()
            channel.exchange_declare("later", "fanout")
            channel.queue_bind("unrouted", "later")
            sent = message("t", "later")
            assert publisher.publish([sent], 20) == {sent.id}
        finally:
            publisher.close()
            channel.exchange_delete("later")


def test_a_broker_that_is_not_there_confirms_nothing_and_closing_is_quick() -> None:
    publisher = Publisher("amqp://guest:guest@127.0.0.1:1/%2F", EVENTS)
    assert publisher.publish([message()], 0.5) == set()
    assert not publisher.soon(0.1)
    publisher.close()
    assert publisher.publish([message()], 5) == set()


def test_what_was_confirmed_survives_a_killed_broker(publisher: Publisher, node: Node) -> None:
    confirmed: set[str] = set()
    stop = threading.Event()

    def keep_sending() -> None:
        while not stop.is_set():
            confirmed.update(publisher.publish([message() for _ in range(50)], 2))

    thread = threading.Thread(target=keep_sending)
    thread.start()
    try:
        until(lambda: len(confirmed) > 500)
        node.kill()
        node.start()
        before = len(confirmed)
        until(lambda: len(confirmed) > before)
    finally:
        stop.set()
        thread.join()
    assert node.waiting("snapshot") >= len(confirmed)
