"""What a drill came to, and its report as Markdown: for people, and for the file of what was tried when.

Not here: the drill.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_SHOWN = 12
"""So many of what is lost are named in the report; summary.json names all."""


@dataclass
class Drilled:
    """What a drill came to. `faults`: what should have been otherwise, empty when all is well."""

    schools: int
    seconds: dict[str, float] = field(default_factory=dict)
    mib: dict[str, float] = field(default_factory=dict)
    moment: str = ""
    lost_at_the_end: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    repeated: dict[str, int] = field(default_factory=dict)
    closed: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[what] = round(time.monotonic() - began, 1)

    def expect(self, what: str, got: object, wanted: object) -> None:
        if got != wanted:
            self.faults.append(f"{what}: {got} instead of {wanted}")


def markdown(told: Drilled) -> str:
    """The whole report."""
    repeated = ", ".join(f"{what} {number}" for what, number in sorted(told.repeated.items()))
    lines = [
        "# ซ้อมกู้คืน · Restore drill",
        "",
        f"{told.schools} schools. Every volume of the stack was deleted twice in the middle of the round.",
        "",
        "| what | seconds | |",
        "|---|---|---|",
        *(f"| {what} | {seconds} | {about} |" for what, seconds, about in _times(told)),
        "",
        f"Put back to the end: **{len(told.lost_at_the_end)}** of what was answered is missing.",
        "",
        f"Put back to {told.moment}: **{len(told.lost)}** of what was answered after it is missing, by name:",
        "",
        *_named(told.lost),
        "",
        f"Repeated by those it concerns: {repeated}. Their revisions went on growing. Then the round was closed: "
        f"{told.closed}.",
        "",
        "## ไม่เป็นไปตามที่ควร · Otherwise than it should be",
        "",
        *([f"- {fault}" for fault in told.faults] or ["Nothing."]),
    ]
    return "\n".join([*lines, ""])


def _times(told: Drilled) -> list[tuple[str, float | None, str]]:
    """What took how long, and what there is to say of it."""
    took, settled = told.seconds.get, "ส่งต่อครบ · until everything was applied by everybody"
    log = f"log of {told.mib.get('log')} MiB"
    return [
        ("ทำสำเนา · copying the whole", took("base"), f"{told.mib.get('base')} MiB"),
        ("กู้คืนถึงท้ายสุด · put back to the end, until healthy", took("restore to the end"), log),
        (settled, took("settled after the end"), ""),
        ("กู้คืนถึงเวลา · put back to the moment, until healthy", took("restore to the moment"), told.moment),
        (settled, took("settled after the moment"), ""),
    ]


def _named(lost: list[str]) -> list[str]:
    shown = [f"- {one}" for one in lost[:_SHOWN]]
    return shown if len(lost) <= _SHOWN else [*shown, f"- … {len(lost) - _SHOWN} more in summary.json"]
