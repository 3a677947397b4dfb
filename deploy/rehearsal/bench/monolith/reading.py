"""A roll's file as rows: CSV by the csv module, XLSX by calamine."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import python_calamine

from services.contracts.roster.fields import field_for_header

Row = dict[str, str]
HEADER_ROWS = 10


def rows_of(data: bytes) -> list[tuple[int, Row]]:
    """(number in the file, texts by field) of every pupil. Raises ValueError for what holds no table."""
    cells = _of_workbook(data) if data.startswith(b"PK") else _of_text(data)
    header = max(range(len(cells[:HEADER_ROWS])), key=lambda index: len(_places(cells[index])), default=None)
    if header is None or not (places := _places(cells[header])):
        raise ValueError("no header")
    return [
        (number, {key: row[place] for key, place in places.items() if place < len(row)})
        for number, row in enumerate(cells[header + 1 :], start=header + 2)
        if any(row)
    ]


def _places(headers: Sequence[str]) -> dict[str, int]:
    """The column of each field that is kept; of columns that are repeated the first."""
    places: dict[str, int] = {}
    for place, header in enumerate(headers):
        field = field_for_header(header)
        if field is not None and not field.derived:
            places.setdefault(field.key, place)
    return places


def _of_text(data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp874")
    first = text.partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _of_workbook(data: bytes) -> list[list[str]]:
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    return [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
