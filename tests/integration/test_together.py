"""Events that a handler takes together: one transaction, each effect once, and one that cannot be taken harms no other."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from services.contracts.export import PackageBuilt
from services.kit.database import Transaction
from services.kit.logs import json_lines
from services.kit.service import Arrival, Together
from tests.support.bench import Bench
from tests.support.toys import TAKER, package, see, seen


@dataclass
class Taker:
    """The consumer; `taken`: the packages of each call of its handler, also of those that failed."""

    bench: Bench
    taken: list[list[str]] = field(default_factory=list)

    def see(self, arrivals: Sequence[Arrival], tx: Transaction) -> None:
        self.taken.append([arrival.event.package for arrival in arrivals])
        for arrival in arrivals:
            see(arrival.event, tx)

    def send(self, *names: str) -> list[str]:
        """Queue packages and let the worker take them; returns their ids."""
        sent = [self.bench.queue(package(name)) for name in names]
        self.bench.work()
        return sent

    def effects(self) -> list[str]:
        with self.bench.database.transaction() as tx:
            return sorted(tx.execute(sa.select(seen.c.package)).scalars())

    def reported(self) -> list[str]:
        return sorted(key for report in self.bench.broker.reports("export") for key in report.applied)


@pytest.fixture
def taker(bench: Callable[..., Bench]) -> Taker:
    made: list[Taker] = []
    together = Together(lambda arrivals, tx: made[0].see(arrivals, tx))
    made.append(Taker(bench(dataclasses.replace(TAKER, consumes={PackageBuilt: together}))))
    return made[0]


def test_what_came_at_once_is_one_transaction_and_every_event_is_reported(taker: Taker) -> None:
    sent = taker.send("a", "b", "c")
    assert taker.taken == [["a", "b", "c"]]
    assert taker.effects() == ["a", "b", "c"]
    assert taker.reported() == sorted(sent)


def test_each_is_logged_under_its_own_correlation_id(
    taker: Taker, capsys: pytest.CaptureFixture[str]
) -> None:
    log, lines = logging.getLogger("services.kit.worker"), json_lines()
    log.addHandler(lines)
    try:
        log.setLevel("INFO")
        sent = {
            taker.bench.queue(package(n), correlation=f"request-for-{n}"): n for n in ("a", "b", "poison")
        }
        taker.bench.work()
    finally:
        log.removeHandler(lines)
        log.setLevel(logging.NOTSET)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["message"] for line in told} == {"event handled", "handler failed"}
    assert len(told) == 5
    assert [line["correlation_id"] for line in told] == [
        f"request-for-{sent[line['event_id']]}" for line in told
    ]


def test_one_alone_waits_for_no_other(taker: Taker) -> None:
    taker.send("a")
    assert taker.taken == [["a"]]


def test_poison_is_found_by_halving_and_harms_no_other(taker: Taker) -> None:
    names = [f"p{number:02}" for number in range(20)]
    names[13] = "poison"
    taker.send(*names)
    assert taker.effects() == sorted(set(names) - {"poison"})
    assert [letter.reason for letter in taker.bench.broker.dead_letters] == ["Refused"]
    alone = [taken for taken in taker.taken if taken == ["poison"]]
    assert len(alone) == 3, "tried as often as it would be alone"
    assert len(taker.taken) < 20, "halved, not tried one by one"


def test_the_same_message_twice_at_once_has_its_effect_once_and_is_reported(taker: Taker) -> None:
    taker.bench.queue(package("a"), event_id="0" * 32)
    taker.bench.queue(package("a"), event_id="0" * 32)
    taker.bench.work()
    assert taker.effects() == ["a"]
    assert len(taker.reported()) == 2


def test_what_comes_again_is_handled_alone(taker: Taker) -> None:
    """It may be what killed the process that had it in hand with others."""
    for name in ("a", "b", "c"):
        taker.bench.queue(package(name))
    subscription = taker.bench.broker.subscribe("snapshot")
    for delivery in subscription.receive(10, 0):
        subscription.retry(delivery)
    taker.send("d", "e")
    assert sorted(taker.taken) == [["a"], ["b"], ["c"], ["d", "e"]]
    assert taker.effects() == ["a", "b", "c", "d", "e"]


def test_what_was_handled_before_is_not_handed_over_again(taker: Taker) -> None:
    taker.bench.queue(package("a"), event_id="0" * 32)
    taker.bench.work()
    taker.bench.queue(package("a"), event_id="0" * 32)
    taker.send("b")
    assert taker.taken == [["a"], ["b"]]
    assert len(taker.reported()) == 3
