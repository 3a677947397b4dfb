"""An upload that kills its checker is given up after some attempts, and the uploads beside it are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from services.intake.tables import upload, uploads
from tests.support.intake_desk import OTHER, IntakeDesk
from tests.support.rosters import csv_file, roll
from tests.support.tokens import bearer

_CHECKER = """
import sys
from pathlib import Path
from services.intake.app import SERVICE
from services.intake.checking import check_uploads
from services.kit.runtime import build_runtime
from services.kit.settings import Settings
url, keys, clock = sys.argv[1:]
settings = Settings(database_url=url, keys=Path(keys), clock_file=Path(clock))
check_uploads(build_runtime(SERVICE, settings))
"""


def a_checker_that_dies(intake: IntakeDesk) -> int:
    """A checker process that is killed (SIGKILL) with what it claimed in its hands; returns how it ended."""
    settings = intake.bench.runtime.settings
    command = [
        sys.executable,
        "-c",
        _CHECKER,
        settings.database_url,
        str(settings.keys),
        str(settings.clock_file),
    ]
    environment = os.environ | {"TABIAN_CRASH_AT": "checker-after-claim", "PYTHONPATH": str(Path.cwd())}
    ended = subprocess.run(command, env=environment, check=False, timeout=60).returncode
    with intake.bench.database.transaction() as tx:
        tx.execute(sa.update(upload).values(lease_until=sa.func.clock_timestamp()))
    return ended


def test_an_upload_that_kills_its_worker_is_given_up_and_blocks_nothing(
    intake: IntakeDesk,
) -> None:
    deadly = intake.put(csv_file(roll(1, 3))).get_json()
    other = bearer(intake.bench.keys, "other", ("clerk", OTHER))
    harmless = intake.put(csv_file(roll(10, 2, "66020003")), school=OTHER, who=other).get_json()
    for _ in range(uploads.ATTEMPTS):
        assert a_checker_that_dies(intake) == -signal.SIGKILL
    intake.bench.jobs()
    ended = intake.get(deadly["location"])
    assert (ended["state"], ended["reason"]["code"]) == ("failed", "checker-failed")
    assert ended["reason"]["th"]
    assert intake.get(harmless["location"], other)["state"] == "accepted"
    assert intake.school()["state"] == "empty"
    assert intake.upload(csv_file(roll(1, 4)))["state"] == "accepted"
    assert intake.school()["state"] == "ready"


def test_the_bytes_of_a_failed_upload_may_be_sent_again(intake: IntakeDesk) -> None:
    first = intake.put(csv_file(roll(1, 3))).get_json()
    with intake.bench.database.transaction() as tx:
        held = {"state": "checking", "attempts": uploads.ATTEMPTS, "lease_until": sa.func.clock_timestamp()}
        tx.execute(sa.update(upload).values(held))
    intake.bench.jobs()
    assert intake.get(first["location"])["state"] == "failed"
    again = intake.upload(csv_file(roll(1, 3)))
    assert again["upload"] != first["upload"]
    assert again["state"] == "accepted"
