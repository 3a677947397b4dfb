"""When everybody comes on the deadline day: the arrival schedules of a rehearsal, made before it and kept whatever the
answers are. Same plan, schools and areas: same schedule.

Not here: what a person does when the time has come (`deploy.rehearsal.load.school_day`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Profile = Literal["steady", "last-hour", "last-minute", "overload"]
Kind = Literal["upload", "look", "confirm", "read", "certify", "progress"]
PROFILES: Final[tuple[Profile, ...]] = ("steady", "last-hour", "last-minute", "overload")
KINDS: Final[tuple[Kind, ...]] = ("upload", "look", "confirm", "read", "certify", "progress")
"""In the order in which a school comes to them; `look` is the clerk at the school's page, `read` the director there,
`progress` an area officer at the area's list of schools."""

COUNTRY: Final = 29_579
"""Schools of the whole country."""
CROWD_SECONDS: Final = {"last-hour": 3600.0, "last-minute": 60.0}
"""How long, on the real day, the crowd at its end has for confirming and certifying."""
CROWD_SHARE: Final = {"last-hour": 0.9, "last-minute": 1.0}
"""The part of the schools that is in the crowd; the others are done before."""
FLOOD: Final = 4.0
"""An overload's flood is so many times the rate of the recorded acts."""
_CROWD_AT_MOST = 0.5
_LOOKS, _AREA_LOOKS = 2, 10
_THINKING = (0.5, 5.0)
"""Seconds between opening the page and the act."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing somebody comes for: the second it is due, the school (or, for `progress`, the area), and what."""

    second: float
    who: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played. `seconds`: from the first arrival to the last; `crowd`: of these, the last ones in which the crowd
    confirms and certifies (0: no crowd); `factor`: the day's crowd is so many times shorter; `rate`: acts a second, and
    `flood` requests a second beside them (both 0 but for an overload)."""

    profile: Profile
    schools: int
    seed: int
    seconds: float
    crowd: float = 0.0
    factor: float = 1.0
    rate: float = 0.0
    flood: float = 0.0


def plan_of(
    profile: Profile,
    schools: int,
    seed: int,
    minutes: float,
    *,
    factor: float | None = None,
    rate: float = 80.0,
) -> Plan:
    """The plan for so many schools in so many minutes (an overload lasts as long as its rate needs).

    Without a factor the schools that play crowd together as the whole country's would: what is short of schools is made
    up for by shortness of time. The crowd has at most half of the minutes, whatever the factor.
    """
    if profile == "overload":
        lasts = 2 * (schools + _between(schools)) / rate
        return Plan(profile, schools, seed, seconds=lasts, rate=rate, flood=FLOOD * rate)
    seconds = minutes * 60
    if profile == "steady":
        return Plan(profile, schools, seed, seconds)
    real = CROWD_SECONDS[profile]
    crowd = min(real / (factor or COUNTRY / schools), seconds * _CROWD_AT_MOST)
    return Plan(profile, schools, seed, seconds, crowd, real / crowd)


def schedule(plan: Plan, schools: Sequence[str], areas: Sequence[str]) -> list[Step]:
    """Every step in order of time. A school's steps are in the order of KINDS; each school uploads (but in an overload,
    which begins when all is uploaded), confirms and certifies once."""
    dice = random.Random(plan.seed)
    mixed = dice.sample(list(schools), len(schools))
    steps = [step for place, school in enumerate(mixed) for step in _of_school(plan, place, school, dice)]
    for area in areas:
        steps += [Step(dice.uniform(0, plan.seconds), area, "progress") for _ in range(_AREA_LOOKS)]
    return sorted(steps, key=lambda step: (step.second, step.who, KINDS.index(step.kind)))


def _of_school(plan: Plan, place: int, school: str, dice: random.Random) -> Iterator[Step]:
    upload, confirm, certify = _times(plan, place, dice)
    if plan.profile != "overload":
        yield Step(upload, school, "upload")
        for _ in range(_LOOKS):
            yield Step(dice.uniform(upload, confirm), school, "look")
    yield Step(max(upload, confirm - dice.uniform(*_THINKING)), school, "look")
    yield Step(confirm, school, "confirm")
    yield Step(max(confirm, certify - dice.uniform(*_THINKING)), school, "read")
    yield Step(certify, school, "certify")


def _times(plan: Plan, place: int, dice: random.Random) -> tuple[float, float, float]:
    """When the school that is the `place`th to come uploads, confirms and certifies."""
    if plan.profile == "overload":
        return _at_rate(plan, place)
    if plan.profile == "steady":
        upload = dice.uniform(0, 0.6 * plan.seconds)
        return upload, upload + 0.2 * plan.seconds, upload + 0.4 * plan.seconds
    crowds_from = plan.seconds - plan.crowd
    if place < plan.schools * CROWD_SHARE[plan.profile]:
        upload, confirm = dice.uniform(0, crowds_from), dice.uniform(crowds_from, plan.seconds)
        return upload, confirm, dice.uniform(confirm, plan.seconds)
    upload, confirm, certify = sorted(dice.uniform(0, crowds_from) for _ in range(3))
    return upload, confirm, certify


def _at_rate(plan: Plan, place: int) -> tuple[float, float, float]:
    """Confirming and certifying take turns, each act 1/rate after the one before; until the first certifies, and when the
    last has confirmed, every other turn is nobody's."""
    return 0.0, 2 * place / plan.rate, (2 * (place + _between(plan.schools)) + 1) / plan.rate


def _between(schools: int) -> int:
    """So many other schools confirm between a school's confirming and its certifying."""
    return max(1, schools // 10)
