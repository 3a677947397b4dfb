"""Files that cannot be read as a roster: each with the code of the reason it must be refused for.

They are made from a school's good file as a clerk's mishap would. Readable files with errors in them are `faults`' job.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import polars as pl

from deploy.rehearsal.draw import Columns
from deploy.rehearsal.forms import Form, header, in_windows_874, write
from services.contracts.roster.fields import by_key

_GOOD: Final = Form("utf8", "plain")
_BOMB_BYTES: Final = 200 * 1024 * 1024

Maker = Callable[[Columns, np.random.Generator], bytes]


def _empty(_columns: Columns, _rng: np.random.Generator) -> bytes:
    return b""


def _header_missing(columns: Columns, _rng: np.random.Generator) -> bytes:
    return write(columns, _GOOD).split(b"\r\n", 1)[1]


def _junk(_columns: Columns, rng: np.random.Generator) -> bytes:
    """A picture with the wrong name: binary, with zero bytes."""
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + rng.bytes(6_000)


def _mixed_encoding(columns: Columns, _rng: np.random.Generator) -> bytes:
    """Two halves pasted together: UTF-8 above, windows-874 below."""
    lines = write(columns, _GOOD).split(b"\r\n")
    half = max(2, len(lines) // 2)
    below = in_windows_874(b"\r\n".join(lines[half - 1 :]))
    return b"\r\n".join(lines[: half - 1]) + b"\r\n" + below


def _header_doubled(columns: Columns, _rng: np.random.Generator) -> bytes:
    """The national ID's header stands over a second column as well, with other numbers in it."""
    lines = write(columns, _GOOD).decode("utf-8").splitlines()
    doubled = [f"{lines[0]},{header(by_key('national_id'), 'plain')}"]
    doubled += [
        f"{line},{code}" for line, code in zip(lines[1:], columns["student_code"].to_list(), strict=True)
    ]
    return ("\r\n".join(doubled) + "\r\n").encode("utf-8")


def _column_missing(columns: Columns, _rng: np.random.Generator) -> bytes:
    """The file of another report: it has no column for the sex."""
    frame = pl.DataFrame(
        {header(by_key(key), "plain"): column for key, column in columns.items() if key != "sex"}
    )
    out = io.BytesIO()
    frame.write_csv(out, line_terminator="\r\n")
    return out.getvalue()


def _broken_workbook(columns: Columns, _rng: np.random.Generator) -> bytes:
    """A workbook whose sending broke off half-way."""
    whole = write({key: column.head(40) for key, column in columns.items()}, Form("xlsx", "plain"))
    return whole[: len(whole) * 3 // 5]


def _zip_bomb(_columns: Columns, _rng: np.random.Generator) -> bytes:
    return _bomb()


@cache
def _bomb() -> bytes:
    """A workbook of some 200 kB whose one sheet inflates to 200 MB."""
    out = io.BytesIO()
    stamp = (2021, 11, 5, 9, 12, 44)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(zipfile.ZipInfo("[Content_Types].xml", stamp), "<Types/>")
        sheet = zipfile.ZipInfo("xl/worksheets/sheet1.xml", stamp)
        sheet.compress_type = zipfile.ZIP_DEFLATED
        with book.open(sheet, "w") as part:
            block = b" " * (1024 * 1024)
            for _ in range(_BOMB_BYTES // len(block)):
                part.write(block)
    return out.getvalue()


_MAKERS: Final[dict[str, tuple[str, Maker]]] = {
    "empty-file": ("csv", _empty),
    "header-missing": ("csv", _header_missing),
    "not-a-roster": ("csv", _junk),
    "mixed-encoding": ("csv", _mixed_encoding),
    "header-doubled": ("csv", _header_doubled),
    "required-column-missing": ("csv", _column_missing),
    "unreadable-workbook": ("xlsx", _broken_workbook),
    "zip-bomb": ("xlsx", _zip_bomb),
}
REASONS: Final = tuple(_MAKERS)


def make(reason: str, columns: Columns, rng: np.random.Generator) -> tuple[bytes, str]:
    """A file (bytes, ending) that must be refused for this reason; `columns` are those of a good roll with pupils."""
    suffix, maker = _MAKERS[reason]
    return maker(columns, rng), suffix
