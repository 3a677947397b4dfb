"""Crash points: the process dies at the named point, at the named time, by a signal nothing can catch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from services.kit.crash import crash_point
try:
    for name in sys.argv[1:]:
        crash_point(name)
        sys.stdout.write(name + " ")
        sys.stdout.flush()
finally:
    sys.stdout.write("end")
"""


def passed(*points: str, at: str | None, log: Path | None = None) -> tuple[int, str]:
    """(exit status, what was passed) of a process that goes through these points."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TABIAN_CRASH")}
    if at is not None:
        environ["TABIAN_CRASH_AT"] = at
    if log is not None:
        environ["TABIAN_CRASH_LOG"] = str(log)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *points],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout


@pytest.mark.parametrize("at", [None, "", "somewhere-else", "relay", "relay-before-mark-2", ":1", ","])
def test_without_its_name_nothing_happens(at: str | None) -> None:
    assert passed("relay-before-mark", "relay-before-mark", at=at) == (
        0,
        "relay-before-mark relay-before-mark end",
    )


def test_the_process_dies_at_its_point_and_cleans_nothing_up() -> None:
    status, said = passed("a", "b", "c", at="b")
    assert status == -signal.SIGKILL
    assert said == "a ", "no finally ran: that is what makes it a crash"


def test_it_dies_the_time_that_was_asked_for() -> None:
    assert passed("a", "b", "a", "b", "a", at="a:3") == (-signal.SIGKILL, "a b a b ")


def test_of_several_points_the_first_reached_kills(tmp_path: Path) -> None:
    log = tmp_path / "crashes"
    assert passed("a", "b", "c", at="a:2,c", log=log) == (-signal.SIGKILL, "a b ")
    assert log.read_text() == "c\n"


def test_what_was_noted_once_is_not_done_again(tmp_path: Path) -> None:
    log = tmp_path / "crashes"
    assert passed("a", "b", at="a,b", log=log)[0] == -signal.SIGKILL
    assert passed("a", "b", at="a,b", log=log) == (-signal.SIGKILL, "a ")
    assert passed("a", "b", at="a,b", log=log) == (0, "a b end")
