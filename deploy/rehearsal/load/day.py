"""The deadline day of all schools and areas at once, by a schedule. Not here: what one school does
(`deploy.rehearsal.load.school_day`), and what is made of the answers (`deploy.rehearsal.load.series`)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence

from deploy.rehearsal.load import calls
from deploy.rehearsal.load.schedule import Step
from deploy.rehearsal.load.school_day import Record, Scene, SchoolDay

AT_ONCE = 24
"""Clerks who send at once while the system is prepared."""


async def send_all(scene: Scene, days: Mapping[str, SchoolDay]) -> None:
    """Every school's file is sent and checked; a few schools at a time, by no schedule."""
    await _few_at_a_time(day.enter(scene).upload() for day in days.values())


async def mend_all(scene: Scene, days: Mapping[str, SchoolDay]) -> None:
    """Every school sees to what was found; the same way."""
    await _few_at_a_time(day.enter(scene).mend() for day in days.values())


async def _few_at_a_time(work: Iterable[Awaitable[None]]) -> None:
    left = iter(work)

    async def some() -> None:
        for one in left:
            await one

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def play(scene: Scene, days: Mapping[str, SchoolDay], steps: Sequence[Step]) -> list[str]:
    """Everybody comes when the schedule says. Returns the schools that were not served in the end."""
    whose: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        whose[step.who].append(step)
    await asyncio.gather(
        *(day.enter(scene).live(whose[code]) for code, day in days.items()),
        *(_oversee(scene, step) for step in steps if step.kind == "progress"),
    )
    return sorted(code for code, day in days.items() if not day.served)


async def _oversee(scene: Scene, step: Step) -> None:
    """An area officer looks how far the area's schools are."""
    await scene.caller.until(step.second)
    answer = await scene.caller.send(calls.progress(step.who, scene.passes), step.second)
    scene.note(Record(step.who, step.kind, answer))
