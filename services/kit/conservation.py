"""Conservation: what a service made, its consumers have applied, or it still waits, or somebody gave it up by name.

Counted from the rows themselves, because a counter in a process forgets what it counted when the process is killed: an
outbox row is in one state for each of its consumers, and what is *applied* there is a row in that consumer's inbox. Both
sides count the events that were made since yesterday began, by the time that is in their ids, in blocks of five minutes.
The newest blocks are counted every time, the older ones in turn, as many as there is time for, and none while the table
does not change. So a count in the sums may be some minutes old (`tabian_rows_counted_seconds`), and who compares two
services takes the smaller side as it was before and the larger as it is now.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from services.contracts.calendar import BANGKOK
from services.contracts.event import declaration_of
from services.kit.event_ids import first_at, second_of
from services.kit.metrics import COUNTED_SECONDS, INBOX_ROWS, OUTBOX_ROWS
from services.kit.service import Runtime, Sample, Service

BLOCK_SECONDS = 300
RECENT_BLOCKS = 2
BUDGET_SECONDS = 0.1
STATES = ("awaiting", "applied", "parked", "discarded")
Key = tuple[str, ...]
_OUTBOX = sa.text(
    f"""
    SELECT type, {", ".join(STATES)}, count(*) AS rows FROM outbox
     WHERE id >= :first AND id < :after GROUP BY type, {", ".join(STATES)}
    """
)
_INBOX = sa.text(
    "SELECT type, count(*) AS rows FROM inbox WHERE event_id >= :first AND event_id < :after GROUP BY type"
)
_LOOK = """
    SELECT n_tup_ins + n_tup_upd + n_tup_del AS changes,
           (SELECT {id} FROM {table} WHERE {id} >= :first AND {id} < :after ORDER BY {id} LIMIT 1) AS first,
           (SELECT {id} FROM {table} WHERE {id} >= :first AND {id} < :after ORDER BY {id} DESC LIMIT 1) AS last
      FROM pg_stat_user_tables WHERE relid = CAST('{table}' AS regclass)
"""


def count_outbox(connection: Connection, block: int) -> Counter[Key]:
    """(type, consumer, state) → rows of the events made in that block."""
    found: Counter[Key] = Counter()
    for row in connection.execute(_OUTBOX, _bounds(block, block)):
        for state in STATES:
            for consumer in getattr(row, state):
                found[row.type, consumer, state] += row.rows
    return found


def count_inbox(connection: Connection, block: int) -> Counter[Key]:
    """(type,) → rows of the events made in that block."""
    return Counter({(row.type,): row.rows for row in connection.execute(_INBOX, _bounds(block, block))})


def _bounds(first: int, last: int) -> dict[str, object]:
    return {"first": first_at(first * BLOCK_SECONDS), "after": first_at((last + 1) * BLOCK_SECONDS)}


def window(now: float) -> range:
    """The blocks since yesterday began, in Bangkok; the last is to come: another process's clock may be ahead. `now` in
    Unix seconds."""
    today = datetime.fromtimestamp(now, BANGKOK).replace(hour=0, minute=0, second=0, microsecond=0)
    return range(int((today - timedelta(days=1)).timestamp()) // BLOCK_SECONDS, int(now) // BLOCK_SECONDS + 2)


@dataclass(frozen=True, slots=True)
class _Block:
    """When it was counted, after how many changes of the table, and what was found."""

    at: float
    changes: int
    rows: Counter[Key]


class Ledger:
    """The sums of one table, whose events' ids are in the column `id_`, over the window. `now`, in all of it: Unix seconds."""

    def __init__(self, table: str, id_: str, count: Callable[[Connection, int], Counter[Key]]) -> None:
        self._look, self._count = sa.text(_LOOK.format(table=table, id=id_)), count
        self._blocks: dict[int, _Block] = {}
        self._changes = 0
        self.sums: Counter[Key] = Counter()

    def refresh(self, connection: Connection, now: float, budget: float = BUDGET_SECONDS) -> None:
        """Count the blocks that were never counted and the newest ones; then, those first whose count is oldest, as many as
        the budget (seconds) allows."""
        blocks = window(now)
        occupied = self._occupied(connection, blocks)
        for block in self._blocks.keys() - set(blocks):
            self.sums -= self._blocks.pop(block).rows
        for block in set(blocks) - set(occupied):
            self._enter(block, now, Counter())
        newest = blocks[-1 - RECENT_BLOCKS :]
        must = [block for block in occupied if block not in self._blocks or block in newest]
        may = sorted(self._stale() - set(must), key=lambda block: self._blocks[block].at)
        for block in must:
            self._enter(block, now, self._count(connection, block))
        until = time.monotonic() + budget
        for block in may:
            if time.monotonic() > until:
                break
            self._enter(block, now, self._count(connection, block))

    def _occupied(self, connection: Connection, blocks: range) -> range:
        """The blocks from the first row of the window to the last; all others are empty."""
        found = connection.execute(self._look, _bounds(blocks[0], blocks[-1])).one()
        self._changes = found.changes
        if found.first is None:
            return range(0)
        return range(second_of(found.first) // BLOCK_SECONDS, second_of(found.last) // BLOCK_SECONDS + 1)

    def oldest(self, now: float) -> float:
        """Seconds since the oldest of the counts was made that may not be true any more."""
        return now - min((self._blocks[block].at for block in self._stale()), default=now)

    def _stale(self) -> set[int]:
        """The blocks since whose count the table has changed."""
        return {number for number, block in self._blocks.items() if block.changes != self._changes}

    def _enter(self, block: int, now: float, rows: Counter[Key]) -> None:
        if block in self._blocks:
            self.sums -= self._blocks[block].rows
        self.sums += rows
        self._blocks[block] = _Block(now, self._changes, rows)


class Conservation:
    """The reading of one service: its outbox, and its inbox. What is declared is told also where there is none."""

    def __init__(self, service: Service) -> None:
        self._outbox = Ledger("outbox", "id", count_outbox)
        self._inbox = Ledger("inbox", "event_id", count_inbox)
        self._made = {
            (declaration.type, consumer, state): 0
            for declaration in map(declaration_of, service.publishes)
            for consumer in declaration.consumers
            for state in STATES
        }
        self._taken = {(declaration_of(cls).type,): 0 for cls in service.consumes}

    def read(self, runtime: Runtime) -> Iterator[Sample]:
        name, now = runtime.service.name, time.time()
        with runtime.database.look() as connection:
            self._outbox.refresh(connection, now)
            self._inbox.refresh(connection, now)
        for key, rows in (self._made | self._outbox.sums).items():
            yield OUTBOX_ROWS, (name, *key), rows
        for key, rows in (self._taken | self._inbox.sums).items():
            yield INBOX_ROWS, (name, *key), rows
        yield COUNTED_SECONDS, (name,), max(self._outbox.oldest(now), self._inbox.oldest(now))
