"""Two workers screen two schools that share a key: every interleaving of their steps on real connections ends in
exactly one case. A step that has to wait for the other's lock waits, as it would in life; nothing deadlocks."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from services.contracts.dedup import CaseChanged
from services.dedup.app import SERVICE
from services.dedup.rules.holdings import read_holdings
from services.dedup.screening import Roll, Screening
from services.dedup.tables import duplicate
from services.kit.database import Transaction
from tests.support.bench import Bench
from tests.support.duplicates import A, B, projection, sha_of

STEPS = 5
SCHEDULES = [
    "".join("A" if n in chosen else "B" for n in range(2 * STEPS))
    for chosen in itertools.combinations(range(2 * STEPS), STEPS)
]


class Hand(threading.Thread):
    """One worker process: a transaction of its own, in which it does one step of its screening when told to."""

    def __init__(
        self, bench: Bench, round_name: str, school: str, pupils: Sequence[str], revision: int
    ) -> None:
        super().__init__(daemon=True)
        self.bench, self.about = bench, (round_name, school, revision, sha_of(school, pupils))
        self.wanted = read_holdings(projection(pupils))
        self.told: queue.Queue[None] = queue.Queue()
        self.idle = threading.Semaphore(0)
        self.owed = 0
        self.pid = 0
        self.problem: BaseException | None = None
        self.started = threading.Event()
        self.start()
        self.started.wait(10)

    def run(self) -> None:
        try:
            with self.bench.database.transaction() as tx:
                self.pid = tx.connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
                self.started.set()
                for step in self._steps(tx):
                    self.told.get()
                    step()
                    self.idle.release()
                self.told.get()
        except BaseException as problem:
            self.problem = problem
        self.idle.release()

    def _steps(self, tx: Transaction) -> Iterator[Callable[[], object]]:
        """Claim and insert the keys; lock them; write the holders; open the case and tell. The commit is the fifth."""
        round_name, school, revision, sha256 = self.about
        screening = Screening(tx, round_name, [Roll(school, revision, sha256, self.wanted)])
        insert, lock, write, settle, tell = screening.steps()
        return iter((lambda: screening.claim() and insert(), lock, write, lambda: (settle(), tell())))

    def tell(self) -> None:
        self.owed += 1
        self.told.put(None)


@dataclass
class Referee:
    """Tells the hands when to move, and sees who waits for a lock."""

    control: sa.Connection
    hands: dict[str, Hand]
    waits: int = 0

    def play(self, schedule: str) -> None:
        for name in schedule:
            self.hands[name].tell()
            self.let_move()
        for hand in self.hands.values():
            hand.join(20)
            assert not hand.is_alive(), "the two wait for each other"
            if hand.problem is not None:
                raise hand.problem

    def let_move(self) -> None:
        """Until every hand did all it was told, or waits for a lock."""
        for _ in range(2):  # a commit by the second may let the first go on
            for hand in self.hands.values():
                self._until_done_or_waiting(hand)

    def _until_done_or_waiting(self, hand: Hand) -> None:
        while hand.owed:
            if hand.idle.acquire(timeout=0.001):
                hand.owed -= 1
            elif self._waits(hand):
                self.waits += 1
                return
            elif not hand.is_alive():
                hand.owed = 0

    def _waits(self, hand: Hand) -> bool:
        waiting = sa.text("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = :pid AND NOT granted)")
        return bool(self.control.execute(waiting, {"pid": hand.pid}).scalar_one())


@dataclass(frozen=True)
class Scene:
    """What stood before, what the two bring at once, and how the case must stand at the end."""

    before: dict[str, list[str]]
    brought: dict[str, list[str]]
    state: str
    lines: list[int]


SCENES = {
    "both bring a key nobody had": Scene({}, {A: ["x", "fah"], B: ["fah", "y"]}, "open", [2, 1]),
    "one leaves, the other moves a line": Scene(
        {A: ["fah"], B: ["fah"]}, {A: ["x"], B: ["y", "fah"]}, "cleared", []
    ),
    "one joins, the other leaves": Scene({A: ["fah"]}, {A: ["x"], B: ["fah"]}, "cleared", []),
}


def prepare(b: Bench, round_name: str, before: dict[str, list[str]]) -> None:
    for school, pupils in before.items():
        with b.database.transaction() as tx:
            wanted = read_holdings(projection(pupils))
            screening = Screening(tx, round_name, [Roll(school, 1, sha_of(school, pupils), wanted)])
            assert screening.claim()
            for step in screening.steps():
                step()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
def test_every_interleaving_ends_in_one_case(bench: Callable[..., Bench], scene: Scene) -> None:
    b = bench(SERVICE)
    waits = 0
    with b.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as control:
        for number, schedule in enumerate(SCHEDULES):
            round_name = f"r{number}"
            prepare(b, round_name, scene.before)
            hands = {
                name: Hand(b, round_name, school, scene.brought[school], 2)
                for name, school in (("A", A), ("B", B))
            }
            referee = Referee(control, hands)
            referee.play(schedule)
            waits += referee.waits
            check(control, round_name, scene, schedule)
        assert waits > len(SCHEDULES) / 2, "the schedules did contend"
    told = [event for event in b.published(CaseChanged) if event["state"] == "open"]
    assert all(len(event["parties"]) == 2 for event in told)


def check(control: sa.Connection, round_name: str, scene: Scene, schedule: str) -> None:
    d = duplicate.c
    found = control.execute(sa.select(d.state, d.parties).where(d.round == round_name)).all()
    if scene.state == "cleared":
        # Whether the two ever stood on both rolls at once depends on who was first; nobody may be left thinking so.
        assert {row.state for row in found} <= {"cleared"}, schedule
        return
    ((state, parties),) = found
    assert (state, [party["line"] for party in parties]) == (scene.state, scene.lines), schedule
    assert [party["sha256"] for party in parties] == [
        sha_of(school, scene.brought[school]) for school in (A, B)
    ], schedule


def test_all_schedules_are_played() -> None:
    assert len(set(SCHEDULES)) == 252
    assert all(schedule.count("A") == schedule.count("B") == STEPS for schedule in SCHEDULES)
