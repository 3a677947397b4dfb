"""The pure rules of duplicates: reading a projection, what changes between two rolls, how a case stands."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.access import AREA, HQ, Grant
from services.contracts.calendar import BANGKOK, Window
from services.contracts.refusal import Refusal
from services.contracts.roster.canonical import NotCanonical, pack
from services.dedup.rules.guards import Case, Side, may_decide
from services.dedup.rules.holdings import (
    HEADER,
    Holding,
    ProjectionUnreadable,
    change,
    current_as_of,
    read_holdings,
)
from services.dedup.rules.standing import (
    CLEARED,
    DECIDED,
    NEITHER,
    OPEN,
    Ruling,
    next_revision,
    outcomes,
    standing,
)

KEYS = st.binary(min_size=16, max_size=16)
# A null byte cannot be stored; intake's canonical roster never holds one.
WORDS = st.text(st.characters(exclude_characters="\0\r\n", codec="utf-8"), max_size=8)
HOLDINGS = st.builds(Holding, KEYS, st.integers(1, 9999), WORDS, WORDS, WORDS, WORDS)
ROLLS = st.lists(HOLDINGS, max_size=8, unique_by=lambda h: h.key).map(lambda hs: {h.key: h for h in hs})
SCHOOLS = st.frozensets(st.sampled_from("ABCD"))
NOW = datetime(2021, 11, 1, 9, tzinfo=BANGKOK)


def written(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([HEADER, *rows])
    return pack(buffer.getvalue().encode())


@given(ROLLS)
def test_what_is_written_is_read(roll: dict[bytes, Holding]) -> None:
    rows = [[str(h.line), h.key.hex(), h.first_name, h.last_name, h.birth_date, h.sex] for h in roll.values()]
    assert read_holdings(written(rows)) == roll


@given(st.permutations([3, 1, 2]))
def test_the_lowest_line_of_a_repeated_key_counts(order: list[int]) -> None:
    rows = [[str(line), "ab" * 16, f"n{line}", "", "", ""] for line in order]
    assert [h.line for h in read_holdings(written(rows)).values()] == [1]


@pytest.mark.parametrize("line", ["0", "-1", "1.0", "", "๑", "1000000", " 1"])
def test_a_line_number_is_a_line_number(line: str) -> None:
    with pytest.raises(ProjectionUnreadable, match="row 1"):
        read_holdings(written([[line, "ab" * 16, "", "", "", ""]]))


@pytest.mark.parametrize("key", ["AB" * 16, "ab" * 15, "ab" * 32, "r" + "a" * 31, "1100701234567"])
def test_a_key_is_32_hex_digits_and_never_a_number_in_the_clear(key: str) -> None:
    with pytest.raises(ProjectionUnreadable) as problem:
        read_holdings(written([["1", key, "สมชาย", "", "", ""]]))
    assert key not in str(problem.value)
    assert "สมชาย" not in str(problem.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for document in (data, pack(data), pack(",".join(HEADER).encode() + b"\n" + data)):
        try:
            read_holdings(document)
        except (ProjectionUnreadable, NotCanonical):
            continue


@given(ROLLS, ROLLS)
def test_a_change_turns_one_roll_into_the_other(old: dict[bytes, Holding], new: dict[bytes, Holding]) -> None:
    step = change(old, new)
    result = {key: h for key, h in old.items() if key not in step.removed}
    result |= {h.key: h for h in (*step.added, *step.altered)}
    assert not {h.key for h in step.added} & old.keys()
    assert result == new
    assert list(step.removed) == sorted(step.removed)
    assert not change(new, new).added
    assert not change(new, new).altered
    assert not change(new, new).removed


@pytest.mark.parametrize(
    ("revision", "sha256", "manifest", "expected"),
    [
        (5, "x", None, 5),
        (5, "x", (9, "x"), 9),
        (12, "x", (9, "x"), 12),
        (5, "y", (9, "x"), None),
        (9, "y", (9, "x"), None),
        (12, "y", (9, "x"), 12),
        (5, "y", (9, None), None),
    ],
)
def test_as_of_which_revision_a_version_is_current(
    revision: int, sha256: str, manifest: tuple[int, str | None] | None, expected: int | None
) -> None:
    assert current_as_of(revision, sha256, manifest) == expected


RULINGS = st.one_of(
    st.none(),
    st.builds(Ruling, st.sampled_from(["A", "B", "C", "D", NEITHER]), SCHOOLS.filter(lambda s: len(s) > 1)),
)


@given(SCHOOLS, RULINGS)
def test_how_a_case_stands(holders: frozenset[str], ruling: Ruling | None) -> None:
    state, decision = standing(holders, ruling)
    assert (state == CLEARED) == (len(holders) < 2)
    assert bool(decision) == (state == DECIDED)
    if state == DECIDED:
        assert ruling is not None
        assert decision == ruling.belongs_to
        assert holders <= ruling.schools
        assert decision in {*holders, NEITHER}


def test_a_ruling_holds_while_nobody_joins_and_the_winner_stays() -> None:
    ruling = Ruling("A", frozenset("ABC"))
    assert standing(frozenset("ABC"), ruling) == (DECIDED, "A")
    assert standing(frozenset("AC"), ruling) == (DECIDED, "A")
    assert standing(frozenset("BC"), ruling) == (OPEN, "")
    assert standing(frozenset("ABD"), ruling) == (OPEN, "")
    assert standing(frozenset("BC"), Ruling(NEITHER, frozenset("ABC"))) == (DECIDED, NEITHER)


@given(SCHOOLS.filter(lambda s: len(s) > 1), RULINGS)
def test_at_most_one_school_is_paid_for_a_pupil(holders: frozenset[str], ruling: Ruling | None) -> None:
    state, decision = standing(holders, ruling)
    parties = [{"school": school, "sha256": school * 64, "line": 1} for school in sorted(holders)]
    not_counted = {outcome.school for outcome in outcomes("c", state, decision, parties)}
    paid = holders - not_counted
    assert paid == ({decision} if state == DECIDED and decision != NEITHER else set())
    assert not outcomes("c", CLEARED, "", parties)


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_a_revision_grows(previous: int, now: int) -> None:
    assert next_revision(previous, now) > previous
    assert next_revision(previous, now) >= now


@given(st.lists(st.sampled_from(["6601", "6602", "6501"]), min_size=2, max_size=4), st.data())
def test_an_area_decides_only_over_its_own_losers(esas: list[str], data: st.DataObject) -> None:
    sides = tuple(Side(f"S{n}", esa) for n, esa in enumerate(esas))
    belongs_to = data.draw(st.sampled_from([*(side.school for side in sides), NEITHER]))
    window = Window(NOW - timedelta(days=1), NOW + timedelta(days=1))
    case = Case(state=OPEN, sides=sides, ruled_by="", round_state="open", windows=(window,))
    assert may_decide([Grant(HQ, "*")], case, belongs_to, NOW) == HQ
    losing = {side.esa for side in sides if side.school != belongs_to}
    if losing <= {"6602"}:
        assert may_decide([Grant(AREA, "6602")], case, belongs_to, NOW) == AREA
    else:
        with pytest.raises(Refusal) as refusal:
            may_decide([Grant(AREA, "6602")], case, belongs_to, NOW)
        assert refusal.value.status == 403
