"""Which copy a restore begins from, and the report of a drill."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.drill_report import Drilled, markdown
from gateway.stack.backup import bases, before
from gateway.stack.compose import Stack, StackFault

OLD, NEW = "archive_20261101t000000z/base/20261101t010000z", "archive_20261102t000000z/base/20261128t010000z"


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """With two copies, of two servers, and one that was not finished."""
    made = Stack("tabian-unit", tmp_path / "stack", 1)
    for name in (NEW, OLD, f"{NEW}.part"):
        (made.archive / name).mkdir(parents=True)
    for name in (NEW, OLD):
        (made.archive / name / "base.tar.gz").touch()
    return made


def test_copies_are_known_by_their_time_whichever_server_they_are_of(stack: Stack) -> None:
    assert [base.name for base in bases(stack)] == [OLD, NEW]
    assert bases(stack)[1].at == datetime(2026, 11, 28, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "name"),
    [
        (None, NEW),
        (datetime(2026, 11, 28, 2, tzinfo=UTC), NEW),
        (datetime(2026, 11, 28, 1, tzinfo=UTC), OLD),
        (datetime.fromisoformat("2026-11-28T07:59:00+07:00"), OLD),
    ],
)
def test_a_restore_begins_with_the_newest_copy_from_before(
    stack: Stack, until: datetime | None, name: str
) -> None:
    assert before(stack, until).name == name


def test_where_no_copy_is_old_enough_those_there_are_are_named(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(StackFault, match="2026-11-01T01:00:00Z"):
        before(stack, datetime(2026, 10, 1, tzinfo=UTC))
    with pytest.raises(StackFault, match="none at all"):
        before(Stack("tabian-unit", tmp_path / "other", 1), None)


def test_an_archive_elsewhere_is_that_of_the_machines_own_stack_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Stack("tabian", tmp_path / "stack", 1, beside=False)
    assert own.archive == tmp_path / "stack-archive"
    monkeypatch.setenv("TABIAN_ARCHIVE", "/mnt/elsewhere")
    assert own.archive == Path("/mnt/elsewhere")
    assert Stack("tabian-drill", tmp_path / "stack", 1).archive == tmp_path / "stack-archive"


def test_the_report_names_what_was_lost_and_what_is_otherwise_than_it_should_be() -> None:
    lost = [f"confirm of 10663501{n:02} (ab)" for n in range(14)]
    told = Drilled(60, lost=lost, moment="2026-11-28T10:00:00+00:00", repeated={"confirm": 14})
    told.expect("doubled", ["x"], [])
    told.expect("unexpected", [], [])
    text = markdown(told)
    assert lost[0] in text
    assert "2 more in summary.json" in text
    assert "- doubled: ['x'] instead of []" in text
    assert "unexpected" not in text
    assert "Nothing." not in text
