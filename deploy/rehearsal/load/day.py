"""The deadline day of all schools and areas at once, by a schedule. Not here: what one school does
(`deploy.rehearsal.load.school_day`), and what is made of the answers (`deploy.rehearsal.load.series`)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence

from deploy.rehearsal.load import calls
from deploy.rehearsal.load.schedule import Step
from deploy.rehearsal.load.school_day import Record, Scene, SchoolDay
from deploy.rehearsal.truth import SchoolTruth

AT_ONCE = 24
"""Clerks who send at once while the system is prepared."""


async def send_all(scene: Scene, schools: Mapping[str, SchoolTruth], seed: int) -> None:
    """Every school's file is sent and checked; a few schools at a time, by no schedule."""
    await _few_at_a_time(
        SchoolDay(scene, school, seed).upload(0.0, scene.until) for school in schools.values()
    )


async def mend_all(scene: Scene, schools: Mapping[str, SchoolTruth], seed: int) -> None:
    """Every school sees to what was found; the same way."""
    await _few_at_a_time(SchoolDay(scene, school, seed).mend() for school in schools.values())


async def _few_at_a_time(work: Iterable[Awaitable[None]]) -> None:
    left = iter(work)

    async def some() -> None:
        for one in left:
            await one

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def play(
    scene: Scene, schools: Mapping[str, SchoolTruth], steps: Sequence[Step], seed: int
) -> list[str]:
    """Everybody comes when the schedule says. Returns the schools that were not served in the end."""
    whose: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        whose[step.who].append(step)
    days = {code: SchoolDay(scene, school, seed) for code, school in schools.items()}
    await asyncio.gather(
        *(day.live(whose[code]) for code, day in days.items()),
        *(_oversee(scene, area, own) for area, own in whose.items() if area not in days),
    )
    return sorted(code for code, day in days.items() if not day.served)


async def _oversee(scene: Scene, area: str, steps: Sequence[Step]) -> None:
    """An area officer looks now and then how far the area's schools are."""
    for step in steps:
        await scene.caller.until(step.second)
        answer = await scene.caller.send(calls.progress(area, scene.passes), step.second)
        scene.note(Record(area, "progress", answer))
