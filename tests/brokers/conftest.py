"""Brokers under test: the one in this process, and RabbitMQ on a node of the tests' own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.kit.broker import rabbit_queues
from tests.support.bench import Bench
from tests.support.brokers import Lab, LocalLab, RabbitLab
from tests.support.rabbitmq import Node
from tests.support.relayed import Pair
from tests.support.toys import MAKER, TAKER

RABBIT = pytest.param("rabbitmq", marks=pytest.mark.xdist_group("rabbitmq"))


@pytest.fixture(scope="session")
def started() -> Iterator[Node]:
    with tempfile.TemporaryDirectory(prefix="tabian-mq-", ignore_cleanup_errors=True) as folder:
        node = Node(Path(folder) / "node")
        try:
            node.start()
            rabbit_queues.declare(node.url)
            yield node
        finally:
            node.stop()


@pytest.fixture
def node(started: Node) -> Node:
    """The running node: everything declared, every queue empty."""
    rabbit_queues.declare(started.url)
    started.empty()
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
        made: Lab = RabbitLab(request.getfixturevalue("node"))
    else:
        made = LocalLab()
    yield made
    made.close()


@pytest.fixture
def pair(bench: Callable[..., Bench], lab: Lab) -> Pair:
    """A producer with its relay and a consumer with its worker, on the broker."""
    return Pair(bench(MAKER), bench(TAKER), lab)
