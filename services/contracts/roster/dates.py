"""Dates as clerks and exports write them, read as ISO dates of the common era. Which dates are plausible is a rule's
business, not this module's."""

from __future__ import annotations

import re
from datetime import date

BUDDHIST_ERA = 543

_TO_ASCII = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4})(?: 0{1,2}:00(?::00)?)?")
_YEAR_FIRST = re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})(?:[ T]00:00(?::00(?:\.0+)?)?)?")
_WORDS = re.compile(r"(?:วันที่ ?)?(\d{1,2}) ?([ก-ฮ][ก-๙.]*?) ?(?:พ\.?ศ\.? ?)?(\d{4})")
_MONTHS = (
    ("มกราคม", "มค"),
    ("กุมภาพันธ์", "กพ"),
    ("มีนาคม", "มีค"),
    ("เมษายน", "เมย"),
    ("พฤษภาคม", "พค"),
    ("มิถุนายน", "มิย"),
    ("กรกฎาคม", "กค"),
    ("สิงหาคม", "สค"),
    ("กันยายน", "กย"),
    ("ตุลาคม", "ตค"),
    ("พฤศจิกายน", "พย"),
    ("ธันวาคม", "ธค"),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}


def _parts(text: str) -> tuple[int, int, int] | None:
    """Year as written, month, day."""
    if found := _DAY_FIRST.fullmatch(text):
        return int(found[3]), int(found[2]), int(found[1])
    if found := _YEAR_FIRST.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _WORDS.fullmatch(text):
        return int(found[3]), _MONTH_OF.get(found[2].replace(".", ""), 0), int(found[1])
    return None


def iso_date(text: str) -> str:
    """`05/11/2553`, `5-11-2553`, `2553-11-05`, `2010-11-05`, `5 พ.ย. 2553`, also in Thai digits, as `2010-11-05`.

    Years from 2400 are of the Buddhist era, years 1850-2199 of the common era. A text that is no date in one of these
    shapes (a two-digit year, 31 February) is given back as it is.
    """
    parts = _parts(text.translate(_TO_ASCII))
    if parts is None:
        return text
    year, month, day = parts
    if year >= 2400:
        year -= BUDDHIST_ERA
    if not 1850 <= year <= 2199:
        return text
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return text
