"""Text whose cells stand between commas, tabs, semicolons or bars.

Most files are regular: every line has as many cells as the first, and quotes only stand around a whole cell. Those are
read column by column at a quarter of the cost; any other is read cell by cell, and told what is wrong with it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from services.intake.rules.catalogue_refusals import HEADER_ROWS, MAX_ROWS, refusal
from services.intake.rules.tabular import MAX_WIDTH, MIN_KNOWN, Table, header_index, is_blank, known, of_rows

_MAX_LINES = 20_000
_SAMPLE = 200_000
_DELIMITERS = (",", "\t", ";", "|")
_QUOTE, _NEWLINE = b'"\n'
# csv.reader breaks lines at a lone CR and takes these controls for blanks; such a file is not read by columns.
_IRREGULAR = (b"\r", b"\x1c", b"\x1d", b"\x1e", b"\x1f")


def table_of(text: str) -> Table:
    """The table in a text. Raises Unreadable: header-missing, broken-quotes, ragged-row, too-many-rows, too-many-columns."""
    text = text.removeprefix("\ufeff")
    delimiter = _delimiter(text)
    frame = regular(text, delimiter)
    if frame is not None:
        return _of_frame(frame)
    rows = _rows(text, delimiter)
    header = header_index(rows)
    if header is None:
        raise refusal("header-missing")
    return of_rows(rows, header)


def regular(text: str, delimiter: str) -> pl.DataFrame | None:
    """The cells of a regular text, every line a row, as String columns without nulls; None for a text that is not."""
    cells = text.encode().replace(b"\r\n", b"\n").removesuffix(b"\n") + b"\n"
    if any(sign in cells for sign in _IRREGULAR):
        return None
    if not _is_regular(np.frombuffer(cells, np.uint8), ord(delimiter)):
        return None
    return pl.read_csv(
        cells.replace(b'"', b""),
        has_header=False,
        separator=delimiter,
        quote_char=None,
        infer_schema=False,
        empty_string_is_null=False,
    )


def _is_regular(signs: np.ndarray, delimiter: int) -> bool:
    ends = np.flatnonzero((signs == delimiter) | (signs == _NEWLINE))
    lines = np.flatnonzero(signs[ends] == _NEWLINE)
    width = int(lines[0]) + 1
    if not 1 < width <= MAX_WIDTH or len(lines) > MAX_ROWS or np.any(np.diff(lines) != width):
        return False
    if np.diff(ends[lines]).max(initial=int(ends[lines[0]])) >= csv.field_size_limit():
        return False
    quotes = np.flatnonzero(signs == _QUOTE)
    opening, closing = quotes[0::2], quotes[1::2]
    if len(opening) != len(closing):
        return False
    border = np.zeros(256, bool)
    border[[delimiter, _NEWLINE]] = True
    # The sign before the first is the last: a newline.
    around = border[signs[opening - 1]].all() and border[signs[closing + 1]].all()
    return bool(around and np.array_equal(np.searchsorted(ends, opening), np.searchsorted(ends, closing)))


def _of_frame(frame: pl.DataFrame) -> Table:
    header = header_index(frame.head(HEADER_ROWS).rows())
    if header is None:
        raise refusal("header-missing")
    headers = frame.row(header)
    body = frame.slice(header + 1)
    blank = {index for index in _without_first_cells(body) if is_blank(body.row(index))}
    numbers = [index + header + 2 for index in range(body.height) if index not in blank]
    if blank:
        body = body[[number - header - 2 for number in numbers]]
    return Table(headers, body, numbers, header + 1)


def _without_first_cells(body: pl.DataFrame) -> list[int]:
    """The rows that may be blank: their first cells are. Few, where the school's code or the pupil's number stands there."""
    first = body.select(pl.all_horizontal(pl.nth(range(min(3, body.width))).str.strip_chars() == ""))
    return first.to_series().arg_true().to_list()


def _delimiter(text: str) -> str:
    """The first delimiter under which one of the first lines holds known headers; no header uses any of them."""
    lines = [line.replace('"', "") for line in text[:_SAMPLE].splitlines()[: HEADER_ROWS * 2]]
    for delimiter in _DELIMITERS:
        if any(known(line.split(delimiter)) >= MIN_KNOWN for line in lines if delimiter in line):
            return delimiter
    return _DELIMITERS[0]


def _cells(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _rows(text: str, delimiter: str) -> Sequence[Sequence[str]]:
    rows: list[list[str]] = []
    filled = 0
    try:
        for row in _cells(text, delimiter):
            rows.append(row)
            filled += any(row)
            if filled > MAX_ROWS + HEADER_ROWS or len(rows) > _MAX_LINES:
                raise refusal("too-many-rows")
    except csv.Error:
        if header_index(rows) is None:
            raise refusal("header-missing") from None
        raise refusal("broken-quotes", row=len(rows) + 1) from None
    return rows
