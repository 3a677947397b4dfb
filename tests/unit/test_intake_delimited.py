"""Reading by columns gives the cells that reading cell by cell gives, or leaves the text to it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.intake.rules.catalogue_refusals import Unreadable
from services.intake.rules.delimited import regular, table_of
from tests.unit.test_intake_reading import HEADERS, PUPILS, table

PIECES = st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", "ก", "a", " ", "\t", "\x0b", "\x1c", "\u00a0", "\u2028", "#"]
)
PLAIN = st.text(
    st.characters(exclude_characters=',"\r\n\x1c\x1d\x1e\x1f', exclude_categories=["Cs"]), max_size=4
)


def by_cells(text: str) -> list[tuple[str, ...]] | None:
    try:
        return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), strict=True)]
    except csv.Error:
        return None


@given(st.lists(PIECES, max_size=25).map("".join))
@example('"a,b",c\n"d","e"\n')
@example('"a""b",c\n')
@example('"a",b\n"c\nd",e\n')
@example('a"b,c"d\n')
@example('",",b\n')
@example('"a,"b","c"\nd,e,f\n')
def test_a_text_read_by_columns_holds_what_it_holds_cell_by_cell(text: str) -> None:
    frame = regular(text, ",")
    assert frame is None or frame.rows() == by_cells(text)


@given(
    st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(PLAIN, min_size=n, max_size=n), min_size=1)),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_what_programs_write_is_read_by_columns(
    rows: list[list[str]], quoting: int, end: str, ended: bool
) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=quoting, lineterminator=end).writerows(rows)
    text = file.getvalue() if ended else file.getvalue().removesuffix(end)
    frame = regular(text, ",")
    assert frame is not None
    assert frame.rows() == [tuple(row) for row in rows]


BLANK, SPACES, BARE = [""] * 14, [" "] * 14, [*[""] * 3, "ป.1", *[""] * 10]


@given(st.lists(st.sampled_from([*PUPILS, BLANK, SPACES, BARE]), max_size=6))
def test_the_table_is_the_same_either_way(rows: list[list[str]]) -> None:
    last = ["1", '"two ""words"""', *[""] * 12]
    text = table([BLANK, HEADERS, *rows])
    by_columns, by_cells = table_of(text), table_of(text + table([last]))
    assert list(by_columns.headers) == list(by_cells.headers)
    assert by_columns.header_row == by_cells.header_row == 2
    assert [*by_columns.numbers, len(rows) + 3] == by_cells.numbers
    assert by_columns.cells.rows() == by_cells.cells.rows()[:-1]


@pytest.fixture
def longest() -> Iterator[int]:
    """The longest cell csv takes; the process may have set another."""
    before = csv.field_size_limit(131_072)
    yield 131_072
    csv.field_size_limit(before)


def test_a_cell_longer_than_is_allowed_is_refused_however_regular_its_line(longest: int) -> None:
    text = table([HEADERS, [*PUPILS[0][:-1], "x" * (longest + 1)]])
    with pytest.raises(Unreadable) as refused:
        table_of(text)
    assert refused.value.code == "broken-quotes"
