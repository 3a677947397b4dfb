"""Time as a port: the round clock (windows read it) and real time (tokens, leases and time-outs read that).

A rehearsal sets the round clock for all processes by one file, replaced by an atomic rename:
`{"round": ISO time, "set_at": real unix seconds, "rate": 0 or 1}`; without a file both clocks agree.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.contracts.calendar import BANGKOK

_UNREADABLE = "{file} is not a clock file; write it with services.kit.clock.set_clock or remove it"


class ClockUnreadable(ValueError):
    """The clock file exists but is not what this module writes; the text says what to do."""


class Clock:
    """Reads the round clock, and real time. Never blocks beyond one stat of the clock file."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._base: tuple[datetime, float, float] | None = None

    def now(self) -> datetime:
        """The round clock, in Asia/Bangkok. Raises ClockUnreadable."""
        base = self._read()
        if base is None:
            return datetime.now(BANGKOK)
        start, set_at, rate = base
        try:
            return start + timedelta(seconds=(time.time() - set_at) * rate)
        except (ValueError, OverflowError) as problem:
            raise ClockUnreadable(_UNREADABLE.format(file=self._file)) from problem

    @staticmethod
    def real() -> datetime:
        """Real time, UTC."""
        return datetime.now(UTC)

    def _read(self) -> tuple[datetime, float, float] | None:
        if self._file is None:
            return None
        try:
            stat = self._file.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if stamp != self._seen:
                self._base, self._seen = _parse(self._file), stamp
        except FileNotFoundError:
            return None
        return self._base


def _parse(file: Path) -> tuple[datetime, float, float]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        start = datetime.fromisoformat(data["round"])
        if start.tzinfo is None:
            start = start.replace(tzinfo=BANGKOK)
        return start.astimezone(BANGKOK), float(data["set_at"]), float(data.get("rate", 1))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as problem:
        raise ClockUnreadable(_UNREADABLE.format(file=file)) from problem


def set_clock(file: Path, at: datetime, *, rate: float = 1.0) -> None:
    """Set the round clock of every process that reads `file`; it runs on at `rate` (0 = stands still)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    waiting = file.with_name(f"{file.name}.{os.getpid()}")
    waiting.write_text(json.dumps({"round": at.isoformat(), "set_at": time.time(), "rate": rate}))
    waiting.replace(file)
