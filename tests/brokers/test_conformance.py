"""Every broker behind the port keeps the same promises: the one in this process and RabbitMQ."""

from __future__ import annotations

import uuid

import pytest

from services.contracts.envelope import Envelope
from services.contracts.intake import AreaRegistered, RosterAccepted
from services.kit.outbox import Report
from tests.support.brokers import Lab, envelope, receive, sample, until
from tests.support.toys import package

ZSTD = b"\x28\xb5\x2f\xfd\x00\xff\xfe" + bytes(range(256))


def test_a_message_arrives_as_it_was_sent(lab: Lab) -> None:
    sent = envelope(package("หนึ่ง"))
    assert lab.broker.publish([sent]) == {sent.id}
    (delivery,) = receive(lab.subscribe("snapshot"), 1)
    assert Envelope.parse(delivery.headers, delivery.body, delivery.content_type) == sent
    assert delivery.attempt == 1


def test_a_document_arrives_byte_by_byte(lab: Lab) -> None:
    sent = envelope(sample(RosterAccepted), document=ZSTD * 3000)
    lab.broker.publish([sent])
    (delivery,) = receive(lab.subscribe("snapshot"), 1)
    assert Envelope.parse(delivery.headers, delivery.body, delivery.content_type) == sent
    assert delivery.content_type == "text/csv"


def test_every_declared_consumer_gets_its_own(lab: Lab) -> None:
    sent = envelope(sample(AreaRegistered))
    lab.broker.publish([sent])
    for consumer in ("dedup", "snapshot", "buildings", "export"):
        (delivery,) = receive(lab.subscribe(consumer), 1)
        assert delivery.headers["cloudEvents:id"] == sent.id
    assert lab.subscribe("intake").receive(10, 0.2) == []


def test_no_more_is_received_than_was_asked_for(lab: Lab) -> None:
    lab.broker.publish([envelope(package(str(number))) for number in range(5)])
    subscription = lab.subscribe("snapshot")
    assert len(subscription.receive(3, 5)) <= 3
    assert subscription.receive(0, 0) == []


def test_nothing_to_receive_is_nothing(lab: Lab) -> None:
    assert lab.subscribe("snapshot").receive(10, 0.3) == []


def test_what_was_acknowledged_is_gone(lab: Lab) -> None:
    lab.broker.publish([envelope(package("a"))])
    subscription = lab.subscribe("snapshot")
    (delivery,) = receive(subscription, 1)
    subscription.acknowledge(delivery)
    subscription.close()
    assert lab.subscribe("snapshot").receive(10, 0.3) == []
    assert lab.dead("snapshot") == 0


def test_what_is_retried_comes_again_and_is_counted(lab: Lab) -> None:
    lab.broker.publish([envelope(package("a"))])
    subscription = lab.subscribe("snapshot")
    attempts = []
    for _ in range(4):
        (delivery,) = receive(subscription, 1)
        attempts.append(delivery.attempt)
        subscription.retry(delivery)
    assert attempts == [1, 2, 3, 4]


def test_what_is_given_up_is_a_dead_letter_and_the_next_one_comes(lab: Lab) -> None:
    lab.broker.publish([envelope(package("bad")), envelope(package("good"))])
    subscription = lab.subscribe("snapshot")
    for delivery in receive(subscription, 2):
        if b"bad" in delivery.body:
            subscription.dead_letter(delivery, "Refused")
        else:
            subscription.acknowledge(delivery)
    until(lambda: lab.dead("snapshot") == 1)
    assert subscription.receive(10, 0.3) == []
    assert lab.dead("dedup") == 0


def test_what_a_closed_subscription_held_goes_to_the_next(lab: Lab) -> None:
    lab.broker.publish([envelope(package("a")), envelope(package("b"))])
    subscription = lab.subscribe("snapshot")
    first = receive(subscription, 2)
    subscription.acknowledge(first[0])
    subscription.close()
    (again,) = receive(lab.subscribe("snapshot"), 1)
    assert again.headers["cloudEvents:id"] == first[1].headers["cloudEvents:id"]
    assert again.attempt == 2


def test_two_subscriptions_share_the_work(lab: Lab) -> None:
    one, two = lab.subscribe("snapshot"), lab.subscribe("snapshot")
    for subscription in (one, two):
        assert subscription.receive(1, 0.2) == []
    sent = [envelope(package(str(number))) for number in range(40)]
    lab.broker.publish(sent)
    got: list[str] = []
    while len(got) < len(sent):
        for subscription in (one, two):
            for delivery in subscription.receive(5, 0.1):
                got.append(delivery.headers["cloudEvents:id"])
                subscription.acknowledge(delivery)
    assert sorted(got) == sorted(envelope.id for envelope in sent)


@pytest.mark.parametrize(
    ("headers", "body", "content_type"),
    [
        ({}, b"", ""),
        ({"cloudEvents:id": 5, "x": None, "deep": {"a": [1, True]}}, b"\x00\xff", "application/octet-stream"),
        ({"cloudEvents:type": "ก" * 300}, b"{" * 200_000, "application/json"),
    ],
)
def test_a_strange_message_is_handed_over_as_it_is(
    lab: Lab, headers: dict[str, object], body: bytes, content_type: str
) -> None:
    lab.put("snapshot", headers, body, content_type)
    subscription = lab.subscribe("snapshot")
    (delivery,) = receive(subscription, 1)
    assert (delivery.body, delivery.content_type, delivery.attempt) == (body, content_type, 1)
    assert {name: delivery.headers[name] for name in headers} == headers
    subscription.dead_letter(delivery, "strange")
    until(lambda: lab.dead("snapshot") == 1)


def test_reports_come_to_their_producer_once(lab: Lab) -> None:
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    reports = [Report("snapshot", (one,)), Report("dedup", parked=((two, "Refused"),))]
    for report in reports:
        lab.broker.report("intake", report)
    lab.broker.report("export", Report("snapshot", (two,)))
    got: list[Report] = []

    def all_came() -> bool:
        got.extend(lab.broker.reports("intake"))
        return len(got) == 2

    until(all_came)
    assert sorted(got, key=str) == sorted(reports, key=str)
    assert lab.broker.reports("intake") == []
    assert lab.broker.reports("dedup") == []
