"""A load's portions: fair in what they are made of, every school once; and what is made of their times."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.rehearsal.load.caller import Answer
from deploy.rehearsal.load.calls import rolls
from deploy.rehearsal.load.figures import outcome
from deploy.rehearsal.load.portions import fairly_mixed, portions
from deploy.rehearsal.truth import SchoolTruth, Upload
from gateway.cli.bench.rolls import Sent, growth_ratio, one_after_another


def school(number: int, pupils: int, form: str = "csv") -> SchoolTruth:
    code = f"{1_000_000_000 + number}"
    upload = Upload(f"{code}.{form}", "first", "accepted", pupils)
    return SchoolTruth(code, "", "6602", "utf8", pupils, pupils, uploads=(upload,))


def country(schools: int) -> list[SchoolTruth]:
    """Sizes as the country has them, a few of them very large, in the list's order: areas of small schools, then of large."""
    dice = random.Random(1)
    sizes = sorted(min(5000, round(dice.lognormvariate(4.8, 1.0))) for _ in range(schools))
    return [school(n, pupils, "xlsx" if n % 50 == 0 else "csv") for n, pupils in enumerate(sizes)]


def passes(username: str, role: str, scope: str) -> dict[str, str]:
    return {"Authorization": f"{username} {role} {scope}"}


def mean(schools: Sequence[SchoolTruth]) -> float:
    return sum(one.pupils for one in schools) / len(schools)


@pytest.mark.parametrize("schools", [3, 7, 12, 40, 100, 999, 1479, 29579])
def test_every_school_is_in_one_portion(schools: int) -> None:
    told = country(schools)
    cut = portions(told)
    sent = [one.code for portion in cut for one in portion.schools]
    assert sorted(sent) == sorted(one.code for one in told)
    size = {portion.name: len(portion.schools) for portion in cut}
    assert size["first"] == size["last"] == max(1, schools // 10)
    assert size.get("hundredth", 0) == (schools // 100 if schools >= 1000 else 0)
    assert [portion.name for portion in cut][-3:] == ["first", "middle", "last"]


@pytest.mark.parametrize("schools", [300, 1479, 29579])
def test_every_portion_has_small_and_large_schools_as_the_whole_has(schools: int) -> None:
    told = country(schools)
    for portion in portions(told):
        workbooks = sum(one.last.file.endswith(".xlsx") for one in portion.schools)
        assert workbooks == pytest.approx(len(portion.schools) / 50, abs=2), portion.name
        near = 0.4 if len(portion.schools) < 20 else 0.1
        assert mean(portion.schools) == pytest.approx(mean(told), rel=near), portion.name


def test_the_order_is_the_schools_own_and_not_the_lists() -> None:
    told = country(200)
    assert fairly_mixed(reversed(told)) == fairly_mixed(told)
    assert fairly_mixed(told) != told


def test_who_sends_nothing_is_in_no_portion_and_two_schools_are_too_few() -> None:
    silent = dataclasses.replace(school(9, 0), uploads=())
    assert silent.code not in [one.code for p in portions([*country(5), silent]) for one in p.schools]
    with pytest.raises(ValueError, match="2 schools"):
        portions([*country(2), silent])


def test_a_roll_is_read_when_it_is_its_turn(tmp_path: Path) -> None:
    told = country(3)
    (tmp_path / told[0].last.file).write_bytes(b"a roll")
    calls = rolls(tmp_path, told, passes)
    assert next(calls).body == b"a roll"
    (tmp_path / told[1].last.file).write_bytes(b"made since")
    assert next(calls).body == b"made since"
    with pytest.raises(FileNotFoundError):
        next(calls)


def sent(name: str, pupils: int, applied: float, answers: Sequence[Answer] = ()) -> Sent:
    return Sent(name, 10, pupils, applied / 2, applied, applied, {"postgres": 1.0}, 100.0, answers)


def test_growth_is_the_last_portions_time_a_pupil_over_the_firsts() -> None:
    told = [
        sent("hundredth", 5, 9.0),
        sent("first", 100, 2.0),
        sent("middle", 900, 50.0),
        sent("last", 80, 2.4),
    ]
    assert growth_ratio(told) == 1.5
    plain = told[1].plain()
    assert (plain["portion"], plain["us_per_pupil"], plain["cpu_us_per_pupil"]) == (
        "first",
        20_000.0,
        10_000.0,
    )


def test_a_portion_without_pupils_has_no_growth() -> None:
    with pytest.raises(ValueError, match="take more schools"):
        growth_ratio([sent("first", 0, 1.0), sent("last", 10, 1.0)])


def test_answers_of_portions_are_told_on_one_axis_without_the_pauses_between() -> None:
    answers = [Answer(0.0, 0.1, 1.0, 202, 1), Answer(0.5, 0.5, 2.0, 202, 1)]
    told = one_after_another([sent("first", 10, 4.0, answers), sent("last", 10, 8.0, answers)])
    assert [a.due for a in told] == [0.0, 0.5, 2.0, 2.5]
    assert [a.waited for a in told] == [a.waited for a in [*answers, *answers]]
    assert outcome(told)["per_s"] == 1.0, "four answers in four seconds"
