"""The calendar of 2564 says what the letter says, plans survive their way through an event, bad files are refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.calendar import (
    ACTIVITIES,
    BANGKOK,
    CalendarFault,
    Extension,
    RoundPlan,
    Window,
    load,
)
from services.contracts.thai_dates import (
    english_moment,
    thai_date,
    thai_moment,
    thai_time,
    window_words,
)

FILE = Path(__file__).parents[2] / "deploy" / "calendars" / "2564.toml"
PLANS = {plan.name: plan for plan in load(FILE)}
TERM_2 = PLANS["2564-2"]

# The letter's rows, written out a second time by hand: (round, activity) -> from, to, row.
LETTER = {
    ("2564-1", "confirm"): ("2021-06-25", "2021-06-25", 0),
    ("2564-1", "certify"): ("2021-06-25", "2021-06-25", 0),
    ("2564-1", "deliver"): ("2021-06-26", "2021-06-30", 0),
    ("2564-2", "update"): ("2021-10-15", "2021-11-10", 1),
    ("2564-2", "confirm"): ("2021-11-10", "2021-11-10", 2),
    ("2564-2", "certify"): ("2021-11-10", "2021-11-10", 3),
    ("2564-2", "acknowledge"): ("2021-11-11", "2021-11-11", 4),
    ("2564-2", "follow-up"): ("2021-10-15", "2021-11-11", 5),
    ("2564-2", "close"): ("2021-11-11", "2021-11-11", 6),
    ("2564-2", "deliver"): ("2021-11-11", "2021-11-15", 7),
    ("2564-end", "update"): ("2022-03-15", "2022-04-30", 1),
    ("2564-end", "confirm"): ("2022-04-30", "2022-04-30", 2),
    ("2564-end", "certify"): ("2022-04-30", "2022-04-30", 3),
    ("2564-end", "acknowledge"): ("2022-05-01", "2022-05-01", 4),
    ("2564-end", "follow-up"): ("2022-03-15", "2022-04-30", 5),
    ("2564-end", "close"): ("2022-05-01", "2022-05-01", 6),
    ("bobec-2564", "record"): ("2021-10-01", "2021-10-30", 1),
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BANGKOK)


def test_every_row_that_the_letter_gives_is_there_and_nothing_else_claims_to_be_its() -> None:
    found = {
        (plan.name, a.key): (a.starts.isoformat(), a.ends.isoformat(), a.row)
        for plan in PLANS.values()
        for a in plan.activities
        if a.certainty == "letter"
    }
    assert found == LETTER


def test_what_is_inferred_says_why() -> None:
    inferred = [a for plan in PLANS.values() for a in plan.activities if a.certainty == "inferred"]
    assert [a.key for a in inferred] == ["update", "acknowledge", "follow-up", "close"]
    assert all(a.note for a in inferred)


def test_confirm_and_certify_are_the_same_eight_hours_of_the_count_day() -> None:
    for plan in PLANS.values():
        if plan.kind == "roster":
            for key in ("confirm", "certify"):
                window = plan.window(key)
                assert window.opens == datetime.combine(plan.count_day, time(8, 30), BANGKOK)
                assert window.closes == datetime.combine(plan.count_day, time(16, 30), BANGKOK)


def test_the_damaged_row_has_the_right_wording_and_quotes_the_letter() -> None:
    confirm = TERM_2.activity("confirm")
    assert confirm.th.startswith("ยืนยันข้อมูล ณ วันที่ 10 พ.ย. 64 ทุกรายการ")
    assert "10 พ.ย. 64 ทุกราชการ ตั้งแต่เวลา 08.30 น. - 16.30 น." in confirm.note


def test_the_year_end_round_sends_nothing_to_edc() -> None:
    assert "deliver" not in PLANS["2564-end"].keys
    with pytest.raises(KeyError):
        PLANS["2564-end"].window("deliver")


def test_sixteen_may_of_the_academic_year_is_the_day_ages_are_told_at() -> None:
    assert {plan.age_day for plan in PLANS.values()} == {date(2021, 5, 16)}


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        ("2021-11-10T08:29:59.999999", "before"),
        ("2021-11-10T08:30:00", "open"),
        ("2021-11-10T16:29:59.999999", "open"),
        ("2021-11-10T16:30:00", "after"),
    ],
)
def test_the_window_opens_and_closes_to_the_microsecond(moment: str, phase: str) -> None:
    window = TERM_2.window("confirm")
    assert window.phase(at(moment)) == phase
    assert window.is_open(at(moment)) == (phase == "open")


def test_whole_days_last_from_midnight_to_midnight_in_bangkok_whatever_the_zone_of_the_question() -> None:
    window = TERM_2.window("update")
    assert window.is_open(datetime(2021, 10, 14, 17, 0, tzinfo=UTC))
    assert not window.is_open(datetime(2021, 10, 14, 16, 59, 59, tzinfo=UTC))
    assert window.is_open(at("2021-11-10T23:59:59"))
    assert not window.is_open(at("2021-11-11T00:00:00"))


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        TERM_2.window("confirm").is_open(datetime(2021, 11, 10, 9, 0))


def test_an_extension_counts_for_its_school_and_activity_only_and_never_shortens() -> None:
    longer = Extension("confirm", "1066020001", at("2021-11-12T16:30:00"))
    shorter = Extension("confirm", "1066020001", at("2021-11-10T09:00:00"))
    mine = TERM_2.window("confirm", school="1066020001", extensions=(shorter, longer))
    assert mine == Window(at("2021-11-10T08:30:00"), at("2021-11-12T16:30:00"))
    for other in (
        TERM_2.window("confirm", school="1066020002", extensions=(longer,)),
        TERM_2.window("certify", school="1066020001", extensions=(longer,)),
        TERM_2.window("confirm", extensions=(longer,)),
        TERM_2.window("confirm", school="1066020001", extensions=(shorter,)),
        # The last one granted puts the one before it right.
        TERM_2.window("confirm", school="1066020001", extensions=(longer, shorter)),
    ):
        assert other.closes == at("2021-11-10T16:30:00")


def test_plans_and_extensions_travel_as_json() -> None:
    for plan in PLANS.values():
        wire = json.loads(json.dumps(plan.to_plain()))
        assert RoundPlan.from_plain(wire) == plan
        wire["of_a_newer_producer"] = wire["activity"][0]["also"] = 1
        assert RoundPlan.from_plain(wire) == plan
    extension = Extension("certify", "1066020001", at("2021-11-12T16:30:00"))
    assert Extension.from_plain(json.loads(json.dumps(extension.to_plain()))) == extension
    elsewhere = {**extension.to_plain(), "until": "2021-11-12T09:30:00+00:00"}
    assert Extension.from_plain(elsewhere) == extension


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"activity": "confirm", "school": "1", "until": "soon"},
        {"activity": "confirm", "school": "1", "until": 7},
        {"activity": "confirm", "school": "1", "until": "2021-11-12T16:30:00"},
        {"activity": "confirm", "school": "", "until": "2021-11-12T16:30:00+07:00"},
        [],
    ],
)
def test_a_broken_extension_is_refused(data: Any) -> None:
    with pytest.raises(CalendarFault, match="extension"):
        Extension.from_plain(data)


HEAD = 'academic_year = 2564\nsource = "a letter"\n'
ROUND = '[[round]]\nname = "bobec-2564"\nkind = "buildings"\ncount_day = 2021-10-30\nlabel_th = "ก"\nlabel_en = "a"\n'
ROW = (
    '[[round.activity]]\nkey = "record"\nrow = 1\nth = "ก"\nen = "a"\nwho = ["school"]\n'
    'from = 2021-10-01\nto = 2021-10-30\ncertainty = "letter"\n'
)
GOOD = HEAD + ROUND + ROW


def test_the_smallest_calendar_loads(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(GOOD)
    assert load(tmp_path / "c.toml")[0].keys == ("record",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "academic_year|round"),
        ("\0", "not readable"),
        ("a = " + "[" * 5000, "not readable"),
        (HEAD, "round"),
        (HEAD + "round = 3", "round"),
        (HEAD + "round = [3]", r"round\[1\]"),
        (HEAD + ROUND, "activity"),
        (GOOD.replace('"record"', '"confirm"'), "key should be one of record"),
        (GOOD.replace("from = 2021-10-01", "from = 2021-11-01"), "record: from is after to"),
        (GOOD.replace("from = 2021-10-01", "from = 2021-10-01T00:00:00"), "record: from should be a date"),
        (GOOD.replace("from = 2021-10-01", 'from = "1 ต.ค. 64"'), "from should be a date"),
        (GOOD.replace("from = 2021-10-01", "form = 2021-10-01"), "unknown field form"),
        (GOOD + "opens = 08:30:00\n", "stand together"),
        (GOOD + "opens = 08:30:00\ncloses = 16:30:00\n", "only an activity of one day"),
        (
            GOOD.replace("2021-10-01", "2021-10-30") + "opens = 16:30:00\ncloses = 08:30:00\n",
            "opens is not before closes",
        ),
        (GOOD + 'opens = "noon"\ncloses = 16:30:00\n', "opens should be a time of day"),
        (GOOD + 'opens = "08:30+07:00"\ncloses = 16:30:00\n', "no zone"),
        (GOOD.replace('["school"]', '["scholl"]'), "who should be of"),
        (GOOD.replace('["school"]', '"school"'), "who should be a list"),
        (GOOD.replace("row = 1", "row = true"), "row should be a whole number"),
        (GOOD.replace("row = 1", "row = -1"), "row should be a whole number"),
        (GOOD.replace('certainty = "letter"', 'certainty = "sure"'), "certainty should be one of"),
        (GOOD.replace('th = "ก"\nen', 'th = " "\nen'), "th should be a text"),
        (GOOD.replace("2564\nsource", "2565\nsource"), "disagree"),
        (GOOD.replace("bobec-2564", "2564-2"), "name should be like"),
        (GOOD.replace("bobec-2564", "bobec-2564-1"), "name should be like"),
        (GOOD.replace("bobec-2564", "../2564"), "name should be like"),
        (GOOD.replace("kind = ", "term = 2\nkind = "), "disagree"),
        (GOOD + ROW, "stands there twice"),
        (GOOD + ROUND + ROW, "same name"),
    ],
)
def test_a_calendar_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, names: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(CalendarFault, match=names):
        load(tmp_path / "c.toml")


def test_a_roster_round_without_certifying_is_refused(tmp_path: Path) -> None:
    rows = "".join(
        ROW.replace('"record"', f'"{key}"') for key in ("update", "confirm", "acknowledge", "close")
    )
    text = HEAD + ROUND.replace("bobec-2564", "2564-end").replace("buildings", "roster") + rows
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(CalendarFault, match="certify is missing"):
        load(tmp_path / "c.toml")


def test_bytes_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(GOOD.encode("cp874"))
    with pytest.raises(CalendarFault, match="not readable"):
        load(tmp_path / "c.toml")


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda c: st.lists(c) | st.dictionaries(st.text(), c),
)


@given(st.dictionaries(st.sampled_from(sorted(TERM_2.to_plain())), JSONISH))
def test_an_event_with_any_other_plan_in_it_raises_a_calendar_fault(changed: dict[str, Any]) -> None:
    wire = {**TERM_2.to_plain(), **changed}
    try:
        plan = RoundPlan.from_plain(wire)
    except CalendarFault:
        return
    assert RoundPlan.from_plain(plan.to_plain()) == plan


def test_every_activity_known_is_used_by_the_calendar() -> None:
    used = {(plan.kind, key) for plan in PLANS.values() for key in plan.keys}
    assert used == {(kind, key) for kind, keys in ACTIVITIES.items() for key in keys}


def test_dates_and_times_as_people_read_them() -> None:
    moment = datetime(2021, 11, 10, 1, 30, tzinfo=UTC)
    assert thai_date(date(2021, 11, 10)) == "10 พ.ย. 2564"
    assert thai_date(moment + timedelta(hours=16)) == "11 พ.ย. 2564"
    assert thai_time(time(8, 30)) == "08.30 น."
    assert thai_moment(moment) == "10 พ.ย. 2564 เวลา 08.30 น."
    assert english_moment(moment) == "10 Nov 2021 (2564), 08:30"


def test_windows_in_words() -> None:
    assert window_words(TERM_2.window("confirm")) == (
        "10 พ.ย. 2564 เวลา 08.30 น. - 16.30 น.",
        "10 Nov 2021 (2564), 08:30 to 16:30",
    )
    assert window_words(TERM_2.window("acknowledge")) == ("11 พ.ย. 2564", "11 Nov 2021 (2564)")
    assert window_words(TERM_2.window("update"))[0] == "15 ต.ค. 2564 - 10 พ.ย. 2564"
    longer = (Extension("confirm", "1", at("2021-11-12T12:00:00")),)
    assert window_words(TERM_2.window("confirm", school="1", extensions=longer)) == (
        "10 พ.ย. 2564 เวลา 08.30 น. - 12 พ.ย. 2564 เวลา 12.00 น.",
        "10 Nov 2021 (2564), 08:30 to 12 Nov 2021 (2564), 12:00",
    )
