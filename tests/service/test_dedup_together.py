"""Rolls that are screened together: each told under its own message, and two processes that hold many of the same keys
take turns instead of waiting for each other both ways."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from services.contracts.dedup import CaseChanged, RosterScreened
from services.dedup.app import SERVICE
from services.dedup.rules.holdings import read_holdings
from services.dedup.screening import Roll, screen
from services.kit.messaging import outbox
from tests.support.bench import Bench
from tests.support.duplicates import ROUND, A, B, C, Desk, identified, projection, sha_of

SCHOOLS = [A, B, C]


@pytest.fixture
def desk(bench: Callable[..., Bench]) -> Desk:
    return Desk(bench(SERVICE))


def send_together(desk: Desk, *rolls: tuple[str, list[str], int]) -> dict[str, str]:
    """School → the id of its message; the worker takes all at once."""
    sent = {
        school: desk.bench.queue(identified(school, pupils, revision), document=projection(pupils))
        for school, pupils, revision in rolls
    }
    desk.bench.work()
    return sent


def test_rolls_that_come_together_see_each_other(desk: Desk) -> None:
    send_together(desk, (A, ["fah", "x"], 1), (B, ["y", "fah"], 1), (C, ["z"], 1))
    case = desk.only_case()
    assert {side["school"] for side in case["parties"]} == {A, B}
    assert [e["compared_with"] for e in desk.bench.published(RosterScreened)] == [2, 2, 2]


def test_of_two_rolls_of_a_school_the_newer_counts(desk: Desk) -> None:
    send_together(desk, (A, ["fah"], 2), (A, ["dao"], 1), (B, ["fah", "dao"], 1))
    case = desk.only_case()
    assert {(side["school"], side["line"]) for side in case["parties"]} == {(A, 1), (B, 1)}
    assert sorted(e["revision"] for e in desk.bench.published(RosterScreened)) == [1, 2]


def test_each_answer_names_the_message_it_comes_from(desk: Desk) -> None:
    sent = send_together(desk, (A, ["fah"], 1), (B, ["fah"], 1))
    with desk.bench.database.transaction() as tx:
        rows = tx.execute(sa.select(outbox.c.type, outbox.c.subject, outbox.c.causation)).all()
    screened = {row.subject: row.causation for row in rows if row.type.startswith("dedup.roster.screened")}
    assert screened == sent
    cases = {row.causation for row in rows if row.type.startswith("dedup.case.changed")}
    assert cases <= set(sent.values())
    assert cases


def test_two_processes_with_the_same_schools_and_keys_take_turns(desk: Desk) -> None:
    """Each screens the same rolls in another order, again and again with new versions."""
    pupils = [f"p{number}" for number in range(40)]
    start = threading.Barrier(2)
    problems: list[BaseException] = []

    def process(order: list[str], offset: int) -> None:
        try:
            for turn in range(12):
                rolls = [rolled(school, pupils, 2 * turn + offset + 1) for school in order]
                start.wait(20)
                with desk.bench.database.transaction() as tx:
                    screen(tx, ROUND, rolls)
        except BaseException as problem:
            problems.append(problem)
            start.abort()

    hands = [
        threading.Thread(target=process, args=(order, n)) for n, order in enumerate((SCHOOLS, SCHOOLS[::-1]))
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert problems == []
    assert len(desk.cases(limit=100)) == len(pupils)
    assert {len(e["parties"]) for e in desk.bench.published(CaseChanged)} <= {2, 3}


def rolled(school: str, pupils: list[str], revision: int) -> Roll:
    """The school's pupils, turned by the revision so that every line moves."""
    turned = pupils[revision:] + pupils[:revision]
    return Roll(school, revision, sha_of(school, [str(revision)]), read_holdings(projection(turned)))
