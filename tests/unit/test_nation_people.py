"""Synthetic persons and schools: identity numbers, sizes, ages and titles, made-up lists."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.rehearsal import register, sizes
from deploy.rehearsal.draw import Choice, be_date_column, decimals
from deploy.rehearsal.identities import (
    MAX_SCHOOLS,
    PERSONS_PER_SCHOOL,
    g_codes,
    national_ids,
    running_numbers,
    with_check_digit,
)
from deploy.rehearsal.provinces import NAMES
from deploy.rehearsal.pupils import persons_of
from deploy.rehearsal.register import School
from deploy.rehearsal.rounds import ROUNDS, day_number, years_before
from services.contracts.roster.codes import grades
from services.contracts.roster.identity import id_fault

SCHOOL = School("พิจิตร", "6602", "สพป.พิจิตร เขต 2", "66020001", "1066350001", "วัดบ้านตัวอย่าง", register.KM3)


def test_check_digit_of_the_published_example() -> None:
    assert with_check_digit(np.array([111203456356])).tolist() == [1112034563562]


@given(
    st.integers(0, 8),
    st.sampled_from(sorted(NAMES)),
    st.integers(0, 199_999_999),
    st.sampled_from([1, 21, 41, 61]),
)
def test_every_number_passes_the_checksum(first: int, province: int, running: int, base: int) -> None:
    number = national_ids(np.array([first]), province, np.array([running]), base)[0]
    assert len(number) == 13
    assert id_fault(number) is None


@given(
    st.integers(0, 10**12),
    st.sets(st.tuples(st.integers(0, MAX_SCHOOLS - 1), st.integers(0, PERSONS_PER_SCHOOL - 1)), min_size=2),
)
def test_running_numbers_never_collide(seed: int, people: set[tuple[int, int]]) -> None:
    numbers = {int(running_numbers(seed, school, np.array([person]))[0]) for school, person in people}
    assert len(numbers) == len(people)
    assert len(set(g_codes(63, np.array(sorted(numbers))))) == len(people)


def test_running_numbers_end_where_the_space_ends() -> None:
    with pytest.raises(ValueError, match="no identity numbers left"):
        running_numbers(0, MAX_SCHOOLS, np.array([0]))
    with pytest.raises(ValueError, match="no identity numbers left"):
        running_numbers(0, 0, np.array([PERSONS_PER_SCHOOL]))


def test_sizes_follow_the_national_figures() -> None:
    schools = register.make(3)
    counts = np.array([sizes.pupils_per_grade(5, place, school) for place, school in enumerate(schools)])
    by_school, by_grade = counts.sum(axis=1), counts.sum(axis=0) / counts.sum()
    assert 6_300_000 < counts.sum() < 6_900_000
    assert by_school.max() <= sizes.LARGEST
    assert 0.45 < (by_school <= 120).mean() < 0.6
    assert 0.11 < by_grade[:3].sum() < 0.15
    assert 0.42 < by_grade[3:9].sum() < 0.52
    assert by_grade[12:15].sum() > 0.1


def test_grades_are_those_taught() -> None:
    assert tuple(grade.label for grade in grades()) == sizes.GRADES
    rng = np.random.default_rng(1)
    assert sizes.offered("ประถมศึกษา", rng).tolist() == list(range(3, 9))
    assert sizes.offered("ประถมศึกษา-มัธยมศึกษาตอนต้น", rng).tolist() == list(range(3, 12))
    assert sizes.offered(register.SECONDARY, rng).tolist()[:6] == list(range(9, 15))
    assert sizes.offered("", rng).tolist()[-1] == 8


def test_ages_and_titles_fit_the_grades() -> None:
    round_ = ROUNDS["2564-2"]
    persons = persons_of(1, 0, SCHOOL, np.full(18, 100), round_)
    age = (day_number(round_.term_opening) - persons.birth) / 365.25
    usual = np.where(persons.grade >= 15, persons.grade, persons.grade + 3)
    assert ((age - usual) > -1.01).all()
    assert ((age - usual) < 3).all()
    grown = persons.birth <= day_number(years_before(round_.count_day, 15))
    title = persons.columns["title"].to_numpy()
    assert np.isin(title[grown], ["นาย", "นางสาว"]).all()
    assert np.isin(title[~grown], ["เด็กชาย", "เด็กหญิง"]).all()
    assert np.isin(title[persons.girl == 1], ["เด็กหญิง", "นางสาว"]).all()


def test_fifteen_on_the_count_day_is_grown() -> None:
    assert years_before(date(2021, 11, 10), 15) == date(2006, 11, 10)
    assert years_before(date(2024, 2, 29), 15) == date(2009, 2, 28)


def test_dates_are_of_the_buddhist_era() -> None:
    days = np.array([day_number(date(2010, 11, 5)), day_number(date(2012, 2, 29))])
    assert be_date_column(days, padded=True).to_list() == ["05/11/2553", "29/02/2555"]
    assert be_date_column(days, padded=False).to_list() == ["5/11/2553", "29/2/2555"]


def test_decimals_keep_the_zeros_of_whole_numbers() -> None:
    assert [decimals(1, 0, 120)[place] for place in (0, 10, 110)] == ["0", "10", "110"]
    assert [decimals(10, 1, 12)[place] for place in (0, 5, 100, 101)] == ["0", "0.5", "10", "10.1"]


def test_a_label_outside_the_code_table_is_refused() -> None:
    with pytest.raises(ValueError, match="religion"):
        Choice({"พุทธ": 1, "เต๋า": 1}, "religion")


def test_a_made_up_list_has_the_shape_of_the_real_one() -> None:
    schools = register.make(3)
    assert len(schools) == 29_579
    assert len({school.code for school in schools}) == len({school.smis8 for school in schools}) == 29_579
    assert len({school.esa for school in schools if not school.secondary}) == 183
    assert len({school.esa for school in schools if school.secondary}) == 42
    assert {len(school.code) for school in schools} == {10}
    assert {len(school.smis8) for school in schools} == {8}
    assert {school.province for school in schools} == set(NAMES.values())
    named = [school.name.startswith("บ้าน") for school in schools if not school.secondary]
    assert 0.58 < sum(named) / len(named) < 0.66
    assert register.make(3) == schools


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    odd = School("พิจิตร", "", "", "66020001", "101431089", 'วัด "ทอง" (เก่า)', "")
    register.write([SCHOOL, odd], tmp_path / "list.tsv")
    assert register.read(tmp_path / "list.tsv") == [SCHOOL, odd]


def test_a_list_with_another_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("province\tname\nพิจิตร\tวัด\n", encoding="utf-8")
    with pytest.raises(ValueError, match="header"):
        register.read(tmp_path / "list.tsv")
