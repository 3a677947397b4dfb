"""A clerk's file as columns of raw text: which format and encoding it is in. A file that is no roster is refused whole; what
the values are worth is told by `checks`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from services.contracts.roster.canonical import is_utf8
from services.contracts.roster.fields import required_columns
from services.intake.rules import delimited, workbook
from services.intake.rules.catalogue_refusals import MAX_ROWS, refusal
from services.intake.rules.tabular import (
    MAX_WIDTH,
    MIN_KNOWN,
    SOURCE_ROW,
    Table,
    framed,
    header_index,
    known,
    of_rows,
    unknown_headers,
)

# Three letters or more. The first stands apart: what begins with a certain byte is searched ten times as fast.
_THAI_UTF8 = re.compile(rb"\xe0[\xb8\xb9][\x80-\xbf](?:\xe0[\xb8\xb9][\x80-\xbf]){2,}")
_CELL_BREAK = re.compile(rb"[,\t;|\r\n]")
_CONTROLS = [*range(0x01, 0x09), *range(0x0E, 0x20)]
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
    return _readout(delimited.table_of(text), "csv", encoding)


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text, encoding = _decoded_thai(data), "cp874"
    single = text.encode() if encoding == "utf-16" else data
    if "\x00" in text or _controls(single) > 5 + len(text) // 1000:
        raise refusal("not-a-roster")
    return text, encoding


def _controls(data: bytes) -> int:
    """How many bytes there are that no text is written with."""
    signs = np.frombuffer(data, np.uint8)
    low = signs[signs < 0x20]
    return int(np.isin(low, _CONTROLS).sum() + (signs == 0x7F).sum())


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
        if _THAI_UTF8.search(cell) and is_utf8(cell):
            return start
        start += len(cell) + 1
    return None


def _table_of_workbook(data: bytes) -> Table:
    tables = []
    for name, rows in workbook.sheets(data):
        header = header_index(rows)
        if header is not None:
            tables.append((rows, header, name))
    if not tables:
        raise refusal("header-missing")
    if len(tables) > 1:
        raise refusal("several-sheets")
    return of_rows(*tables[0])


def _readout(table: Table, form: str, encoding: str) -> Readout:
    frame = framed(table)
    return Readout(frame, unknown_headers(table), encoding, form, table.header_row, table.sheet)


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
    if len(headers) > MAX_WIDTH:
        raise refusal("too-many-columns")
    if not all(map(_is_text, headers)):
        raise refusal("not-a-roster")
    if known(headers) < MIN_KNOWN:
        raise refusal("header-missing")
    rows = [headers, *([_json_cell(student.get(key)) for key in headers] for student in students)]
    table = of_rows(rows, 0)
    frame = framed(table).with_columns(pl.col(SOURCE_ROW) - 1)
    return Readout(frame, unknown_headers(table), encoding, "json", 0)


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
