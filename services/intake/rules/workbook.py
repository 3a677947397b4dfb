"""XLSX workbooks as rows of text, without trusting the file: sizes are checked and every part is unpacked under a cap
before calamine sees it. Which sheet and row hold a roster is `reading`'s question."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import python_calamine

from services.intake.rules.catalogue_refusals import Unreadable, refusal

Cell = int | float | str | bool | date | datetime | time | timedelta

MAX_INFLATED = 60 * 1024 * 1024
MAX_RATIO = 250
MAX_PARTS = 1_000
MAX_SHEETS = 20
MAX_SHEET_ROWS = 20_000
MAX_TEXT = 256 * 1024 * 1024

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
# Of a workbook only these parts are needed; pictures, macros, caches and comments are left out.
_NEEDED = re.compile(
    r"(?:\[Content_Types\]\.xml|_rels/\.rels|xl/(?:workbook|sharedStrings|styles)\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/worksheets/[^/]+\.xml)",
    re.IGNORECASE,
)
# calamine lays a sheet out as a full rectangle, so one cell at XFD1048576 would ask for 17 thousand million cells.
_FAR_COLUMN = re.compile(rb"\br\s*=\s*[\"']\s*\$?(?:[E-Ze-z][A-Za-z]|[A-Za-z]{3,})\$?\d")
_ROW_NUMBER = re.compile(rb"<(?:\w+:)?row\b[^>]*?\br\s*=\s*[\"']\s*(\d+)[^>]*[^/]>")
_FAR_CELL_ROW = re.compile(rb"\br\s*=\s*[\"'][A-Za-z]{1,2}(\d{5,})")
_CELL = re.compile(rb"<(?:\w+:)?c[\s>]")


def is_legacy(data: bytes) -> bool:
    """True for an OLE container: an old .xls, or an .xlsx with a password."""
    return data.startswith(_OLE)


def is_package(data: bytes) -> bool:
    """True for a zip archive, which every .xlsx is."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def refuse_legacy(data: bytes) -> Unreadable:
    """The reason for which an OLE container is turned away."""
    return refusal("workbook-encrypted" if _ENCRYPTED_PACKAGE in data else "xls-not-supported")


def sheets(data: bytes) -> list[tuple[str, list[list[str]]]]:
    """Name and rows of every sheet that holds anything, rows from the sheet's first one on, cells as text.

    Numbers are written without idle decimals or exponent, dates ISO; of a formula the stored result counts. Raises
    Unreadable: zip-bomb, unreadable-workbook, workbook-encrypted, too-many-rows, too-many-columns.
    """
    package = _rebuilt(_parts(data))
    try:
        return list(_rows(package))
    except Unreadable:
        raise
    except python_calamine.PasswordError:
        raise refusal("workbook-encrypted") from None
    except (python_calamine.CalamineError, ValueError, OverflowError):
        raise refusal("unreadable-workbook") from None
    except BaseException as error:
        # A panic in calamine's Rust arrives as an exception outside Exception; it is the file's fault, not ours.
        if type(error).__name__ != "PanicException":
            raise
        raise refusal("unreadable-workbook") from None


def _rows(package: bytes) -> Iterator[tuple[str, list[list[str]]]]:
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(package))
    for number, name in enumerate(workbook.sheet_names[:MAX_SHEETS]):
        kind = workbook.sheets_metadata[number].typ
        if kind != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        rows = workbook.get_sheet_by_index(number).to_python(skip_empty_area=False)
        if rows:
            yield name, [[_text(cell) for cell in row] for row in rows]


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    return str(cell)


def _parts(data: bytes) -> dict[str, bytes]:
    """The parts that calamine needs, unpacked. The directory's sizes are checked first; what a part really holds cannot
    exceed them, since reading stops there and the checksum then fails."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_directory(entries)
            needed = {entry.filename: entry for entry in entries if _NEEDED.fullmatch(entry.filename)}
            parts = {name: archive.read(entry) for name, entry in needed.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        raise refusal("unreadable-workbook") from None
    if "xl/workbook.xml" not in {name.lower() for name in parts}:
        raise refusal("unreadable-workbook")
    _check_extent(parts)
    return parts


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_INFLATED:
        raise refusal("zip-bomb")
    for entry in entries:
        if entry.file_size > 2**20 and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise refusal("zip-bomb")
        if entry.flag_bits & 0x1:
            raise refusal("workbook-encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refusal("unreadable-workbook")


def _check_extent(parts: dict[str, bytes]) -> None:
    """No cell far out, and no short text repeated until memory ends: both are cheap to write and dear to read."""
    worksheets = [part for name, part in parts.items() if name.lower().startswith("xl/worksheets/")]
    if len(worksheets) > MAX_SHEETS:
        raise refusal("unreadable-workbook")
    for part in worksheets:
        if _FAR_COLUMN.search(part):
            raise refusal("too-many-columns")
        far = (*_ROW_NUMBER.findall(part), *_FAR_CELL_ROW.findall(part))
        if any(len(row) > 7 or int(row) > MAX_SHEET_ROWS for row in far):
            raise refusal("too-many-rows")
    shared = next((part for name, part in parts.items() if name.lower() == "xl/sharedstrings.xml"), b"")
    longest = max(map(len, shared.split(b"si>")))
    if longest > 4096 and longest * sum(len(_CELL.findall(part)) for part in worksheets) > MAX_TEXT:
        raise refusal("zip-bomb")


def _rebuilt(parts: dict[str, bytes]) -> bytes:
    """The same parts in a plain archive of our own making, so that calamine reads no directory a stranger wrote."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part)
    return target.getvalue()
