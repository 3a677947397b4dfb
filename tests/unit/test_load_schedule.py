"""The schedules of a deadline day: the same every time, in order, every school once, and each profile in its own shape."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.rehearsal.load.schedule import (
    COUNTRY,
    FLOOD,
    KINDS,
    PROFILES,
    Plan,
    Profile,
    Step,
    plan_of,
    schedule,
)

SCHOOLS = [f"{1000000000 + n}" for n in range(500)]
AREAS = ["6601", "6602"]
profiles = pytest.mark.parametrize("profile", PROFILES)


def planned(profile: Profile, seed: int = 1, **more: float) -> tuple[Plan, list[Step]]:
    plan = plan_of(profile, len(SCHOOLS), seed, minutes=4, **more)
    return plan, schedule(plan, SCHOOLS, AREAS)


def seconds(steps: Sequence[Step], *kinds: str) -> list[float]:
    return [step.second for step in steps if step.kind in kinds]


@profiles
def test_the_same_plan_is_the_same_schedule_and_another_seed_another(profile: Profile) -> None:
    assert planned(profile) == planned(profile)
    assert planned(profile, seed=2)[1] != planned(profile)[1]


@profiles
def test_steps_are_in_order_and_none_is_after_the_end(profile: Profile) -> None:
    plan, steps = planned(profile)
    assert seconds(steps, *KINDS) == sorted(seconds(steps, *KINDS))
    assert steps[0].second >= 0
    assert steps[-1].second <= plan.seconds


@profiles
def test_every_school_comes_once_and_every_area_looks(profile: Profile) -> None:
    _, steps = planned(profile)
    for kind in ("confirm", "certify", *(() if profile == "overload" else ("upload",))):
        assert Counter(step.who for step in steps if step.kind == kind) == Counter(SCHOOLS)
    assert {step.who for step in steps if step.kind == "progress"} == set(AREAS)


@given(
    profile=st.sampled_from(PROFILES),
    schools=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    minutes=st.floats(0.1, 20),
)
def test_a_school_does_one_thing_after_another(
    profile: Profile, schools: int, seed: int, minutes: float
) -> None:
    own: dict[str, list[str]] = defaultdict(list)
    for step in schedule(plan_of(profile, schools, seed, minutes), SCHOOLS[:schools], []):
        own[step.who].append(step.kind)
    assert len(own) == schools
    for kinds in own.values():
        assert kinds == sorted(kinds, key=KINDS.index)


def test_a_steady_day_has_no_crowd() -> None:
    plan, steps = planned("steady")
    middle = [s for s in seconds(steps, "confirm", "certify") if 0.3 <= s / plan.seconds < 0.9]
    thirds = Counter(int((s / plan.seconds - 0.3) / 0.2) for s in middle)
    assert max(thirds.values()) < 1.6 * min(thirds.values())
    assert plan.crowd == 0


def test_in_the_last_hour_most_of_them_come() -> None:
    plan, steps = planned("last-hour", factor=60)
    assert (plan.crowd, plan.factor) == (60, 60)
    late = [s for s in seconds(steps, "confirm", "certify") if s >= plan.seconds - plan.crowd]
    assert len(late) == 0.9 * 2 * len(SCHOOLS)
    assert max(seconds(steps, "upload")) < plan.seconds - plan.crowd


def test_in_the_last_minute_all_of_them_come() -> None:
    plan, steps = planned("last-minute", factor=2)
    assert plan.crowd == 30
    assert min(seconds(steps, "confirm", "certify")) >= plan.seconds - 30


def test_without_a_factor_few_schools_crowd_as_the_whole_country_would() -> None:
    plan, _ = planned("last-minute")
    assert len(SCHOOLS) / plan.crowd == pytest.approx(COUNTRY / 60)


def test_a_crowd_has_at_most_half_of_the_time() -> None:
    plan, _ = planned("last-hour", factor=1)
    assert (plan.crowd, plan.factor) == (120, 30)


def test_an_overload_comes_at_its_rate_with_a_flood_beside_it() -> None:
    plan, steps = planned("overload", rate=50)
    acts = seconds(steps, "confirm", "certify")
    middle = [s for s in acts if 2 <= s < 20]
    assert len(middle) / 18 == pytest.approx(50, rel=0.02)
    assert (plan.flood, seconds(steps, "upload")) == (FLOOD * 50, [])
