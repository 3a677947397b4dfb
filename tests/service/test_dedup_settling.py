"""Closing: the fence, the comparison with the manifest, asking for what lacks, the outcomes; in any order, resumed and
aborted."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from services.contracts.dedup import IdentifiedRequested, RoundSettled
from services.contracts.manifest import manifest_digest
from services.contracts.snapshot import ClosingAborted, ClosingAnnounced
from services.dedup import settling
from services.dedup.app import SERVICE
from services.dedup.casework import acts_lock
from services.dedup.tables import closure
from tests.support.bench import Bench
from tests.support.duplicates import (
    FAR,
    NEXT_AREA,
    ROUND,
    A,
    B,
    C,
    Desk,
    closing,
    entry,
    identified,
    projection,
    sha_of,
)

ROLLS = {A: ["dao", "fah"], B: ["fah", "nok"], FAR: ["nok"]}
ENTRIES = [
    entry(A, ROLLS[A], 7),
    entry(B, ROLLS[B], 7),
    entry(C, None, 0),
    entry(FAR, ROLLS[FAR], 7, NEXT_AREA),
]
DIGEST = manifest_digest(ENTRIES)


@pytest.fixture
def desk(bench: Callable[..., Bench]) -> Desk:
    return Desk(bench(SERVICE))


def send(desk: Desk, *events: object) -> None:
    for event in events:
        desk.bench.deliver(event)
        desk.bench.jobs()


def fill(desk: Desk, *schools: str) -> None:
    for school in schools or ROLLS:
        desk.roll(school, ROLLS[school], 5)


def announced(name: str, revision: int) -> ClosingAnnounced:
    return ClosingAnnounced(round=ROUND, closure=name, revision=revision)


def aborted(name: str, revision: int) -> ClosingAborted:
    return ClosingAborted(round=ROUND, closure=name, revision=revision)


def settled(desk: Desk) -> list[dict[str, Any]]:
    return desk.bench.published(RoundSettled)


def lines(settlement: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(o["school"], o["line"], o["reason"]) for o in settlement["outcomes"]]


def test_equal_rolls_are_settled_with_the_manifests_hash(desk: Desk) -> None:
    fill(desk)
    fah = desk.cases(school=A)[0]["case"]
    assert desk.decide(fah, A).status_code == 200
    send(desk, announced("c1", 1), *closing("c1", ENTRIES[:2], ENTRIES[2:]))
    (settlement,) = settled(desk)
    assert (settlement["closure"], settlement["manifest_sha256"]) == ("c1", DIGEST)
    assert (settlement["part"], settlement["parts"]) == (0, 1)
    assert lines(settlement) == [
        (FAR, 1, "duplicate-undecided"),
        (B, 1, "duplicate-lost"),
        (B, 2, "duplicate-undecided"),
    ]
    assert settlement["outcomes"][1]["sha256"] == sha_of(B, ROLLS[B])
    assert settlement["outcomes"][1]["case"] == fah
    assert desk.bench.published(IdentifiedRequested) == []


def test_neither_loses_at_every_school(desk: Desk) -> None:
    fill(desk, A, B)
    desk.decide(desk.only_case()["case"], "neither")
    send(desk, *closing("c1", ENTRIES[:2]))
    assert lines(settled(desk)[0]) == [(A, 2, "duplicate-lost"), (B, 1, "duplicate-lost")]


def test_a_round_without_schools_or_cases_is_settled_by_one_empty_part(desk: Desk) -> None:
    send(desk, *closing("c1", []))
    assert [(s["parts"], s["outcomes"]) for s in settled(desk)] == [(1, [])]


def test_what_lacks_is_asked_for_once_and_again_after_half_a_minute(desk: Desk) -> None:
    fill(desk, A)
    desk.roll(B, ["an older one"], 4)
    send(desk, *closing("c1", ENTRIES))
    asked = desk.bench.published(IdentifiedRequested)
    assert [(e["closure"], e["schools"]) for e in asked] == [("c1", [FAR, B])]
    desk.bench.jobs()
    assert len(desk.bench.published(IdentifiedRequested)) == 1
    with desk.bench.database.transaction() as tx:
        tx.execute(sa.update(closure).values(asked_at=sa.text("clock_timestamp() - interval '31 s'")))
    fill(desk, B)
    desk.bench.jobs()
    assert [e["schools"] for e in desk.bench.published(IdentifiedRequested)] == [[FAR, B], [FAR]]
    assert settled(desk) == []
    fill(desk, FAR)
    desk.bench.jobs()
    assert len(settled(desk)) == 1


def test_a_job_that_waits_writes_nothing(desk: Desk) -> None:
    send(desk, *closing("c1", ENTRIES))
    seen = desk.bench.database.wakeup.count
    assert not settling.settle(desk.bench.runtime)
    assert not settling.fence(desk.bench.runtime)
    assert desk.bench.database.wakeup.count == seen


def test_settling_happens_once(desk: Desk) -> None:
    fill(desk)
    events = closing("c1", ENTRIES)
    send(desk, *events, *events)
    desk.bench.jobs()
    assert len(settled(desk)) == 1


def test_more_outcomes_than_fit_come_in_parts(desk: Desk) -> None:
    pupils = [f"p{n}" for n in range(1201)]
    desk.roll(A, pupils, 1)
    desk.roll(B, pupils, 1)
    send(desk, *closing("c1", [entry(A, pupils, 7), entry(B, pupils, 7)]))
    parts = settled(desk)
    assert [(p["part"], p["parts"], len(p["outcomes"])) for p in parts] == [
        (0, 3, 1000),
        (1, 3, 1000),
        (2, 3, 402),
    ]
    named = [line for part in parts for line in lines(part)]
    assert len(set(named)) == 2402


def test_every_order_of_a_closing_ends_in_the_same_outcomes(bench: Callable[..., Bench]) -> None:
    """A sample of 120 of the 5,040 orders of three rolls, the announcement, the fence and two parts; each message twice,
    the jobs now and then between."""
    b = bench(SERVICE)
    tables = (
        "school, round, screened, identity_key, holder, duplicate, party, answer, ruling, closure,"
        " manifest_part, manifest_entry, outbox, inbox"
    )
    messages: list[tuple[object, bytes | None]] = [
        *((identified(school, pupils, 5), projection(pupils)) for school, pupils in ROLLS.items()),
        (announced("c1", 1), None),
        *((event, None) for event in closing("c1", ENTRIES[:2], ENTRIES[2:])),
    ]
    expected = [(FAR, 1), (A, 2), (B, 1), (B, 2)]
    orders = list(itertools.permutations(range(len(messages))))
    for number, order in enumerate(random.Random(2564).sample(orders, 120)):
        dice = random.Random(number)
        queue = list(order)
        for repeated in order:
            queue.insert(dice.randint(queue.index(repeated) + 1, len(queue)), repeated)
        for which in queue:
            event, document = messages[which]
            b.deliver(event, document=document, event_id=f"{which:032x}")
            if dice.random() < 0.5:
                b.jobs()
        b.jobs()
        (settlement,) = b.published(RoundSettled)
        assert settlement["manifest_sha256"] == DIGEST
        assert [(o["school"], o["line"]) for o in settlement["outcomes"]] == expected, order
        with b.database.transaction() as tx:
            tx.execute(sa.text(f"TRUNCATE {tables}"))


def test_killed_between_the_steps_it_resumes(
    desk: Desk, bench: Callable[..., Bench], keys: Any, tmp_path: Any
) -> None:
    fill(desk)
    for event in closing("c1", ENTRIES):
        desk.bench.deliver(event)
    assert settling.fence(desk.bench.runtime)
    url = desk.bench.database.engine.url.render_as_string(hide_password=False)
    again = Bench(SERVICE, url, keys, tmp_path / "again")
    assert settling.settle(again.runtime)
    assert not settling.settle(desk.bench.runtime)
    assert len(again.published(RoundSettled)) == 1
    again.close()


def test_two_processes_settle_once(desk: Desk) -> None:
    fill(desk)
    for event in closing("c1", ENTRIES):
        desk.bench.deliver(event)
    assert settling.fence(desk.bench.runtime)
    start = threading.Barrier(4)

    def race() -> None:
        start.wait()
        settling.settle(desk.bench.runtime)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(settled(desk)) == 1


def test_the_fence_waits_for_an_act_under_way(desk: Desk) -> None:
    for event in closing("c1", ENTRIES):
        desk.bench.deliver(event)
    with desk.bench.database.transaction() as act:
        act.lock_shared(acts_lock(ROUND))
        with pytest.raises(sa.exc.OperationalError):
            settling.fence(desk.bench.runtime)
        with desk.bench.database.transaction() as tx:
            assert tx.execute(sa.select(closure.c.fenced_at)).scalar_one() is None
    assert settling.fence(desk.bench.runtime)


def test_an_aborted_closure_is_not_settled_and_the_next_one_is(desk: Desk) -> None:
    fill(desk, A, B)
    send(desk, announced("c1", 1), *closing("c1", ENTRIES), aborted("c1", 2))
    fill(desk, FAR)
    desk.bench.jobs()
    assert settled(desk) == []
    desk.roll(B, ["nok"], 20)
    send(desk, announced("c2", 3), *closing("c2", [ENTRIES[0], entry(B, ["nok"], 21), ENTRIES[3]]))
    (settlement,) = settled(desk)
    assert (settlement["closure"], lines(settlement)) == (
        "c2",
        [(FAR, 1, "duplicate-undecided"), (B, 1, "duplicate-undecided")],
    )


def test_an_abort_that_comes_before_its_closure_holds(desk: Desk) -> None:
    fill(desk)
    send(desk, aborted("c1", 2), announced("c1", 1), *closing("c1", ENTRIES))
    assert settled(desk) == []
    assert desk.answer(desk.cases(school=A)[0]["case"], A).status_code == 200


def test_a_late_abort_of_an_earlier_attempt_does_not_lift_the_fence(desk: Desk) -> None:
    fill(desk, A)
    send(desk, announced("c2", 3), *closing("c2", ENTRIES), announced("c1", 1), *closing("c1", ENTRIES))
    send(desk, aborted("c1", 2))
    fill(desk, B, FAR)
    desk.bench.jobs()
    assert {s["closure"] for s in settled(desk)} == {"c2"}
    assert {e["closure"] for e in desk.bench.published(IdentifiedRequested)} == {"c2"}
    assert desk.answer(desk.cases(school=A)[0]["case"], A).json["type"] == "/problems/round-closing"
