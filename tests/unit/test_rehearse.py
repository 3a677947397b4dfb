"""What `tabian rehearse` has of its own: passes that are made once, and telling how far it is."""

from __future__ import annotations

import pytest

from deploy.rehearsal.load.caller import Answer
from deploy.rehearsal.load.school_day import Record
from gateway.cli import rehearse
from gateway.cli.yard import Passes, machine


class SignIn:
    """Counts who signed in."""

    def __init__(self) -> None:
        self.who: list[str] = []

    def __call__(self, username: str, role: str, scope: str) -> dict[str, str]:
        self.who.append(username)
        return {"Authorization": f"{username} {len(self.who)}"}


def test_a_pass_is_made_once_for_each_person() -> None:
    sign_in = SignIn()
    passes = Passes(sign_in)
    assert passes("a", "clerk", "1") == passes("a", "clerk", "1")
    assert passes("a", "clerk", "1") != passes("b", "clerk", "2")
    assert sign_in.who == ["a", "b"]


def test_a_pass_is_made_again_before_it_ends() -> None:
    sign_in = SignIn()
    passes = Passes(sign_in, lasts=0.0)
    assert passes("a", "clerk", "1") != passes("a", "clerk", "1")


def test_where_there_is_no_terminal_a_line_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearse, "_LINE_EVERY", 0.0)
    with rehearse.progress(3) as seen:
        for status in (200, 409):
            seen(Record("1066350177", "confirm", Answer(0, 0, 1, status, 1)))
    assert "confirmed 1" in capsys.readouterr().err.splitlines()[-1]


def test_the_machine_is_described() -> None:
    told = machine()
    assert told["cores"] >= 1
    assert told["memory_gib"] >= 1
    assert told["processor"]
