"""What intake tells of the round: how far the schools are, how long the window is open, which files wait; acts as they happen."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from services.intake import metrics, readings
from services.intake.tables import round_, upload
from services.kit.service import Sample
from tests.support.intake_desk import CONFIRM_DAY, IntakeDesk
from tests.support.rosters import ROUND, csv_file, roll


def told(samples: Any) -> dict[tuple[object, ...], float]:
    found: list[Sample] = list(samples)
    return {(family, *labels): value for family, labels, value in found}


def states(desk: IntakeDesk) -> dict[str, float]:
    found = told(readings.read_submissions(desk.bench.runtime))
    assert {key[1] for key in found} <= {ROUND}
    return {str(key[2]): value for key, value in found.items() if value}


def acts(name: str) -> float:
    return REGISTRY.get_sample_value("tabian_acts_total", {"act": name}) or 0


def seal(desk: IntakeDesk) -> None:
    with desk.bench.database.transaction() as tx:
        tx.execute(sa.update(round_).values(state="sealed"))


def test_schools_are_told_by_state_in_every_round_that_is_not_sealed(intake: IntakeDesk) -> None:
    assert states(intake) == {"empty": 3}
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    assert states(intake) == {"empty": 2, "ready": 1}
    assert intake.confirm().status_code == 200
    assert states(intake) == {"empty": 2, "confirmed": 1}
    found = told(readings.read_submissions(intake.bench.runtime))
    assert found[metrics.SUBMISSIONS, ROUND, "acknowledged"] == 0, "told also where there is none"
    seal(intake)
    assert told(readings.read_submissions(intake.bench.runtime)) == {}


@pytest.mark.parametrize(
    ("at", "left"),
    [
        ("2021-11-09T12:00:00+07:00", 0),
        ("2021-11-10T08:29:59+07:00", 0),
        ("2021-11-10T08:30:00+07:00", 8 * 3600),
        ("2021-11-10T16:29:58+07:00", 2),
        ("2021-11-10T16:30:00+07:00", 0),
    ],
)
def test_the_time_left_is_that_of_the_day_of_confirming_and_certifying(
    intake: IntakeDesk, at: str, left: float
) -> None:
    intake.bench.set_time(at)
    found = told(readings.read_window(intake.bench.runtime))
    assert found == {(metrics.WINDOW_SECONDS_LEFT, ROUND): pytest.approx(left, abs=0.01)}


def test_no_time_is_left_in_a_round_that_is_over(intake: IntakeDesk) -> None:
    intake.bench.set_time(CONFIRM_DAY)
    seal(intake)
    assert told(readings.read_window(intake.bench.runtime)) == {}


def test_files_that_wait_are_told_with_the_age_of_the_oldest(intake: IntakeDesk) -> None:
    def waiting() -> tuple[float, float]:
        found = told(readings.read_uploads(intake.bench.runtime))
        return found[(metrics.UPLOADS_WAITING,)], found[(metrics.UPLOADS_OLDEST_SECONDS,)]

    assert waiting() == (0, 0)
    assert intake.put(csv_file(roll(1, 3))).status_code == 202
    assert intake.put(csv_file(roll(1, 4))).status_code == 202
    with intake.bench.database.transaction() as tx:
        earlier = sa.func.clock_timestamp() - sa.text("interval '5 min'")
        first = sa.select(sa.func.min(upload.c.number)).scalar_subquery()
        tx.execute(sa.update(upload).where(upload.c.number == first).values(received_at=earlier))
    count, oldest = waiting()
    assert (count, oldest) == (2, pytest.approx(300, abs=30))
    intake.bench.jobs()
    assert waiting() == (0, 0)


def test_an_act_counts_once_however_often_it_is_sent_and_a_refused_one_not(intake: IntakeDesk) -> None:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    before = acts("confirm"), acts("certify")
    assert intake.confirm(intake.director).status_code == 403
    assert intake.certify().status_code == 409
    assert [intake.confirm().status_code for _ in range(3)] == [200, 200, 200]
    assert intake.certify().status_code == 200
    assert (acts("confirm"), acts("certify")) == (before[0] + 1, before[1] + 1)
