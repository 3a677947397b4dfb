"""Rolls in: all of them in portions, as many as come at once, and one when nobody else does anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from deploy.rehearsal.load.caller import Answer
from deploy.rehearsal.load.calls import rolls
from deploy.rehearsal.load.figures import outcome
from deploy.rehearsal.load.idle import waits_alone
from deploy.rehearsal.load.portions import Portion, portions
from gateway.cli.bench.usage import spent_since
from gateway.cli.yard import SETTLE_SECONDS, Yard
from gateway.stack.compose import cpu_seconds, memory_peaks

CLERKS = 24
"""Clerks who send at once: more fill the edge's queue, fewer leave a core idle."""
ALONE = 30
"""Schools that send when nobody else does anything."""
SLOWEST_PER_S = 1000
"""Pupils a second below which a portion is not waited for: the nation's middle would take an hour and a half."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A portion that was sent. Seconds from its first request until all were taken, checked, and applied by everybody;
    CPU seconds by service; MiB of the largest process until then."""

    name: str
    schools: int
    pupils: int
    taken: float
    checked: float
    applied: float
    cpu: dict[str, float]
    rss_max: float
    answers: Sequence[Answer]

    @property
    def seconds_per_pupil(self) -> float:
        """Raises ValueError for a portion without a pupil."""
        if not self.pupils:
            raise ValueError(f"no pupil in the {self.name} portion: take more schools")
        return self.applied / self.pupils

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "portion": self.name,
            "schools": self.schools,
            "pupils": self.pupils,
            "seconds": round(self.applied, 2),
            "us_per_pupil": round(1e6 * self.seconds_per_pupil, 1),
            "cpu_us_per_pupil": round(1e6 * sum(self.cpu.values()) / self.pupils, 1),
            "rss_max_mib": self.rss_max,
        }


def measure_rolls(yard: Yard) -> dict[str, Any]:
    """Every school sends its roll, in portions; the time of each is until its last is checked, stored and screened."""
    sent = [_send(yard, portion) for portion in portions(yard.told.schools.values())]
    return {
        "intake_students_per_s": round(sum(s.pupils for s in sent) / sum(s.applied for s in sent)),
        "intake_seconds": {
            "taken": round(sum(s.taken for s in sent), 1),
            "checked": round(sum(s.checked for s in sent), 1),
            "applied": round(sum(s.applied for s in sent), 1),
        },
        "intake_cpu_seconds": _together(sent),
        "uploads": outcome(one_after_another(sent)),
        "growth_ratio": growth_ratio(sent),
        "growth": [s.plain() for s in sent],
    }


def growth_ratio(sent: Sequence[Sent]) -> float:
    """Seconds a pupil of the last portion as a multiple of the first one's, which has as many schools."""
    by_name = {s.name: s for s in sent}
    return round(by_name["last"].seconds_per_pupil / by_name["first"].seconds_per_pupil, 3)


def one_after_another(sent: Sequence[Sent]) -> list[Answer]:
    """The answers of all portions on one axis of time, as if each began when the one before was taken."""
    answers, began = [], 0.0
    for portion in sent:
        answers += [
            replace(a, due=a.due + began, sent=a.sent + began, done=a.done + began) for a in portion.answers
        ]
        began += portion.taken
    return answers


def _together(sent: Sequence[Sent]) -> dict[str, float]:
    """CPU seconds of all portions by service, the most first."""
    names = {name for portion in sent for name in portion.cpu}
    spent = {name: round(sum(s.cpu.get(name, 0.0) for s in sent), 1) for name in names}
    return dict(sorted(spent.items(), key=lambda item: -item[1]))


def _send(yard: Yard, portion: Portion) -> Sent:
    """One portion, and nothing else, until everybody has applied it."""
    had, before = _stored(yard), cpu_seconds(yard.stack.running())
    patience = max(SETTLE_SECONDS, sum(school.pupils for school in portion.schools) / SLOWEST_PER_S)
    began = time.monotonic()
    answers = yard.load(rolls(yard.nation, portion.schools, yard.passes), at_once=CLERKS)
    taken = time.monotonic() - began
    yard.await_checked(patience)
    checked = time.monotonic() - began
    yard.settle(patience)
    applied = time.monotonic() - began
    spent = spent_since(before, yard.stack)
    largest = max(memory_peaks(yard.stack.running()).values())
    pupils = _stored(yard) - had
    yard.say(
        f"  {portion.name}: {len(portion.schools)} rolls, {pupils} pupils: taken {taken:.1f} s, checked {checked:.1f} s,"
        f" applied {applied:.1f} s"
    )
    size = len(portion.schools), pupils
    return Sent(portion.name, *size, taken, checked, applied, spent, largest, answers)


def _stored(yard: Yard) -> int:
    """Pupils on all rolls that are stored."""
    return int(yard.databases.ask("intake", "SELECT coalesce(sum(pupils), 0) FROM submission")[0][0])


def measure_idle(yard: Yard) -> dict[str, Any]:
    """Some schools, one after the other, send a roll when nobody else does anything."""

    async def run() -> list[float]:
        async with yard.caller(lines=2) as caller:
            schools = yard.told.schools.values()
            return await waits_alone(caller, yard.nation, schools, yard.passes, number=ALONE)

    waited = asyncio.run(run())
    yard.settle()
    figures = {"idle_visible_p50_s": median(waited), "idle_visible_p95_s": float(np.percentile(waited, 95))}
    yard.say(f"  {len(waited)} rolls one by one: {figures}")
    return {name: round(seconds, 3) for name, seconds in figures.items()}
