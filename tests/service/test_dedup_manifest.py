"""Closing: the manifest against what was screened, where the two tell different stories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from services.contracts.dedup import IdentifiedRequested, RoundSettled
from services.contracts.intake import ManifestEntry, ManifestSent, RoundFenced
from services.contracts.manifest import manifest_digest
from services.dedup.app import SERVICE
from services.dedup.tables import holder, screened
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


def settled(desk: Desk) -> list[dict[str, Any]]:
    return desk.bench.published(RoundSettled)


def lines(settlement: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(o["school"], o["line"], o["reason"]) for o in settlement["outcomes"]]


def test_a_manifest_that_is_not_what_the_fence_named_is_parked(desk: Desk) -> None:
    fill(desk)
    forged = [ENTRIES[0], *ENTRIES[2:]]
    named = {"round": ROUND, "closure": "c1", "parts": 1}
    send(desk, RoundFenced(schools=4, manifest_sha256=DIGEST, **named))
    send(desk, ManifestSent(part=0, entries=tuple(forged), **named))
    assert [letter.reason for letter in desk.bench.broker.dead_letters] == ["ManifestMismatch"]
    assert settled(desk) == []
    send(desk, ManifestSent(part=0, entries=tuple(ENTRIES), **named))
    assert len(settled(desk)) == 1


def manifest_of_a(revision: int) -> list[ManifestEntry]:
    return [entry(A, ROLLS[A], revision), entry(B, ROLLS[B], 7)]


def test_a_school_that_returned_to_earlier_bytes(desk: Desk) -> None:
    """A's versions were X (5), Y (6), X again (8); Y comes late, after the manifest told that X is current at 9."""
    fill(desk, A, B)
    send(desk, *closing("c1", manifest_of_a(9)))
    assert len(settled(desk)) == 1
    desk.roll(A, ["other"], 6)
    with desk.bench.database.transaction() as tx:
        assert tx.execute(sa.select(screened.c.sha256).where(screened.c.school == A)).scalar() == sha_of(
            A, ROLLS[A]
        )
    assert [case["state"] for case in desk.cases()] == ["open"]


def test_a_roster_sent_again_with_its_old_revision_is_taken(desk: Desk) -> None:
    """Y (6) was screened when the manifest names X; intake sends X again under the revision it first had."""
    fill(desk, A, B)
    desk.roll(A, ["other"], 6)
    send(desk, *closing("c1", manifest_of_a(9)))
    assert [e["schools"] for e in desk.bench.published(IdentifiedRequested)] == [[A]]
    fill(desk, A)
    desk.bench.jobs()
    assert [lines(s) for s in settled(desk)] == [
        [(A, 2, "duplicate-undecided"), (B, 1, "duplicate-undecided")]
    ]


def test_a_roll_the_manifest_knows_nothing_of_is_withdrawn(desk: Desk) -> None:
    """Intake came back from a copy without C's and FAR's rosters: they cannot keep others from being counted."""
    fill(desk)
    desk.roll(C, ["dao"], 3)
    send(desk, *closing("c1", ENTRIES[:3]))
    assert [lines(s) for s in settled(desk)] == [
        [(A, 2, "duplicate-undecided"), (B, 1, "duplicate-undecided")]
    ]
    with desk.bench.database.transaction() as tx:
        assert set(tx.execute(sa.select(holder.c.school)).scalars()) == {A, B}
