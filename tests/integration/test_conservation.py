"""What was made is awaited, applied, parked or discarded; and what was applied lies in the consumer's inbox."""

from __future__ import annotations

import time
import uuid
from collections import Counter

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from services.contracts.envelope import describe
from services.contracts.export import PackageBuilt
from services.kit import outbox
from services.kit.conservation import BLOCK_SECONDS, Conservation, Key, Ledger, count_inbox, count_outbox
from services.kit.event_ids import first_at
from services.kit.messaging import inbox
from services.kit.messaging import outbox as rows
from services.kit.metrics import COUNTED_SECONDS, INBOX_ROWS, OUTBOX_ROWS
from tests.support.bench import Bench
from tests.support.toys import MAKER, package, publish

BUILT, _ = describe(package("a"))
HOUR = 3600
DAY = 24 * HOUR


def carry(maker: Bench, taker: Bench) -> None:
    maker.relay()
    taker.work()
    maker.relay()


def made(maker: Bench) -> dict[str, float]:
    """State → rows of the only event for its only consumer, as a relay that has just begun tells it."""
    found = Conservation(maker.runtime.service).read(maker.runtime)
    return {labels[3]: value for family, labels, value in found if family is OUTBOX_ROWS and value}


def taken(taker: Bench) -> list[float]:
    found = Conservation(taker.runtime.service).read(taker.runtime)
    return [
        value for family, labels, value in found if family is INBOX_ROWS and labels == ("snapshot", BUILT)
    ]


def test_what_is_declared_is_told_also_where_there_is_none(maker: Bench, taker: Bench) -> None:
    told = {(family, labels): value for family, labels, value in Conservation(MAKER).read(maker.runtime)}
    states = ("awaiting", "applied", "parked", "discarded")
    expected = {(OUTBOX_ROWS, ("export", BUILT, "snapshot", state)): 0 for state in states}
    assert told == expected | {(COUNTED_SECONDS, ("export",)): 0}
    assert taken(taker) == [0]


def test_every_row_is_in_one_state_for_its_consumer(maker: Bench, taker: Bench) -> None:
    publish(maker, "a", "b", "poison-1", "poison-2")
    assert (made(maker), taken(taker)) == ({"awaiting": 4}, [0])
    carry(maker, taker)
    publish(maker, "c")
    assert (made(maker), taken(taker)) == ({"awaiting": 1, "applied": 2, "parked": 2}, [2])
    with maker.database.transaction() as tx:
        event = outbox.parked(tx.connection)[0].id
        outbox.discard(tx.connection, event, "snapshot", "of no use")
    assert made(maker) == {"awaiting": 1, "applied": 2, "parked": 1, "discarded": 1}


def test_what_a_restored_consumer_lost_is_seen(maker: Bench, taker: Bench) -> None:
    publish(maker, "a", "b", "c")
    carry(maker, taker)
    with taker.database.transaction() as tx:
        lost = tx.execute(sa.select(inbox.c.event_id).limit(1)).scalar_one()
        tx.execute(sa.delete(inbox).where(inbox.c.event_id == lost))
    assert (made(maker)["applied"], taken(taker)) == (3, [2])


def test_what_a_restored_producer_lost_is_seen(maker: Bench, taker: Bench) -> None:
    publish(maker, "a", "b", "c")
    carry(maker, taker)
    with maker.database.transaction() as tx:
        tx.execute(sa.delete(rows).where(rows.c.subject == "b"))
    assert (sum(made(maker).values()), taken(taker)) == (2, [3])


def move(maker: Bench, name: str, seconds: int) -> None:
    """Give the event of that subject an id as if it had been made so long ago."""
    moved = uuid.UUID(int=first_at(int(time.time()) - seconds).int + 1)
    with maker.database.transaction() as tx:
        tx.execute(sa.update(rows).where(rows.c.subject == name).values(id=str(moved)))


def test_both_sides_leave_out_the_same_events(maker: Bench, taker: Bench) -> None:
    """By the time in the id, not by when a row was written: a late one is old on both sides."""
    publish(maker, "old", "older", "new")
    move(maker, "old", 3 * DAY)
    move(maker, "older", 30 * DAY)
    carry(maker, taker)
    assert maker.published(PackageBuilt)
    assert (made(maker), taken(taker)) == ({"applied": 1}, [1])


class Counted:
    """A count of the outbox that remembers the blocks it was asked for."""

    def __init__(self) -> None:
        self.blocks: list[int] = []

    def __call__(self, connection: Connection, block: int) -> Counter[Key]:
        self.blocks.append(block)
        return count_outbox(connection, block)


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def ledger(maker: Bench, counted: Counted) -> Ledger:
    """Of an outbox with an event of twenty hours ago and one of now; counted once."""
    publish(maker, "old", "new")
    move(maker, "old", 20 * HOUR)
    flush(maker)
    made = Ledger("outbox", "id", counted)
    refresh(made, maker, time.time())
    assert len(counted.blocks) == len(set(counted.blocks)) >= 20 * HOUR // BLOCK_SECONDS
    assert sum(made.sums.values()) == 2
    counted.blocks.clear()
    return made


def refresh(ledger: Ledger, maker: Bench, now: float, budget: float = 60.0) -> None:
    with maker.database.look() as connection:
        ledger.refresh(connection, now, budget)


def flush(maker: Bench) -> None:
    """PostgreSQL tells how often a table was changed some seconds late, unless it is asked to hurry."""
    with maker.database.transaction() as tx:
        tx.connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))


def test_old_blocks_are_counted_again_only_when_the_table_has_changed(
    maker: Bench, ledger: Ledger, counted: Counted
) -> None:
    now = time.time()
    refresh(ledger, maker, now)
    assert 0 < len(counted.blocks) < 5
    assert ledger.oldest(now + 60) == 0, "the others are as true as when they were counted"
    publish(maker, "newer")
    move(maker, "old", 15 * HOUR)
    flush(maker)
    refresh(ledger, maker, now + 1)
    assert len(set(counted.blocks)) >= 15 * HOUR // BLOCK_SECONDS
    assert sum(ledger.sums.values()) == 3


def test_without_time_the_newest_blocks_are_counted_and_the_age_of_the_others_is_told(
    maker: Bench, ledger: Ledger, counted: Counted
) -> None:
    now = time.time()
    publish(maker, "newer")
    flush(maker)
    refresh(ledger, maker, now + 100, budget=-1)
    assert 0 < len(counted.blocks) < 5
    assert sum(ledger.sums.values()) == 3
    assert ledger.oldest(now + 100) == pytest.approx(100, abs=10)


def test_the_blocks_whose_count_is_oldest_come_first(maker: Bench, ledger: Ledger, counted: Counted) -> None:
    now = time.time()
    for turn in range(1, 1000):
        publish(maker, "a")
        flush(maker)
        refresh(ledger, maker, now + turn, budget=0.02)
        if ledger.oldest(now + turn) < turn:
            break
    old = [block for block in counted.blocks if block < max(counted.blocks) - 4]
    assert len(old) >= 19 * HOUR // BLOCK_SECONDS, "before any of them came twice, each of them came once"
    assert len(set(old[: 19 * HOUR // BLOCK_SECONDS])) == 19 * HOUR // BLOCK_SECONDS


def test_an_empty_table_is_looked_at_once(maker: Bench, counted: Counted) -> None:
    ledger = Ledger("outbox", "id", counted)
    refresh(ledger, maker, time.time())
    assert counted.blocks == []
    assert ledger.sums == {}
    publish(maker, "a")
    refresh(ledger, maker, time.time())
    assert sum(ledger.sums.values()) == 1


def test_a_day_that_is_over_leaves_the_sums(maker: Bench) -> None:
    ledger = Ledger("outbox", "id", count_outbox)
    publish(maker, "a", "b")
    refresh(ledger, maker, time.time())
    assert sum(ledger.sums.values()) == 2
    refresh(ledger, maker, time.time() + 3 * DAY)
    assert sum(ledger.sums.values()) == 0


def test_counting_looks_up_its_rows_by_the_ids(maker: Bench, taker: Bench) -> None:
    """By the primary key of either table: no index is kept for it."""
    for desk, table, column in ((maker, "outbox", "id"), (taker, "inbox", "event_id")):
        with desk.database.transaction() as tx:
            tx.connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
            plan = tx.connection.execute(
                sa.text(
                    f"EXPLAIN SELECT type, count(*) FROM {table} WHERE {column} >= :a AND {column} < :b GROUP BY type"
                ),
                {"a": first_at(0), "b": first_at(1)},
            )
            assert f"{table}_pkey" in "\n".join(plan.scalars())


def test_the_inbox_is_counted_by_type(taker: Bench) -> None:
    block = int(time.time()) // BLOCK_SECONDS
    with taker.database.transaction() as tx:
        for number, name in enumerate(("x.y.z.v1", "x.y.z.v1", "x.y.w.v1")):
            event = uuid.UUID(int=first_at(block * BLOCK_SECONDS).int + number)
            tx.execute(sa.insert(inbox).values(event_id=str(event), type=name))
        assert count_inbox(tx.connection, block) == {("x.y.z.v1",): 2, ("x.y.w.v1",): 1}
        assert count_inbox(tx.connection, block + 1) == {}
