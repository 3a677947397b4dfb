"""Rolls in: as many as come at once, and one when nobody else does anything."""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import Any

import numpy as np

from deploy.rehearsal.load.calls import rolls
from deploy.rehearsal.load.figures import outcome
from deploy.rehearsal.load.idle import waits_alone
from deploy.rehearsal.scenario import wait_for
from gateway.cli.bench.usage import spent_since
from gateway.cli.yard import SETTLE_SECONDS, Yard, all_checked
from gateway.stack.compose import cpu_seconds

CLERKS = 24
"""Clerks who send at once: more fill the edge's queue, fewer leave a core idle."""
ALONE = 30
"""Schools that send when nobody else does anything."""


def measure_rolls(yard: Yard) -> dict[str, Any]:
    """Every school sends its roll; the time is until the last is checked, stored and screened."""
    calls = list(rolls(yard.nation, yard.told.schools.values(), yard.passes))
    before, began = cpu_seconds(yard.stack.running()), time.monotonic()
    answers = yard.load(calls, at_once=CLERKS)
    taken = time.monotonic() - began
    wait_for(lambda: all_checked(yard), "every roll checked", SETTLE_SECONDS)
    checked = time.monotonic() - began
    yard.settle()
    seconds = time.monotonic() - began
    pupils = yard.databases.ask("intake", "SELECT sum(pupils) FROM submission")[0][0]
    yard.say(
        f"  {len(calls)} rolls, {pupils} pupils: taken {taken:.1f} s, checked {checked:.1f} s, applied {seconds:.1f} s"
    )
    return {
        "intake_students_per_s": round(pupils / seconds),
        "intake_seconds": {
            "taken": round(taken, 1),
            "checked": round(checked, 1),
            "applied": round(seconds, 1),
        },
        "intake_cpu_seconds": spent_since(before, yard.stack),
        "uploads": outcome(answers),
    }


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
