"""The users of a deployment's broker may do what their service does and no more (deploy/rabbitmq/definitions.py)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker, ProbableAccessDeniedError, ProbableAuthenticationError

from deploy.rabbitmq.definitions import VIRTUAL_HOST, definitions
from tests.support.rabbitmq import Node

pytestmark = pytest.mark.xdist_group("rabbitmq")
USERS = {name: f"word-of-{name}" for name in ("intake", "dedup", "snapshot", "export", "buildings", "ops")}
Act = Callable[[Any], object]


def _publish(exchange: str, key: str) -> Act:
    return lambda channel: channel.basic_publish(exchange, key, b"{}")


def _read(queue: str) -> Act:
    return lambda channel: channel.basic_get(queue)


MAY: dict[str, tuple[str, Act]] = {
    "send its own event": ("intake", _publish("tabian", "intake.submission.changed.v2")),
    "send a report": ("dedup", _publish("tabian.reports", "intake")),
    "read its queue": ("dedup", _read("dedup")),
    "read its reports": ("intake", _read("intake.reports")),
    "ask how long its queue is, as KEDA does in its name": (
        "dedup",
        lambda c: c.queue_declare("dedup", passive=True),
    ),
    "look at dead letters": ("ops", _read("dedup.dead")),
}
MAY_NOT: dict[str, tuple[str, Act]] = {
    "send another's event": ("dedup", _publish("tabian", "intake.submission.changed.v2")),
    "put something into a queue past the exchanges": ("dedup", _publish("", "intake")),
    "put something into the dead letters": ("dedup", _publish("tabian.dead", "intake")),
    "read another's queue": ("export", _read("dedup")),
    "read another's reports": ("dedup", _read("intake.reports")),
    "read dead letters": ("dedup", _read("dedup.dead")),
    "empty its own queue of dead letters": ("dedup", lambda c: c.queue_purge("dedup.dead")),
    "declare a queue": ("intake", lambda c: c.queue_declare("intake.more", durable=True)),
    "delete a queue": ("intake", lambda c: c.queue_delete("intake")),
    "declare an exchange": ("intake", lambda c: c.exchange_declare("more")),
    "listen in on all events": ("export", lambda c: c.queue_bind("export", "tabian", "#")),
    "read a service's queue as operations": ("ops", _read("intake")),
}


@pytest.fixture(scope="module")
def deployed(started: Node, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The node with a deployment's definitions loaded."""
    file: Path = tmp_path_factory.mktemp("definitions") / "definitions.json"
    file.write_text(json.dumps(definitions(USERS)))
    started.control("import_definitions", str(file))
    return started


@contextmanager
def _as(node: Node, user: str, host: str = VIRTUAL_HOST, word: str = "") -> Iterator[Any]:
    who = pika.PlainCredentials(user, word or USERS[user])
    place = pika.ConnectionParameters("127.0.0.1", node.port, host, who)
    with pika.BlockingConnection(place) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel


@pytest.mark.parametrize("what", list(MAY))
def test_a_user_may(deployed: Node, what: str) -> None:
    user, act = MAY[what]
    with _as(deployed, user) as channel:
        act(channel)


@pytest.mark.parametrize("what", list(MAY_NOT))
def test_a_user_may_not(deployed: Node, what: str) -> None:
    user, act = MAY_NOT[what]
    with _as(deployed, user) as channel:
        with pytest.raises(ChannelClosedByBroker) as caught:
            act(channel)
        assert caught.value.reply_code == 403


def test_another_virtual_host_is_closed_and_a_wrong_password_is_refused(deployed: Node) -> None:
    with pytest.raises(ProbableAccessDeniedError), _as(deployed, "intake", "/"):
        pass
    with pytest.raises(ProbableAuthenticationError), _as(deployed, "intake", word="word-of-dedup"):
        pass
