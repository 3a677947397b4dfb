"""Outbox, relay, broker, worker, inbox and reports together, over every broker: nothing lost, no effect twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from services.contracts import event
from services.contracts.export import PackageBuilt
from services.kit.messaging import outbox as rows
from services.kit.outbox import RESENDS
from tests.support.relayed import Pair


def states(pair: Pair) -> list[tuple[list[str], list[str], list[str]]]:
    return [(row.awaiting, row.applied, row.parked) for row in pair.rows()]


def test_what_is_applied_is_reported(pair: Pair) -> None:
    pair.publish("a", "b", "c")
    pair.run(lambda: pair.waiting() == 0)
    assert pair.effects() == ["a", "b", "c"]
    assert states(pair) == [([], ["snapshot"], [])] * 3


def test_a_lost_report_costs_one_more_delivery_and_no_effect(pair: Pair) -> None:
    pair.publish("a")
    pair.send()
    pair.run(lambda: pair.effects() == ["a"])
    with pair.maker.database.transaction() as tx:  # as if nobody had reported
        tx.execute(sa.update(rows).values(awaiting=["snapshot"], applied=[], next_send_at=sa.func.now()))
    pair.run(lambda: pair.waiting() == 0)
    assert pair.effects() == ["a"]
    assert states(pair) == [([], ["snapshot"], [])]


def test_a_message_delivered_twice_is_reported_twice(pair: Pair) -> None:
    pair.publish("a")
    pair.send()
    pair.make_due()
    pair.send()
    pair.run(lambda: pair.waiting() == 0 and pair.lab.waiting("snapshot") == 0)
    assert pair.effects() == ["a"]
    (row,) = pair.rows()
    assert (row.sends, row.applied) == (2, ["snapshot"])


def test_poison_is_parked_after_three_attempts_and_what_is_behind_flows_on(pair: Pair) -> None:
    pair.publish("poison", "b", "c")
    pair.run(lambda: pair.waiting() == 0)
    assert pair.effects() == ["b", "c"]
    assert states(pair)[0] == ([], [], ["snapshot"])
    assert pair.rows()[0].reason == "Refused"
    pair.make_due()  # what is parked is not sent again, so its dead letters stay one
    for _ in range(5):
        pair.run(lambda: pair.lab.waiting("snapshot") == 0)
    assert pair.lab.dead("snapshot") == 1
    assert pair.rows()[0].sends == 1


def test_what_is_never_reported_is_parked_in_the_end(pair: Pair) -> None:
    pair.publish("a")
    for _ in range(RESENDS + 1):
        pair.send()
        pair.make_due()
    pair.send()
    assert states(pair) == [([], [], ["snapshot"])]
    pair.run(lambda: states(pair) == [([], ["snapshot"], [])])  # and a late report takes it out again
    assert pair.effects() == ["a"]


def test_a_consumer_declared_later_starts_at_the_rows_that_are_kept(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.publish("a", "b")
    with pair.maker.database.transaction() as tx:  # written when nobody consumed it
        tx.execute(
            sa.update(rows).values(awaiting=[], published_at=sa.func.now(), sends=1, next_send_at=None)
        )
    pair.send()
    assert pair.effects() == []
    pair.relay.begin()
    pair.run(lambda: pair.waiting() == 0)
    assert pair.effects() == ["a", "b"]
    declaration = event.REGISTRY["export.package.built.v1"]
    assert declaration.cls is PackageBuilt
    monkeypatch.setitem(
        event.REGISTRY, declaration.type, replace(declaration, consumers=("snapshot", "dedup"))
    )
    pair.relay.begin()
    assert states(pair) == [(["dedup"], ["snapshot"], [])] * 2


def test_starting_again_changes_nothing_where_no_consumer_is_new(pair: Pair) -> None:
    pair.publish("a", "poison")
    pair.run(lambda: pair.waiting() == 0)
    before = states(pair)
    pair.relay.begin()
    pair.send()
    assert states(pair) == before


def test_a_broker_that_lost_everything_gets_it_again(pair: Pair) -> None:
    pair.publish(*(f"before-{number}" for number in range(30)))
    pair.send()
    pair.lab.forget()
    pair.publish(*(f"after-{number}" for number in range(30)))
    pair.make_due()
    pair.run(lambda: pair.waiting() == 0, seconds=40)
    assert len(pair.effects()) == 60
    assert pair.rows()[0].parked == []
