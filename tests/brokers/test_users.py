"""The definitions a node boots with: complete, and each user may do its own work and nothing beyond."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from deploy.rabbitmq.definitions import VIRTUAL_HOST, definitions
from services.contracts.topology import EVENTS, REPORTS
from services.kit.broker import rabbit_queues
from services.kit.broker.rabbit import RabbitBroker
from services.kit.dead_letters import DeadLetters
from services.kit.outbox import Report
from tests.support.brokers import envelope, receive, until
from tests.support.rabbitmq import Node
from tests.support.toys import package

pytestmark = pytest.mark.xdist_group("rabbitmq")
USERS = {name: f"password-of-{name}" for name in ("export", "snapshot", "dedup", "declare", "ops")}


@pytest.fixture(scope="module")
def defined(started: Node) -> Iterator[Node]:
    """The node with the definitions loaded, as a deployment's node at boot."""
    if not started.answers():
        started.start()
    file = started.folder / "definitions.json"
    file.write_text(json.dumps(definitions(USERS)))
    started.control("import_definitions", str(file))
    yield started
    started.control("delete_vhost", VIRTUAL_HOST)


def url(node: Node, user: str) -> str:
    return f"amqp://{user}:{USERS[user]}@127.0.0.1:{node.port}/{VIRTUAL_HOST}"


def refused(node: Node, user: str, act: Any) -> bool:
    """Whether the broker refuses (403) what `act` does on a confirming channel of that user."""
    with pika.BlockingConnection(pika.URLParameters(url(node, user))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            act(channel)
        except ChannelClosedByBroker as problem:
            return bool(problem.reply_code == 403)
    return False


def test_the_definitions_are_the_whole_topology(defined: Node) -> None:
    for user in ("declare", "snapshot"):
        assert rabbit_queues.missing(url(defined, user)) == []
    rabbit_queues.declare(url(defined, "declare"))


def test_services_work_with_what_they_may(defined: Node) -> None:
    export, snapshot = RabbitBroker(url(defined, "export")), RabbitBroker(url(defined, "snapshot"))
    subscription = snapshot.subscribe("snapshot")
    sent = envelope(package("a"))
    assert export.publish([sent]) == {sent.id}
    (delivery,) = receive(subscription, 1)
    subscription.acknowledge(delivery)
    report = Report("snapshot", (sent.id,))
    snapshot.report("export", report)
    assert until(lambda: export.reports("export")) == [report]
    subscription.close()
    export.close()
    snapshot.close()


def test_what_a_service_gives_up_dead_letters_and_operations_may_put_back(defined: Node) -> None:
    snapshot = RabbitBroker(url(defined, "snapshot"))
    export = RabbitBroker(url(defined, "export"))
    export.publish([envelope(package("a"))])
    subscription = snapshot.subscribe("snapshot")
    subscription.dead_letter(receive(subscription, 1)[0], "Refused")
    with DeadLetters(url(defined, "ops")) as letters:
        (letter,) = until(lambda: letters.letters("snapshot"))
        assert list(letters.replay("snapshot", {letter.key}, lambda _: None)) == [letter.key]
    assert len(receive(subscription, 1)) == 1
    for one in (subscription, snapshot, export):
        one.close()


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda c: c.queue_declare("mine"), id="declare a queue"),
        pytest.param(lambda c: c.queue_delete("snapshot"), id="delete its queue"),
        pytest.param(lambda c: c.exchange_declare("mine"), id="declare an exchange"),
        pytest.param(lambda c: c.queue_bind("snapshot", EVENTS, "#"), id="bind what it may not hear"),
        pytest.param(lambda c: c.queue_purge("dedup"), id="purge another's queue"),
        pytest.param(lambda c: c.basic_get("dedup"), id="read another's queue"),
        pytest.param(lambda c: c.basic_get("export.reports"), id="read another's reports"),
        pytest.param(lambda c: c.basic_get("snapshot.dead"), id="read dead letters"),
        pytest.param(lambda c: c.basic_publish("", "dedup", b"x"), id="write into another's queue"),
        pytest.param(lambda c: c.basic_publish("tabian.dead", "dedup", b"x"), id="write dead letters"),
        pytest.param(lambda c: c.basic_publish("tabian.unrouted", "", b"x"), id="write what nobody wanted"),
        pytest.param(
            lambda c: c.basic_publish(EVENTS, "intake.roster.accepted.v1", b"x"), id="forge an event"
        ),
        pytest.param(lambda c: c.basic_publish("amq.topic", "x", b"x"), id="write elsewhere"),
    ],
)
def test_a_service_is_refused_beyond_its_own(defined: Node, act: Any) -> None:
    assert refused(defined, "snapshot", act)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda c: c.basic_get("snapshot"), id="read a service's queue"),
        pytest.param(
            lambda c: c.basic_publish(EVENTS, "snapshot.round.sealed.v1", b"x"), id="forge an event"
        ),
        pytest.param(lambda c: c.basic_publish(REPORTS, "intake", b"x"), id="forge a report"),
        pytest.param(lambda c: c.queue_delete("snapshot"), id="delete a queue"),
    ],
)
def test_operations_may_look_and_put_back_and_no_more(defined: Node, act: Any) -> None:
    assert refused(defined, "ops", act)


def test_a_service_sees_no_other_virtual_host(defined: Node) -> None:
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
        pika.BlockingConnection(
            pika.URLParameters(f"amqp://snapshot:{USERS['snapshot']}@127.0.0.1:{defined.port}/%2F")
        )


def test_no_password_is_in_the_definitions_and_salts_differ() -> None:
    one, two = json.dumps(definitions(USERS)), json.dumps(definitions(USERS))
    assert not any(password in one for password in USERS.values())
    assert one != two


def test_a_user_nobody_knows_is_not_made() -> None:
    with pytest.raises(ValueError, match="guest"):
        definitions({"guest": str(uuid.uuid4())})


def test_a_message_that_may_not_be_sent_is_not_confirmed(defined: Node) -> None:
    broker = RabbitBroker(url(defined, "dedup"))
    forged = envelope(package("a"))
    assert broker.publisher.soon(5)
    messages = broker.publish([forged])
    assert messages == set()
    broker.close()
