"""Brokers under test: the one in this process, and RabbitMQ on a node of the tests' own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pika.exceptions import ConnectionClosedByBroker

from services.kit.broker import rabbit_queues
from tests.support.bench import Bench
from tests.support.brokers import Lab, LocalLab, RabbitLab
from tests.support.rabbitmq import Given, Node
from tests.support.relayed import Pair
from tests.support.toys import MAKER, TAKER

RABBIT = pytest.param("rabbitmq", marks=pytest.mark.xdist_group("rabbitmq"))


@pytest.fixture(scope="session")
def started() -> Iterator[Node]:
    """A node of the tests' own."""
    with tempfile.TemporaryDirectory(prefix="tabian-mq-", ignore_cleanup_errors=True) as folder:
        node = Node(Path(folder) / "node")
        try:
            node.start()
            rabbit_queues.declare(node.url)
            yield node
        finally:
            node.stop()


@pytest.fixture(scope="session")
def given(request: pytest.FixtureRequest) -> Given:
    """The broker that TABIAN_TEST_BROKER_URL names, else the tests' own. Only what every version promises is tried on
    it: pytest tests/brokers/test_conformance.py tests/brokers/test_relayed.py"""
    url = os.environ.get("TABIAN_TEST_BROKER_URL")
    if url:
        return Given(url)
    node: Node = request.getfixturevalue("started")
    return node


def emptied(given: Given) -> Given:
    """Everything declared, every queue empty. RabbitMQ 3.10 that was killed a moment after a queue was declared may come
    back with that queue unusable for good; it then starts from nothing."""
    rabbit_queues.declare(given.url)
    try:
        given.empty()
    except ConnectionClosedByBroker:
        given.wipe()
        rabbit_queues.declare(given.url)
    return given


@pytest.fixture
def node(started: Node) -> Node:
    """The tests' own node, which may be stopped and killed: everything declared, every queue empty."""
    emptied(started)
    return started


@pytest.fixture
def rabbit(node: Node) -> Iterator[RabbitLab]:
    lab = RabbitLab(node)
    yield lab
    lab.close()


@pytest.fixture(params=["local", RABBIT])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A broker behind the port, and what a test does to it behind its back."""
    if request.param == "rabbitmq":
        made: Lab = RabbitLab(emptied(request.getfixturevalue("given")))
    else:
        made = LocalLab()
    yield made
    made.close()


@pytest.fixture
def pair(bench: Callable[..., Bench], lab: Lab) -> Pair:
    """A producer with its relay and a consumer with its worker, on the broker."""
    return Pair(bench(MAKER), bench(TAKER), lab)
