"""Relay and worker with RabbitMQ stopped, killed and blocked under them: everything is applied, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from services.kit.runtime import Background
from tests.support.bench import Bench
from tests.support.brokers import RabbitLab, until
from tests.support.relayed import Pair
from tests.support.toys import MAKER, TAKER

pytestmark = pytest.mark.xdist_group("rabbitmq")


@contextmanager
def running(pair: Pair) -> Iterator[None]:
    """Relay and worker in threads of their own, as in their processes."""
    threads = [
        Background(pair.maker.runtime, worker=False),
        Background(pair.taker.runtime, relay=False),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
        assert [thread.ended for thread in threads] == [[], []]
    finally:
        for thread in threads:
            thread.stop()


@pytest.fixture
def pair(bench: Callable[..., Bench], rabbit: RabbitLab) -> Pair:
    return Pair(bench(MAKER), bench(TAKER), rabbit)


def keep_publishing(pair: Pair, seconds: float) -> list[str]:
    """Publish packages one by one; returns their names."""
    names = []
    until_then = time.monotonic() + seconds
    while time.monotonic() < until_then:
        names.append(f"p{len(names):05d}")
        pair.publish(names[-1])
        time.sleep(0.01)
    return names


@pytest.mark.parametrize("how", ["stopped", "killed", "blocked"])
def test_nothing_is_lost_and_nothing_doubled(pair: Pair, rabbit: RabbitLab, how: str) -> None:
    pair.subscription.close()
    names: list[str] = []
    writer = threading.Thread(target=lambda: names.extend(keep_publishing(pair, 5)))
    with running(pair):
        writer.start()
        until(lambda: pair.effects())
        disturb(rabbit, how)
        writer.join()
        until(lambda: rabbit.broker.publisher.ready)
        for _ in range(2):  # the minute after which a relay sends again is cut short, though not to nothing
            time.sleep(2)
            pair.make_due()
        until(lambda: pair.waiting() == 0)
    assert pair.effects() == names
    assert {tuple(row.applied) for row in pair.rows()} == {("snapshot",)}
    assert rabbit.dead("snapshot") == 0


def disturb(rabbit: RabbitLab, how: str) -> None:
    node = rabbit.node
    if how == "stopped":
        node.pause()
        time.sleep(5)
        node.resume()
    elif how == "killed":
        node.kill()
        node.start()
    else:
        node.control("set_vm_memory_high_watermark", "absolute", "1MB")
        node.control("set_vm_memory_high_watermark", "0.6")
