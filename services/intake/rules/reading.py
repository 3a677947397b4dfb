"""A clerk's file as columns of raw text: which format and encoding it is in, where its header is, which column is which
field. A file that is no roster is refused whole; what the values are worth is told by `checks`."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from services.contracts.roster.fields import Field, by_key, field_for_header, required_columns
from services.intake.rules import workbook
from services.intake.rules.catalogue_refusals import HEADER_ROWS, MAX_ROWS, refusal

SOURCE_ROW = "_source_row"

_MIN_KNOWN = 3
_MAX_WIDTH = 500
_MAX_LINES = 20_000
_SAMPLE = 200_000
_DELIMITERS = (",", "\t", ";", "|")
_THAI_UTF8 = re.compile(rb"(?:\xe0[\xb8\xb9][\x80-\xbf]){3,}")
_CELL_BREAK = re.compile(rb"[,\t;|\r\n]")
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f\x7f]")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Readout:
    """What a file holds: one String column per known field as typed, and `_source_row`, the row's number in the file as
    a spreadsheet shows it (1-based; for JSON the student's position)."""

    frame: pl.DataFrame
    unknown_headers: tuple[str, ...]
    encoding: str
    form: str
    header_row: int
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of a file, the header among them at index `header`."""

    rows: Sequence[Sequence[str]]
    header: int
    sheet: str = ""


def read(data: bytes, media_type: str = "", filename: str = "") -> Readout:
    """The roster in a file: CSV (UTF-8 with or without BOM, UTF-16, windows-874; comma, tab, semicolon), XLSX or JSON.

    What the bytes are decides; `media_type` and `filename` only tell JSON from a broken text. Raises Unreadable with a
    code of `catalogue_refusals.REFUSALS`.
    """
    if not data.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise refusal("empty-file")
    if workbook.is_legacy(data):
        raise workbook.refuse_legacy(data)
    if workbook.is_package(data):
        return _readout(_table_of_workbook(data), "xlsx", "utf-8")
    text, encoding = _decoded(data)
    if _is_json(text, media_type, filename):
        return _read_json(text, encoding)
    return _readout(_table_of_csv(text), "csv", encoding)


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text, encoding = _decoded_thai(data), "cp874"
    if "\x00" in text or len(_CONTROL.findall(text)) > 5 + len(text) // 1000:
        raise refusal("not-a-roster")
    return text, encoding


def _decoded_thai(data: bytes) -> str:
    """windows-874, unless cells of the file are Thai in UTF-8: then it was pasted together from two files."""
    try:
        text = data.decode("cp874")
    except UnicodeDecodeError:
        text = None
    mixed = _first_utf8_cell(data)
    if mixed is not None and b"\x00" not in data:
        raise refusal("mixed-encoding", row=data.count(b"\n", 0, mixed) + 1)
    if text is None:
        raise refusal("not-a-roster")
    return text


def _first_utf8_cell(data: bytes) -> int | None:
    """Where the first cell begins that is Thai text in UTF-8 throughout (three letters or more)."""
    if not _THAI_UTF8.search(data):
        return None
    start = 0
    for cell in _CELL_BREAK.split(data):
        if _THAI_UTF8.search(cell) and _is_utf8(cell):
            return start
        start += len(cell) + 1
    return None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _known(row: Sequence[str]) -> int:
    return len({field.key for cell in row[:_MAX_WIDTH] if (field := field_for_header(cell))})


def _header_index(rows: Sequence[Sequence[str]]) -> int | None:
    """The index of the header: among the first rows the one with the most known headers, at least three."""
    counts = [_known(row) for row in rows[:HEADER_ROWS]]
    best = max(counts, default=0)
    return counts.index(best) if best >= _MIN_KNOWN else None


def _csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _delimiter(text: str) -> str:
    """The first delimiter under which one of the first lines holds known headers; no header uses any of them."""
    lines = [line.replace('"', "") for line in text[:_SAMPLE].splitlines()[: HEADER_ROWS * 2]]
    for delimiter in _DELIMITERS:
        if any(_known(line.split(delimiter)) >= _MIN_KNOWN for line in lines if delimiter in line):
            return delimiter
    return _DELIMITERS[0]


def _table_of_csv(text: str) -> _Table:
    text = text.removeprefix("\ufeff")
    rows: list[list[str]] = []
    filled = 0
    try:
        for row in _csv_rows(text, _delimiter(text)):
            rows.append(row)
            filled += any(row)
            if filled > MAX_ROWS + HEADER_ROWS or len(rows) > _MAX_LINES:
                raise refusal("too-many-rows")
    except csv.Error:
        if _header_index(rows) is None:
            raise refusal("header-missing") from None
        raise refusal("broken-quotes", row=len(rows) + 1) from None
    header = _header_index(rows)
    if header is None:
        raise refusal("header-missing")
    return _Table(rows, header)


def _table_of_workbook(data: bytes) -> _Table:
    tables = []
    for name, rows in workbook.sheets(data):
        header = _header_index(rows)
        if header is not None:
            tables.append(_Table(rows, header, name))
    if not tables:
        raise refusal("header-missing")
    if len(tables) > 1:
        raise refusal("several-sheets")
    return tables[0]


def _readout(table: _Table, form: str, encoding: str) -> Readout:
    headers = table.rows[table.header]
    width = len(headers)
    if width > _MAX_WIDTH:
        raise refusal("too-many-columns")
    body: list[Sequence[str]] = []
    numbers: list[int] = []
    for number, row in enumerate(table.rows[table.header + 1 :], start=table.header + 2):
        if not any(cell and not cell.isspace() for cell in row):
            continue
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            raise refusal("ragged-row", row=number)
        body.append(row if len(row) == width else [*row[:width], *[""] * (width - len(row))])
        numbers.append(number)
    columns = list(zip(*body, strict=True)) if body else [()] * width
    frame = _framed(headers, columns, numbers, table.header + 1)
    unknown = tuple(text.strip()[:80] for text in headers if text.strip() and field_for_header(text) is None)
    return Readout(frame, unknown[:50], encoding, form, table.header + 1, table.sheet)


def _framed(
    headers: Sequence[str], columns: Sequence[Sequence[str]], numbers: Sequence[int], header_row: int
) -> pl.DataFrame:
    """The known, kept columns by field key. Raises Unreadable for missing, doubled or too many."""
    chosen: dict[str, Sequence[str]] = {}
    for header, column in zip(headers, columns, strict=True):
        field = field_for_header(header)
        if field is None or field.derived:
            continue
        _refuse_repeated_header(field, header, column, numbers)
        chosen[field.key] = _one_of(chosen.get(field.key), column, field, header_row)
    _require_columns(chosen)
    if len(numbers) > MAX_ROWS:
        raise refusal("too-many-rows")
    frame = pl.DataFrame(chosen, schema=dict.fromkeys(chosen, pl.String))
    return frame.with_columns(pl.Series(SOURCE_ROW, numbers, dtype=pl.Int64))


def _refuse_repeated_header(field: Field, header: str, column: Sequence[str], numbers: Sequence[int]) -> None:
    """A header further down among the pupils means that two lists were pasted together."""
    if field.key == "national_id" and header in column:
        row = numbers[column.index(header)]
        raise refusal("header-doubled", row=row, field_th=field.th, field_en=field.en)


def _one_of(
    earlier: Sequence[str] | None, later: Sequence[str], field: Field, header_row: int
) -> Sequence[str]:
    """Of two columns for one field the one to keep: DMC exports repeat some headers at their end with equal content."""
    if earlier is None or not any(cell.strip() for cell in earlier):
        return later
    same = all(one.strip() == other.strip() for one, other in zip(earlier, later, strict=True))
    if same or not any(cell.strip() for cell in later):
        return earlier
    raise refusal("header-doubled", row=header_row, field_th=field.th, field_en=field.en)


def _require_columns(chosen: Mapping[str, object]) -> None:
    missing = [by_key(key) for key in required_columns() if key not in chosen]
    if missing:
        raise refusal(
            "required-column-missing",
            fields_th=" ".join(field.th for field in missing),
            fields_en=", ".join(field.en for field in missing),
        )


def _is_json(text: str, media_type: str, filename: str) -> bool:
    declared = media_type.partition(";")[0].strip().endswith("json") or filename.lower().endswith(".json")
    return declared or text.lstrip("\ufeff \t\r\n")[:1] in ("[", "{")


def _read_json(text: str, encoding: str) -> Readout:
    """A list of objects by field key or Thai header, or an object with that list under `students`."""
    try:
        value = json.loads(text.removeprefix("\ufeff"), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise refusal("not-a-roster") from None
    students = value.get("students") if isinstance(value, dict) else value
    if not isinstance(students, list) or not all(isinstance(student, dict) for student in students):
        raise refusal("not-a-roster")
    if len(students) > MAX_ROWS:
        raise refusal("too-many-rows")
    headers = list(dict.fromkeys(key for student in students for key in student)) or list(required_columns())
    if len(headers) > _MAX_WIDTH:
        raise refusal("too-many-columns")
    if not all(map(_is_text, headers)):
        raise refusal("not-a-roster")
    if _known(headers) < _MIN_KNOWN:
        raise refusal("header-missing")
    rows = [headers, *([_json_cell(student.get(key)) for key in headers] for student in students)]
    table = _readout(_Table(rows, 0), "json", encoding)
    positions = pl.col(SOURCE_ROW) - 1
    return Readout(table.frame.with_columns(positions), table.unknown_headers, encoding, "json", 0)


def _json_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if not isinstance(value, str) or not _is_text(value):
        raise refusal("not-a-roster")
    return value


def _is_text(value: str) -> bool:
    """False for half a surrogate pair, which JSON can spell and UTF-8 cannot."""
    return value.isprintable() or not any("\ud800" <= char <= "\udfff" for char in value)
