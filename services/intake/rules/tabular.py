"""The table in a file: which of its rows is the header, which column is which field. Where its cells come from is told by
`delimited`, `workbook` and `reading`; what they are worth by `checks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from services.contracts.roster.fields import Field, by_key, field_for_header, required_columns
from services.intake.rules.catalogue_refusals import HEADER_ROWS, MAX_ROWS, refusal

SOURCE_ROW = "_source_row"
MAX_WIDTH = 500
MIN_KNOWN = 3


@dataclass(frozen=True, slots=True)
class Table:
    """The rows below a header that are not blank: a String column without nulls for each header, in the headers' order,
    and the rows' numbers in the file. Numbers are 1-based, as a spreadsheet shows them."""

    headers: Sequence[str]
    cells: pl.DataFrame
    numbers: Sequence[int]
    header_row: int
    sheet: str = ""


def known(row: Sequence[str]) -> int:
    """How many different fields the cells of a row are headers of."""
    return len({field.key for cell in row[:MAX_WIDTH] if (field := field_for_header(cell))})


def header_index(rows: Sequence[Sequence[str]]) -> int | None:
    """The index of the header: among the first rows the one with the most known headers, at least three."""
    best, most = None, MIN_KNOWN - 1
    for index, row in enumerate(rows[:HEADER_ROWS]):
        # Looking headers up is slow, and a row of pupils has fewer different cells than the header above has headers.
        if len(set(row)) > most and (count := known(row)) > most:
            best, most = index, count
    return best


def of_rows(rows: Sequence[Sequence[str]], header: int, sheet: str = "") -> Table:
    """The table whose header is `rows[header]`. Raises Unreadable: too-many-columns, ragged-row."""
    headers = rows[header]
    width = len(headers)
    if width > MAX_WIDTH:
        raise refusal("too-many-columns")
    body: list[Sequence[str]] = []
    numbers: list[int] = []
    for number, row in enumerate(rows[header + 1 :], start=header + 2):
        if is_blank(row):
            continue
        if len(row) > width and not is_blank(row[width:]):
            raise refusal("ragged-row", row=number)
        body.append(row if len(row) == width else [*row[:width], *[""] * (width - len(row))])
        numbers.append(number)
    columns = zip(*body, strict=True) if body else [()] * width
    cells = pl.DataFrame([pl.Series(str(n), column, dtype=pl.String) for n, column in enumerate(columns)])
    return Table(headers, cells, numbers, header + 1, sheet)


def is_blank(row: Sequence[str]) -> bool:
    return not any(cell and not cell.isspace() for cell in row)


def framed(table: Table) -> pl.DataFrame:
    """The known, kept columns by field key. Raises Unreadable for missing, doubled or too many."""
    chosen: dict[str, str] = {}
    for header, column in zip(table.headers, table.cells.columns, strict=True):
        field = field_for_header(header)
        if field is None or field.derived:
            continue
        _refuse_repeated_header(field, header, table.cells.get_column(column), table.numbers)
        if field.key not in chosen or _replaces(table, chosen[field.key], column, field):
            chosen[field.key] = column
    _require_columns(chosen)
    if len(table.numbers) > MAX_ROWS:
        raise refusal("too-many-rows")
    frame = table.cells[list(chosen.values())]
    frame.columns = list(chosen)
    return frame.with_columns(pl.Series(SOURCE_ROW, table.numbers, dtype=pl.Int64))


def unknown_headers(table: Table) -> tuple[str, ...]:
    """The first headers no field is known by, cut to 80 characters."""
    unknown = [text.strip()[:80] for text in table.headers if text.strip() and field_for_header(text) is None]
    return tuple(unknown[:50])


def _refuse_repeated_header(field: Field, header: str, column: pl.Series, numbers: Sequence[int]) -> None:
    """A header further down among the pupils means that two lists were pasted together."""
    if field.key == "national_id" and (again := (column == header).arg_true()).len():
        raise refusal("header-doubled", row=numbers[again[0]], field_th=field.th, field_en=field.en)


def _replaces(table: Table, earlier: str, later: str, field: Field) -> bool:
    """Whether the later of two columns for one field is kept: DMC exports repeat some at their end with equal content."""
    one, other = (
        [cell.strip() for cell in table.cells.get_column(column).to_list()] for column in (earlier, later)
    )
    if not any(one):
        return True
    if one == other or not any(other):
        return False
    raise refusal("header-doubled", row=table.header_row, field_th=field.th, field_en=field.en)


def _require_columns(chosen: Mapping[str, object]) -> None:
    missing = [by_key(key) for key in required_columns() if key not in chosen]
    if missing:
        raise refusal(
            "required-column-missing",
            fields_th=" ".join(field.th for field in missing),
            fields_en=", ".join(field.en for field in missing),
        )
