"""The difference of two versions names lines and fields, and finds the same child under a corrected number."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.roster.canonical import canonicalise, empty
from services.contracts.roster.diff import Change, Diff, diff

_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "national_id": st.sampled_from(["", "1112034563562", "1112034563563", "G644200000001"]),
            "student_code": st.sampled_from(["", "1", "2", "3"]),
            "first_name_th": st.sampled_from(["", "ก", "ข"]),
        }
    ),
    max_size=6,
)


def _roster(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["national_id", "student_code", "grade", "first_name_th"], orient="row")
    return canonicalise(frame if rows else empty())


def test_nothing_changed() -> None:
    roster = _roster(("1112034563562", "1", "ป.1", "ก"), ("G644200000001", "2", "ป.2", "ข"))
    assert diff(roster, roster) == Diff((), (), ())
    assert not diff(roster, roster)


def test_added_removed_and_changed() -> None:
    old = _roster(("1112034563562", "1", "ป.1", "ก"), ("G644200000001", "2", "ป.2", "ข"))
    new = _roster(("G644200000001", "2", "ป.1", "ง"), ("1112034563563", "3", "ป.3", "ค"))
    assert diff(old, new) == Diff(
        added=(2,), removed=(1,), changed=(Change(2, 1, ("grade", "first_name_th")),)
    )


def test_a_corrected_number_is_the_same_child() -> None:
    old = _roster(("1112034563563", "1", "ป.1", "ก"))
    new = _roster(("1112034563562", "1", "ป.1", "ก"))
    assert diff(old, new).changed == (Change(1, 1, ("national_id",)),)


def test_a_child_entered_twice_and_once_removed() -> None:
    twice = _roster(("1112034563562", "1", "ป.1", "ก"), ("1112034563562", "2", "ป.1", "ก"))
    once = _roster(("1112034563562", "2", "ป.1", "ก"))
    assert diff(twice, once) == Diff((), (1,), ())
    assert diff(once, twice) == Diff((1,), (), ())


def test_from_and_to_an_empty_roster() -> None:
    roster = _roster(("1112034563562", "1", "ป.1", "ก"))
    assert diff(empty(), roster) == Diff((1,), (), ())
    assert diff(roster, empty()) == Diff((), (1,), ())


@given(_ROWS, _ROWS)
def test_every_line_is_told_once(old_rows: list[dict[str, str]], new_rows: list[dict[str, str]]) -> None:
    old, new = (canonicalise(pl.DataFrame(rows) if rows else empty()) for rows in (old_rows, new_rows))
    found = diff(old, new)
    assert old.height - len(found.removed) == new.height - len(found.added)
    assert len({change.old_line for change in found.changed}) == len(found.changed)
    assert {change.new_line for change in found.changed}.isdisjoint(found.added)
    backwards = diff(new, old)
    assert len(backwards.added) == len(found.removed)
