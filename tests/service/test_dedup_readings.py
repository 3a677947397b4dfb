"""What dedup tells of its cases: how many are open or decided, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from services.dedup import readings
from services.dedup.app import SERVICE
from services.dedup.metrics import CASES
from services.dedup.tables import closure
from tests.support.bench import Bench
from tests.support.duplicates import ROUND, A, B, Desk


@pytest.fixture
def desk(bench: Callable[..., Bench]) -> Desk:
    made = Desk(bench(SERVICE))
    made.bench.set_time("2021-11-10T09:00:00+07:00")
    made.roll(A, ["dao", "fah"], 1)
    made.roll(B, ["fah", "dao"], 1)
    return made


def cases(desk: Desk) -> dict[tuple[str, ...], float]:
    found = list(readings.read_cases(desk.bench.runtime))
    assert len(found) == 6, "told also where there is none"
    assert {family for family, _, _ in found} == {CASES}
    return {labels: value for _, labels, value in found if value}


@pytest.mark.parametrize(
    ("now", "age"),
    [
        ("2021-11-10T09:59:59+07:00", "under-1h"),
        ("2021-11-10T10:00:00+07:00", "under-1d"),
        ("2021-11-11T08:59:59+07:00", "under-1d"),
        ("2021-11-11T09:00:00+07:00", "over-1d"),
    ],
)
def test_cases_are_told_by_their_age_on_the_round_clock(desk: Desk, now: str, age: str) -> None:
    desk.bench.set_time(now)
    assert cases(desk) == {("open", age): 2}


def test_a_case_that_is_decided_or_cleared_is_not_open(desk: Desk) -> None:
    first, _ = desk.cases()
    desk.bench.set_time("2021-11-11T10:00:00+07:00")
    assert desk.decide(first["case"], A).status_code == 200
    assert cases(desk) == {("open", "over-1d"): 1, ("decided", "over-1d"): 1}
    desk.roll(B, [], 2)
    assert cases(desk) == {}


def test_cases_of_a_sealed_round_are_nobodys_business_any_more(desk: Desk) -> None:
    with desk.bench.database.transaction() as tx:
        tx.execute(sa.insert(closure).values(round=ROUND, closure="one", sealed=True))
    assert cases(desk) == {}
