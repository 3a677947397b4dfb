"""Acts: how many a second are answered in time, and how they are answered when they come at a fixed rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

from deploy.rehearsal.load.caller import Answer
from deploy.rehearsal.load.calls import certifications, confirmations
from deploy.rehearsal.load.day import mend_all
from deploy.rehearsal.load.figures import outcome
from deploy.rehearsal.load.knee import Knee, confirmed_and_undone, find_knee, taking_turns
from deploy.rehearsal.load.school_day import Scene, SchoolDay
from deploy.rehearsal.scenario import ROUND
from gateway.cli.bench.usage import spent_since
from gateway.cli.yard import LINES, SETTLE_SECONDS, Yard, statement_of
from gateway.stack.compose import cpu_seconds

MENDED = 1500
"""So many schools see to their rolls: as many again take as long again."""


def mend(yard: Yard) -> None:
    """The people of the first schools see to what was found in their rolls: else few would be ready to confirm."""
    sent = (school for school in yard.told.schools.values() if school.uploads)
    days = {school.code: SchoolDay(school, 0) for school in islice(sent, MENDED)}

    async def run() -> None:
        async with yard.caller(lines=LINES) as caller:
            await mend_all(Scene(caller, yard.nation, yard.passes, lambda _: None, SETTLE_SECONDS), days)

    asyncio.run(run())
    yard.settle()


def ready_versions(yard: Yard) -> dict[str, str]:
    """School → sha256 of the version it is ready to confirm."""
    ready = f"SELECT school, sha256 FROM submission WHERE round = '{ROUND}' AND state = 'ready'"
    return {school: sha256 for school, sha256 in yard.databases.ask("intake", ready)}


def measure_knee(yard: Yard, versions: dict[str, str]) -> dict[str, Any]:
    """Confirmations, each taken back, at a growing rate."""
    knee, spent = search(yard, versions)
    yard.say(f"  acts are in time up to {knee.per_s} a second")
    return {"acts_knee_per_s": knee.per_s, "acts_knee_steps": knee.steps, "acts_knee_cpu_ms_per_act": spent}


def search(yard: Yard, versions: Mapping[str, str]) -> tuple[Knee, dict[str, float]]:
    """The knee; and milliseconds of CPU an act until everybody has applied it, by service (those that used any, the most
    first), and as "load" of who made the load."""

    async def run() -> Knee:
        async with yard.caller(lines=LINES) as caller:
            return await find_knee(
                caller, versions, yard.passes, settle=yard.settle, seconds=yard.step_seconds
            )

    before, own = cpu_seconds(yard.stack.running()), time.process_time()
    knee = asyncio.run(run())
    yard.settle()
    spent = {"load": time.process_time() - own, **spent_since(before, yard.stack)}
    by_act = {name: round(1000 * seconds / knee.acts, 2) for name, seconds in spent.items()}
    return knee, {name: ms for name, ms in by_act.items() if ms}


def measure_acts(yard: Yard, versions: dict[str, str], rate: float, seconds: float) -> dict[str, Any]:
    """Acts come at a fixed rate for so many seconds: schools confirm and take it back in turn, until in the end each that is
    ready confirms and certifies."""
    statement = statement_of(yard, next(iter(versions)))
    pairs = max(0, round(rate * seconds / 2) - len(versions))
    calls = [
        *confirmed_and_undone(versions, yard.passes, pairs),
        *confirmations(versions, yard.passes),
        *certifications(versions, statement, yard.passes),
    ]

    async def run() -> list[Answer]:
        async with yard.caller(lines=LINES) as caller:
            return await taking_turns(caller, calls, rate)

    before = cpu_seconds(yard.stack.running())
    answers = asyncio.run(run())
    yard.settle()
    figures = outcome(answers)
    yard.say(f"  {len(calls)} acts: {figures}")
    return {
        "acts_rate": rate,
        "acts_p99_s": figures["p99_s"],
        "acts": figures,
        "acts_cpu_seconds": spent_since(before, yard.stack),
    }
