"""A stack's past: PostgreSQL's log received while it is written, copies of the whole server, and putting one back at any moment
since; what the broker is made of lies beside each copy.

What is received, copied and put back is PostgreSQL's own work (deploy/postgres/archive.sh). Not here: the secrets, without
which a restored stack can read neither its keys nor its passwords; they are kept elsewhere (docs/backup.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.rehearsal.scenario import wait_for
from gateway.stack.compose import Stack, StackFault

DEFINITIONS = "definitions.json"
_TIME = "%Y%m%dt%H%M%Sz"
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Base:
    """A copy of the whole server: `name` below the archive, and when it was begun."""

    name: str
    at: datetime


def receive(stack: Stack) -> None:
    """Begin to receive the log, if nobody does. Raises StackFault."""
    stack.archive.mkdir(parents=True, exist_ok=True)
    stack.compose("up", "--detach", "--no-recreate", "archive")
    wait_for(lambda: any(stack.archive.glob("*/wal/*")), "the log is received", _START_SECONDS)


def take(stack: Stack) -> Base:
    """A copy of the whole, from now on where a restore may begin. Raises StackFault."""
    name = stack.compose("exec", "-T", "archive", "/archive.sh", "base").strip()
    told = stack.compose("exec", "-T", "rabbitmq", "rabbitmqctl", "-q", "export_definitions", "-")
    (stack.archive / name / DEFINITIONS).write_text(told, encoding="utf-8")
    return _base(stack.archive / name, stack.archive)


def bases(stack: Stack) -> list[Base]:
    """All copies, the oldest first."""
    found = stack.archive.glob("*/base/*/base.tar.gz")
    return sorted((_base(file.parent, stack.archive) for file in found), key=lambda base: base.at)


def before(stack: Stack, until: datetime | None) -> Base:
    """The newest copy from which that moment can be reached; None is the end. Raises StackFault where there is none."""
    fit = [base for base in bases(stack) if until is None or base.at < until]
    if not fit:
        raise StackFault(
            f"ไม่มีสำเนาก่อนเวลานั้นใน · no copy from before then in {stack.archive}: "
            f"{', '.join(f'{base.at:%Y-%m-%dT%H:%M:%SZ}' for base in bases(stack)) or 'none at all'}"
        )
    return fit[-1]


def restore(stack: Stack, base: Base, until: datetime | None = None) -> None:
    """Put the copy and the log after it where the server's data belongs, for its next start. Raises StackFault where that is
    not empty: nothing is overwritten."""
    moment = [until.astimezone(UTC).isoformat(sep=" ")] if until else []
    stack.compose("run", "--rm", "-T", "--no-deps", "restore", "restore", base.name, *moment)


def _base(folder: Path, archive: Path) -> Base:
    at = datetime.strptime(folder.name, _TIME).replace(tzinfo=UTC)
    return Base(str(folder.relative_to(archive)), at)
