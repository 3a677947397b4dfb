"""Who is counted: the rules one by one, the law counted + Σ reasons = pupils, and both ways of counting agreeing."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.roster import extract
from services.contracts.roster.canonical import canonicalise, decode, empty, encode
from services.snapshot.rules.counts import (
    CANNOT_DISCHARGE,
    COUNTED,
    DUPLICATE_LOST,
    DUPLICATE_UNDECIDED,
    NOT_CERTIFIED,
    REASONS,
    UNDER_AGE,
    CountsDisagree,
    Row,
    Summary,
    apply_outcomes,
    cells_of,
    for_state,
    judged,
    rows_at,
    summarise,
    total,
)
from services.snapshot.rules.recounting import Lines, LinesDiffer, read_lines, recount

AGE_DAY = date(2021, 5, 16)
Outcomes = list[tuple[int, str]]


def roster(*pupils: Mapping[str, str]) -> pl.DataFrame:
    """A canonical roster of pupils given by the fields that matter; distinct student codes keep their order."""
    base = {"grade": "ป.1", "sex": "ช", "birth_date": "2014-06-01", "room": "1"}
    rows = [{**base, "student_code": f"{n:05}", **pupil} for n, pupil in enumerate(pupils)]
    return canonicalise(pl.DataFrame(rows)) if rows else empty()


def counted(frame: pl.DataFrame) -> Summary:
    return summarise(judged([frame], AGE_DAY)[0])


def at(frame: pl.DataFrame, *lines: int) -> tuple[Row, ...]:
    """The rows on these lines, from what is kept of all."""
    summary = counted(frame)
    numbers = cells_of(judged([frame], AGE_DAY)[0], summary)
    return rows_at([key for key, _ in summary.cells], numbers, lines)


def lines_of(frame: pl.DataFrame) -> Lines:
    return read_lines(encode(frame), extract.of_many([frame])[0], AGE_DAY)


def kept(lines: Lines) -> Lines:
    """As they come back from the database."""
    return Lines.from_plain(json.loads(json.dumps(lines.to_plain())), lines.numbers)


def both_ways(
    frame: pl.DataFrame, state: str = "certified", outcomes: Sequence[tuple[int, str]] = ()
) -> Summary:
    looked_up = at(frame, *(line for line, _ in outcomes))
    one = for_state(apply_outcomes(counted(frame), looked_up, outcomes), state)
    two = recount(kept(lines_of(frame)), state, outcomes)
    assert one == two
    assert one.pupils == frame.height == one.counted + sum(one.not_counted.values())
    return one


def reasons(summary: Summary) -> dict[str, int]:
    return {reason: number for reason, number in summary.not_counted.items() if number}


def test_pupils_are_counted_by_grade_and_sex() -> None:
    frame = roster({}, {}, {"sex": "ญ"}, {"grade": "ม.3"}, {"grade": "อ.2", "birth_date": "2017-01-01"})
    assert both_ways(frame).to_plain() == [
        ["อ.2", "ช", "", 1],
        ["ป.1", "ช", "", 2],
        ["ป.1", "ญ", "", 1],
        ["ม.3", "ช", "", 1],
    ]
    assert both_ways(frame).heads() == {"อ.2": 1, "ป.1": 3, "ม.3": 1}


@pytest.mark.parametrize(
    ("born", "reason"),
    [
        ("2017-05-15", COUNTED),
        ("2017-05-16", COUNTED),
        ("2017-05-17", UNDER_AGE),
        ("2018-05-16", UNDER_AGE),
        ("2021-05-17", UNDER_AGE),
        ("2030-01-01", UNDER_AGE),
        ("", COUNTED),
        ("2018-02-30", COUNTED),
        ("17/5/60", COUNTED),
        ("๒๐๑๘-๐๑-๐๑", UNDER_AGE),
        ("2018", COUNTED),
        ("9999-12-31", UNDER_AGE),
    ],
)
def test_four_full_years_on_16_may(born: str, reason: str) -> None:
    summary = both_ways(roster({"grade": "อ.1", "birth_date": born}))
    # A date the canonical roster cannot understand is a finding of intake's, not a reason here.
    assert summary.to_plain() == [["อ.1", "ช", reason, 1]]


def test_who_cannot_be_discharged_is_not_counted() -> None:
    frame = roster(
        {"cannot_discharge_yet": "1"}, {"cannot_discharge_yet": "0"}, {"cannot_discharge_yet": "ใช่?"}, {}
    )
    assert reasons(both_ways(frame)) == {CANNOT_DISCHARGE: 1}


@pytest.mark.parametrize("state", ["empty", "draft", "ready", "confirmed", "sealed", "", "CERTIFIED"])
def test_a_school_that_was_not_certified_counts_nobody(state: str) -> None:
    frame = roster({}, {"cannot_discharge_yet": "1"}, {"birth_date": "2020-01-01"})
    assert reasons(both_ways(frame, state, [(1, DUPLICATE_LOST)])) == {NOT_CERTIFIED: 3}


@pytest.mark.parametrize("state", ["certified", "acknowledged"])
def test_a_certified_school_counts_its_pupils(state: str) -> None:
    assert both_ways(roster({}, {}), state).counted == 2


def test_duplicates_undecided_and_lost_are_not_counted() -> None:
    frame = roster({}, {}, {})
    found = both_ways(frame, outcomes=[(1, DUPLICATE_UNDECIDED), (3, DUPLICATE_LOST)])
    assert reasons(found) == {DUPLICATE_UNDECIDED: 1, DUPLICATE_LOST: 1}
    assert found.counted == 1


def test_of_several_reasons_the_first_in_precedence_counts() -> None:
    every = {"cannot_discharge_yet": "1", "birth_date": "2020-01-01"}
    frame = roster(every)
    assert reasons(both_ways(frame)) == {CANNOT_DISCHARGE: 1}
    assert reasons(both_ways(frame, outcomes=[(1, DUPLICATE_UNDECIDED)])) == {DUPLICATE_UNDECIDED: 1}
    twice = [(1, DUPLICATE_UNDECIDED), (1, DUPLICATE_LOST)]
    assert reasons(both_ways(frame, outcomes=twice)) == {DUPLICATE_LOST: 1}
    assert reasons(both_ways(frame, outcomes=twice[::-1])) == {DUPLICATE_LOST: 1}
    assert reasons(both_ways(frame, "confirmed", twice)) == {NOT_CERTIFIED: 1}


def test_a_school_without_pupils_or_without_document_counts_to_nothing() -> None:
    assert both_ways(empty()) == Summary() == total([])
    assert Summary().not_counted == dict.fromkeys(REASONS, 0)


def test_unknown_grades_and_sexes_are_pupils_too() -> None:
    frame = roster({"grade": "ป.9", "sex": "x"}, {"grade": "", "sex": ""})
    assert both_ways(frame, "draft").to_plain() == [["", "", NOT_CERTIFIED, 2]]


@pytest.mark.parametrize("line", [0, -1, 3])
def test_an_outcome_for_a_line_that_is_not_there_is_a_contradiction(line: int) -> None:
    frame = roster({}, {})
    with pytest.raises(CountsDisagree):
        at(frame, line)
    with pytest.raises(CountsDisagree):
        recount(lines_of(frame), "certified", [(line, DUPLICATE_LOST)])
    with pytest.raises(CountsDisagree):
        apply_outcomes(counted(frame), (), [(line, DUPLICATE_LOST)])


def test_a_line_is_what_it_was_when_its_document_came() -> None:
    """Whatever the order in which cells are told today."""
    frame = roster({"grade": "ม.1"}, {"sex": "ญ"}, {"grade": "ม.1", "cannot_discharge_yet": "1"})
    mine = judged([frame], AGE_DAY)[0]
    assert at(frame, 3, 1, 3) == (mine[0], mine[2])
    upside_down = [key for key, _ in counted(frame).cells][::-1]
    numbers = bytes(2 - number for number in cells_of(mine, counted(frame)))
    assert rows_at(upside_down, numbers, [1, 2, 3]) == mine


def test_lines_that_are_not_those_of_the_cells_are_a_contradiction() -> None:
    lines = lines_of(roster({}, {"sex": "ญ"}, {"sex": "ญ"}))
    cells = lines.to_plain()
    assert cells == [["ป.1", "ช", "", 1], ["ป.1", "ญ", "", 2]]
    for numbers in (b"\x00\x01", b"\x00\x00\x01", b"\x00\x01\x02", b""):
        with pytest.raises(CountsDisagree):
            Lines.from_plain(cells, numbers)
    with pytest.raises(CountsDisagree):
        rows_at([("ป.1", "ช", "")], b"\x00\x01", [2])


def test_an_outcome_of_another_kind_is_a_contradiction() -> None:
    frame = roster({})
    for reason in (UNDER_AGE, COUNTED, "nonsense"):
        with pytest.raises(CountsDisagree):
            recount(lines_of(frame), "certified", [(1, reason)])


def test_rows_of_another_document_do_not_make_counts_negative() -> None:
    mine, other = roster({}), roster({"grade": "ม.1"})
    with pytest.raises(CountsDisagree):
        apply_outcomes(counted(mine), at(other, 1), [(1, DUPLICATE_LOST)])


def test_a_cell_of_any_length_does_not_stop_the_second_count() -> None:
    assert both_ways(roster({"reg_road": "ก" * 200_000, "first_name_th": 'a"b,\u2028\x85c'})).counted == 1


@pytest.mark.parametrize("quoted", ["", '"'])
def test_an_extract_that_is_not_the_documents_is_told_without_a_value(quoted: str) -> None:
    frame = roster({"first_name_th": f"สม{quoted}มติ", "gpax": "3.25"}, {"first_name_th": "สอง"}, {"sex": "ญ"})
    right = extract.of_many([frame])[0]
    one, two, three = (part + b"\n" for part in right.splitlines()[1:])
    head = right[: -len(one + two + three)]
    wrong = [
        *(head + one + two, head + one + three + two, head + one + two + three + three, head, right + b"\n"),
        *(right.replace(b"3.25", b"3.2"), right.replace(b"gpax", b"room", 1), one + two + three, b""),
        *(right.replace("สอง".encode(), b""), right.replace(b"\n", b",\n", 2)),
    ]
    assert read_lines(encode(frame), right, AGE_DAY) == lines_of(frame)
    for other in wrong:
        with pytest.raises(LinesDiffer) as told:
            read_lines(encode(frame), other, AGE_DAY)
        assert str(told.value) == "the extract is not that of the document"


PUPIL = st.fixed_dictionaries(
    {
        "grade": st.sampled_from(["อ.1", "อ.2", "ป.1", "ป.6", "ม.3", "ม.6", "ปวช.1", "ป.7", ""]),
        "sex": st.sampled_from(["ช", "ญ", "", "?"]),
        "birth_date": st.dates(date(2000, 1, 1), date(2024, 1, 1)).map(str)
        | st.sampled_from(["", "2018-02-29", "0000-01-01", "2020-13-01", "20200101", "2019-1-5", "-"]),
        "cannot_discharge_yet": st.sampled_from(["", "0", "1", "1", "2", "y"]),
        "first_name_th": st.text(max_size=8),
    }
)
REASON = st.sampled_from([DUPLICATE_LOST, DUPLICATE_UNDECIDED])


@settings(max_examples=60, deadline=None)
@given(st.lists(PUPIL, max_size=12), st.data())
def test_both_ways_agree_on_any_roster(pupils: list[dict[str, str]], data: st.DataObject) -> None:
    frame = decode(encode(roster(*pupils)))
    lines = st.integers(1, max(frame.height, 1))
    outcomes: Outcomes = data.draw(st.lists(st.tuples(lines, REASON), max_size=5)) if frame.height else []
    state = data.draw(st.sampled_from(["certified", "acknowledged", "confirmed", "draft"]))
    both_ways(frame, state, outcomes)


def test_summaries_travel_as_json() -> None:
    frame = roster({}, {"sex": "ญ"}, {"cannot_discharge_yet": "1"}, {"grade": "?"})
    summary = both_ways(frame)
    assert Summary.from_plain(json.loads(json.dumps(summary.to_plain()))) == summary
    with pytest.raises(CountsDisagree):
        Summary.from_plain([["ป.1", "ช", "", -1]])


def test_the_nation_is_the_sum_of_its_schools() -> None:
    chance = random.Random(2564)
    schools = [
        roster(
            *({"grade": chance.choice(["อ.1", "ป.1", "ม.1"]), "sex": chance.choice("ชญ")} for _ in range(n))
        )
        for n in range(12)
    ]
    states = ["certified", "draft", "acknowledged"] * 4
    summaries = [both_ways(frame, state) for frame, state in zip(schools, states, strict=True)]
    nation = total(summaries)
    assert nation.pupils == sum(frame.height for frame in schools)
    assert nation.counted == sum(summary.counted for summary in summaries)
    by_hand = Counter[str]()
    for frame, state in zip(schools, states, strict=True):
        if state != "draft":
            by_hand.update(frame["grade"].to_list())
    assert nation.heads() == dict(by_hand)
