"""Acts that come at the same moment: one transaction for all, and each person's own answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from services.contracts.intake import SubmissionChanged
from services.intake.api import acting
from services.intake.tables import rounds, submissions
from services.kit.gathering import Gathering
from tests.support.intake_desk import CONFIRM_DAY, OTHER, SCHOOL, IntakeDesk
from tests.support.rosters import ROUND, csv_file, roll
from tests.support.tokens import bearer

PATIENCE = 30.0
Send = Callable[[str], TestResponse]


@pytest.fixture
def both(intake: IntakeDesk) -> IntakeDesk:
    """Two schools that are ready on the day of confirming."""
    intake.upload()
    clerk = bearer(intake.bench.keys, "clerk-other", ("clerk", OTHER))
    sent = intake.put(csv_file(roll(11, 4, "66020003")), school=OTHER, who=clerk)
    assert sent.status_code == 202
    intake.bench.jobs()
    intake.bench.set_time(CONFIRM_DAY)
    return intake


def confirm(desk: IntakeDesk, school: str, who: dict[str, str] | None = None, version: str = "") -> TestResponse:
    """Over a client of its own: it is called in threads."""
    sender = who or bearer(desk.bench.keys, f"clerk-{school}", ("clerk", school))
    tag = version or version_of(desk, school)
    return desk.bench.app.test_client().post(
        desk.url("/confirmation", school), headers={**sender, "If-Match": f'"{tag}"'}, json={}
    )


def version_of(desk: IntakeDesk, school: str) -> str:
    found = desk.bench.app.test_client().get(desk.url("", school), headers=desk.hq).get_json()
    return str(found["sha256"])


def at_once(desk: IntakeDesk, acts: Sequence[Callable[[], TestResponse]]) -> tuple[list[TestResponse], list[int]]:
    """Send the acts while another run goes on, so that they are the next one; also how many acts each run was given."""
    begun, go, runs = threading.Event(), threading.Event(), list[int]()

    def run(asked: Sequence[acting.Asked]) -> None:
        if not begun.is_set():
            begun.set()
            assert go.wait(PATIENCE)
        else:
            runs.append(len(asked))
        acting._together(asked)

    gathering: Gathering[acting.Asked] = Gathering(run, acting.MOST)
    desk.bench.runtime.parts["acts"] = gathering
    with ThreadPoolExecutor(len(acts) + 1) as pool:
        first = pool.submit(confirm, desk, SCHOOL, desk.director)  # who may not
        assert begun.wait(PATIENCE)
        sent: list[Future[TestResponse]] = []
        for number, act in enumerate(acts):
            sent.append(pool.submit(act))
            while len(gathering) <= number:
                threading.Event().wait(0.001)
        go.set()
        assert first.result().status_code == 403
        return [one.result(PATIENCE) for one in sent], runs
