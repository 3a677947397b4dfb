"""The budget table: rates as in the sources, sums that add up, nothing paid for whom no rate is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.roster.codes import grades
from services.snapshot.rules.budget import Budget, NoBudget, budget
from services.snapshot.rules.rates import Rates, RatesFault, load_rates

FILE = Path(__file__).parents[2] / "deploy" / "rates" / "2564.toml"
RATES = load_rates(FILE)
GRADES = [grade.label for grade in grades()]


def table(counts: dict[str, dict[str, int]], term: int, rates: Rates = RATES) -> Budget:
    return budget(counts, rates, academic_year=2564, term=term)


def test_the_payment_of_term_1_of_2559_from_which_the_rates_were_derived() -> None:
    """อนุบาลจุมพลโพนพิสัย: 50 in kindergarten, 616 in primary; the amounts are those of the published sheet."""
    found = table({"1": {"อ.2": 20, "อ.3": 30, "ป.1": 600, "ป.6": 16}}, 1).by_item
    assert found["teaching"] == 627_700
    assert found["equipment"] == 125_120
    assert found["activity"] == 158_590
    assert found["uniform"] == 236_760
    assert found["books"] == 50 * 200 + 600 * 656 + 16 * 859


def test_term_2_pays_no_uniforms_and_no_books() -> None:
    found = table({"1": {"ป.1": 1}}, 2)
    assert found.by_item == {"activity": 240, "equipment": 195, "teaching": 950}
    assert found.baht == 1385
    assert found.payment == RATES.payment[2]


@pytest.mark.parametrize(
    ("grade", "term_1", "term_2"),
    [
        ("อ.1", 850 + 100 + 215 + 300 + 200, 850 + 100 + 215),
        ("ป.4", 950 + 195 + 240 + 360 + 707, 950 + 195 + 240),
        ("ม.2", 1750 + 210 + 440 + 450 + 921, 1750 + 210 + 440),
        ("ม.6", 1900 + 230 + 475 + 500 + 1164, 1900 + 230 + 475),
        ("ปวช.3", 5950 + 230 + 475 + 900 + 2000, 5950 + 230 + 475),
    ],
)
def test_one_pupil_of_each_level(grade: str, term_1: int, term_2: int) -> None:
    assert table({"1": {grade: 1}}, 1).baht == term_1
    assert table({"1": {grade: 1}}, 2).baht == term_2


def test_books_are_by_grade_and_everything_else_by_level() -> None:
    lines = table({"1": {"ป.1": 2, "ป.2": 3}}, 1).schools[0].lines
    assert [(line.item, line.grade, line.heads, line.baht) for line in lines] == [
        ("teaching", "", 5, 4750),
        ("equipment", "", 5, 975),
        ("activity", "", 5, 1200),
        ("uniform", "", 5, 1800),
        ("books", "ป.1", 2, 1312),
        ("books", "ป.2", 3, 1950),
    ]


def test_how_sure_the_money_is_stays_visible() -> None:
    found = table({"1": {"ป.1": 1, "ม.1": 1}}, 1)
    assert found.by_certainty == {
        "verified": 360 + 656 + 450,
        "derived": 1385,
        "recall": 1750 + 210 + 440 + 808,
    }
    assert sum(found.by_certainty.values()) == sum(found.by_level.values()) == found.baht


def test_a_pupil_of_no_known_grade_is_shown_and_not_paid_for() -> None:
    found = table({"1": {"": 2, "ป.1": 1}}, 2)
    assert (found.nation.heads, found.nation.heads_without_rate, found.baht) == (3, 2, 1385)


def test_top_ups_are_off_and_the_file_says_they_are_recalled() -> None:
    assert [(top_up.enabled, top_up.rate.certainty) for top_up in RATES.top_ups] == [(False, "recall")] * 2


def test_top_ups_when_switched_on() -> None:
    on = replace(RATES, top_ups=tuple(replace(top_up, enabled=True) for top_up in RATES.top_ups))
    small = {"อ.2": 20, "ป.1": 100, "ม.1": 300}
    extra = table({"1": small}, 2, on).baht - table({"1": small}, 2).baht
    assert extra == 120 * 250 + 300 * 500
    large = {"อ.2": 21, "ป.1": 100, "ม.1": 301, "ปวช.1": 5}
    assert table({"1": large}, 2, on).baht == table({"1": large}, 2).baht
    assert table({"1": {"": 3}}, 2, on).baht == 0


@pytest.mark.parametrize("term", [None, 0, 3])
def test_no_money_hangs_on_the_year_end_round(term: int | None) -> None:
    with pytest.raises(NoBudget):
        budget({}, RATES, academic_year=2564, term=term)


def test_rates_of_another_year_are_refused() -> None:
    with pytest.raises(NoBudget, match="2564"):
        budget({}, RATES, academic_year=2565, term=1)


HEADS = st.dictionaries(st.sampled_from([*GRADES, ""]), st.integers(0, 900), max_size=6)


@settings(max_examples=50)
@given(
    st.dictionaries(st.text("0123456789", min_size=1, max_size=4), HEADS, max_size=6), st.sampled_from([1, 2])
)
def test_the_schools_together_are_the_nation(counts: dict[str, dict[str, int]], term: int) -> None:
    on = replace(RATES, top_ups=tuple(replace(top_up, enabled=True) for top_up in RATES.top_ups))
    found = table(counts, term, on)
    assert found.baht == sum(school.baht for school in found.schools)
    assert [school.school for school in found.schools] == sorted(counts)
    assert found.nation.heads == sum(sum(heads.values()) for heads in counts.values())
    assert (
        sum(found.by_item.values())
        == sum(found.by_level.values())
        == sum(found.by_certainty.values())
        == found.baht
    )
    assert all(type(line.baht) is int for line in found.nation.lines)
    teaching = sum(line.heads for line in found.nation.lines if line.item == "teaching")
    assert teaching + found.nation.heads_without_rate == found.nation.heads


def test_the_rates_are_those_of_the_code_file_of_the_reference() -> None:
    """Written out a second time from the reference's table of rates (per term, or per year for the last two)."""
    reference = json.loads(
        '{"teaching": [850, 950, 1750, 1900, 5950], "equipment": [100, 195, 210, 230, 230],'
        ' "activity": [215, 240, 440, 475, 475], "uniform": [300, 360, 450, 500, 900]}'
    )
    first_of_level = ["อ.1", "ป.1", "ม.1", "ม.4", "ปวช.1"]
    items = {item.key: item for item in RATES.items}
    for key, expected in reference.items():
        assert [items[key].by_grade[grade].baht for grade in first_of_level] == expected
    assert [items["books"].by_grade[grade].baht for grade in GRADES] == [
        *([200] * 3),
        *(656, 650, 653, 707, 846, 859),
        *(808, 921, 996, 1384, 1326, 1164),
        *([2000] * 3),
    ]
    recalled = {
        (key, grade)
        for key, item in items.items()
        for grade, r in item.by_grade.items()
        if r.certainty == "recall"
    }
    secondary = {grade.label for grade in grades() if grade.level in ("M1_3", "M4_6", "V")}
    assert recalled == {
        (key, grade) for key in ("teaching", "equipment", "activity", "books") for grade in secondary
    }


TEXT = FILE.read_text(encoding="utf-8")
K_TEACHING = '{ level = "K", baht = 850, certainty = "derived", source = "fit-2559" }'


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "source"),
        ("[", "not readable"),
        (TEXT.replace(K_TEACHING + ",", ""), "teaching: no rate for อ.1"),
        (TEXT.replace(K_TEACHING, K_TEACHING + "," + K_TEACHING), "two rates for อ.1"),
        (TEXT.replace('"K", baht = 850', '"X", baht = 850'), "level should be one of"),
        (TEXT.replace('"K", baht = 850', '"K", grade = "อ.1", baht = 850'), "either level or grade"),
        (TEXT.replace('grade = "ป.1"', 'grade = "ป.7"'), "no grade of the code table"),
        (TEXT.replace("baht = 850,", "baht = 850.5,"), "baht should be a whole number"),
        (TEXT.replace("baht = 850,", "baht = -850,"), "baht should be a whole number"),
        (TEXT.replace("baht = 850,", "bath = 850,"), "unknown field bath"),
        (TEXT.replace('certainty = "derived"', 'certainty = "sure"'), "certainty should be one of"),
        (TEXT.replace('source = "fit-2559"', 'source = "heard"'), "heard should be a text"),
        (TEXT.replace('per = "term"', 'per = "week"'), "per should be one of"),
        (TEXT.replace('key = "equipment"', 'key = "teaching"'), "same key"),
        (TEXT.replace('key = "small-primary"', 'key = "books"'), "same key"),
        (TEXT.replace('levels = ["K", "P"]', 'levels = ["K", "Q"]'), "levels should be of"),
        (TEXT.replace("up_to = 120", "up_to = 0"), "up_to"),
        (TEXT.replace("enabled = false", "enabled = 0"), "enabled should be true or false"),
        (TEXT.replace("academic_year = 2564", "academic_year = 2021"), "academic_year"),
        (TEXT.replace("term_2 = ", "term_3 = "), "term_2"),
    ],
)
def test_rates_that_cannot_be_used_say_where_and_why(tmp_path: Path, text: str, names: str) -> None:
    (tmp_path / "r.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RatesFault, match=names):
        load_rates(tmp_path / "r.toml")
