"""The forms in which schools send a roll: spellings of headers, kinds of file, encodings. From columns to bytes.

What the columns hold is not changed here, except how a file of that kind shows it. Broken files are made by `wrong`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import polars as pl
import xlsxwriter

from deploy.rehearsal.draw import Columns
from services.contracts.roster.fields import Field, by_key

Kind = Literal["utf8-bom", "utf8", "windows-874", "tab", "xlsx"]
Headers = Literal["plain", "tight", "older"]

KINDS: Final[tuple[Kind, ...]] = ("utf8-bom", "utf8", "windows-874", "tab", "xlsx")
HEADERS: Final[tuple[Headers, ...]] = ("plain", "tight", "older")
TITLE: Final = "วันและเวลาที่สร้างรายงาน 5 พฤศจิกายน 2564 เวลา 09:12:44 น."
_REPEATED: Final = (
    "elder_brothers",
    "younger_brothers",
    "younger_sisters",
)  # the export prints them once more at its end
_YEAR_END: Final = frozenset({"year_result", "years_studied", "failing_reason", "graduated", "next_step"})
_CREATED: Final = datetime(2021, 11, 5, 9, 12, 44)  # fixed: the same seed gives the same bytes
_NUMBERS: Final = frozenset({"int", "decimal"})


@dataclass(frozen=True, slots=True)
class Form:
    """How one school sends its file; `kindergarten` is its word for the grades before ป.1 (`อ.` or `อบ.`)."""

    kind: Kind
    headers: Headers
    kindergarten: str = "อ."

    @property
    def suffix(self) -> str:
        """The file's ending."""
        return "xlsx" if self.kind == "xlsx" else "csv"

    @property
    def first_row(self) -> int:
        """Row of the first pupil as a spreadsheet counts: the export has a line with its time above the header."""
        return 3 if self.kind == "xlsx" else 2


def write(columns: Columns, form: Form) -> bytes:
    """A file of this form holding these columns (field key to file text, all of one length)."""
    shown = _shown(columns, form)
    if form.kind == "xlsx":
        return _workbook(shown, form)
    headers = {key: header(by_key(key), form.headers) for key in shown}
    frame = pl.DataFrame({headers[key]: column for key, column in shown.items()})
    out = io.BytesIO()
    frame.write_csv(
        out,
        separator="\t" if form.kind == "tab" else ",",
        include_bom=form.kind == "utf8-bom",
        line_terminator="\r\n",
    )
    data = out.getvalue()
    return in_windows_874(data) if form.kind == "windows-874" else data


def in_windows_874(data: bytes) -> bytes:
    """UTF-8 text in windows-874, with ? for what it lacks, as a spreadsheet saves it (one real school's name is garbled)."""
    return data.decode("utf-8").encode("cp874", errors="replace")


def header(field: Field, spelling: Headers) -> str:
    """A field's header: as DMC prints it, without the blank before brackets, or as older exports had it."""
    if spelling == "tight":
        return field.th.replace(" (", "(")
    if spelling == "older" and field.aliases:
        return field.aliases[0]
    return field.th


def _shown(columns: Columns, form: Form) -> Columns:
    """The columns that a file has: year-end columns only when something is in them."""
    year_end = bool((columns["year_result"] != "").any())
    shown = {key: column for key, column in columns.items() if year_end or key not in _YEAR_END}
    if form.kindergarten != "อ.":
        shown["grade"] = shown["grade"].str.replace(r"^อ\.", form.kindergarten)
    return shown


def _workbook(columns: Columns, form: Form) -> bytes:
    """The export's workbook: title line, header, rows, and three headers once more at the end.

    Numbers are number cells, identity numbers text cells, as DMC writes them.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": _CREATED})
    sheet = book.add_worksheet("studentInSchoolList")
    keys = [*columns, *_REPEATED]
    sheet.write_string(0, 0, TITLE)
    sheet.write_row(1, 0, [header(by_key(key), form.headers) for key in keys])
    numeric = [by_key(key).kind in _NUMBERS for key in keys]
    for number, row in enumerate(zip(*(columns[key].to_list() for key in keys), strict=True), start=2):
        for place, value in enumerate(row):
            if numeric[place] and _is_number(value):
                sheet.write_number(number, place, float(value))
            elif value:
                sheet.write_string(number, place, value)
    book.close()
    return out.getvalue()


def _is_number(value: str) -> bool:
    return value.isascii() and value.replace(".", "", 1).isdigit()
