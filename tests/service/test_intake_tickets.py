"""Who was turned away at the last minute: with the own ticket in, without one, with another's or a stale one out."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest

from services.contracts.signed import verify
from services.kit.tickets import TICKET_HEADER, make
from tests.support.intake_desk import CONFIRM_DAY, OTHER, IntakeDesk

CLOSES = datetime.fromisoformat("2021-11-10T16:30:00+07:00")


@pytest.fixture
def desk(intake: IntakeDesk) -> IntakeDesk:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    return intake


def _confirm(
    desk: IntakeDesk,
    after: timedelta,
    *,
    turned_away: timedelta | None,
    subject: str = "clerk",
    school: str = "",
) -> tuple[int, str, str]:
    """Confirm so long after the window's end, with a ticket from so long after it: status, problem, arrival."""
    sha256 = desk.school()["sha256"]
    desk.bench.set_time((CLOSES + after).isoformat())
    headers = {**desk.clerk, "If-Match": f'"{sha256}"'}
    if turned_away is not None:
        path = desk.url("/confirmation", school) if school else desk.url("/confirmation")
        stamp = int((time.time() - (after - turned_away).total_seconds()) * 1000)
        headers[TICKET_HEADER] = make(desk.bench.keys.ticket, stamp, "POST", path, subject)
    answer = desk.bench.client.post(desk.url("/confirmation"), headers=headers, json={})
    body = answer.get_json()
    arrived = verify(body["receipt"], desk.bench.keys.jwks)["arrived"] if answer.status_code == 200 else ""
    return answer.status_code, body.get("type", ""), str(arrived)


def test_the_own_ticket_is_the_time_of_arrival(desk: IntakeDesk) -> None:
    status, _, arrived = _confirm(desk, timedelta(seconds=40), turned_away=timedelta(seconds=-1))
    assert status == 200
    assert abs(datetime.fromisoformat(arrived) - (CLOSES - timedelta(seconds=1))) < timedelta(seconds=1)
    assert datetime.fromisoformat(arrived) < CLOSES


def test_without_a_ticket_late_is_late(desk: IntakeDesk) -> None:
    assert _confirm(desk, timedelta(seconds=1), turned_away=None)[:2] == (409, "/problems/outside-window")


def test_anothers_ticket_is_none(desk: IntakeDesk) -> None:
    just = timedelta(seconds=-1)
    for other in ({"subject": "clerk-of-another"}, {"school": OTHER}):
        status, problem, _ = _confirm(desk, timedelta(seconds=40), turned_away=just, **other)
        assert (status, problem) == (409, "/problems/outside-window"), other


@pytest.mark.parametrize(
    ("after", "turned_away", "in_time"),
    [
        (timedelta(minutes=9, seconds=58), timedelta(seconds=-1), True),
        (timedelta(minutes=9, seconds=50), timedelta(hours=-3), True),
        (timedelta(minutes=10, seconds=1), timedelta(seconds=-1), False),
        (timedelta(minutes=5), timedelta(seconds=1), False),
        (timedelta(minutes=5), timedelta(hours=-9), False),
    ],
    ids=["ten-minutes", "from-noon", "stale", "turned-away-too-late", "turned-away-too-early"],
)
def test_it_is_good_for_ten_minutes_after_the_end(
    desk: IntakeDesk, after: timedelta, turned_away: timedelta, in_time: bool
) -> None:
    status, _, _ = _confirm(desk, after, turned_away=turned_away)
    assert status == (200 if in_time else 409)
