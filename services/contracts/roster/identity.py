"""Identity numbers: the 13-digit national ID with its check digit, the G-code of pupils without one, how they are
written, judged and masked. Who may hold or see a number is decided elsewhere."""

from __future__ import annotations

import re
from typing import Literal

import polars as pl

IdFault = Literal["missing", "format", "checksum"]

LENGTH = 13
MASKED = "x-xxxx-xxxxx-xx-x"

_DIGITS = re.compile(r"[0-9]{13}")
_G_CODE = re.compile(r"G[0-9]{12}")
_TO_ASCII = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u00ad\u200b-\u200f\u2060\ufeff']")


def check_digit(first_twelve: str) -> int:
    """The 13th digit for twelve ASCII digits: (11 - sum of (14 - i) * d_i, i = 1..12, mod 11) mod 10."""
    total = sum((LENGTH - place) * int(digit) for place, digit in enumerate(first_twelve))
    return (11 - total % 11) % 10


def is_g_code(text: str) -> bool:
    """True for `G`, two digits of the Buddhist year, two of the province and a running number of eight."""
    return _G_CODE.fullmatch(text) is not None


def normalise_id(text: str) -> str:
    """A number as it is stored: 13 ASCII digits or `G` and 12 digits. Thai digits, dashes, blanks, a leading apostrophe
    and a small g are understood; anything else stays as typed (trimmed), for a rule to name it."""
    plain = _SEPARATORS.sub("", text).translate(_TO_ASCII).upper()
    if _DIGITS.fullmatch(plain) or _G_CODE.fullmatch(plain):
        return plain
    return text.strip()


def id_fault(text: str) -> IdFault | None:
    """What is wrong with a normalised number: blank, not 13 digits nor a G-code, or a wrong check digit.

    G-codes carry no check digit (none is published).
    """
    if not text:
        return "missing"
    if _G_CODE.fullmatch(text):
        return None
    if not _DIGITS.fullmatch(text):
        return "format"
    return None if int(text[-1]) == check_digit(text[:-1]) else "checksum"


def id_faults(column: str) -> pl.Expr:
    """The same judgement for a whole column: an expression giving "missing", "format", "checksum" or null per row."""
    text = pl.col(column)
    digits = text.str.contains(r"^[0-9]{13}\z")
    number = pl.when(digits).then(text).cast(pl.Int64)
    total = pl.sum_horizontal(
        [(LENGTH - place) * ((number // 10 ** (LENGTH - 1 - place)) % 10) for place in range(LENGTH - 1)]
    )
    wrong = (11 - total % 11) % 10 != number % 10
    return (
        pl.when(text == "")
        .then(pl.lit("missing"))
        .when(~digits & ~text.str.contains(r"^G[0-9]{12}\z"))
        .then(pl.lit("format"))
        .when(digits & wrong)
        .then(pl.lit("checksum"))
    )


def mask(text: str) -> str:
    """A number fit for a screen that is not the school's own: all but the last three characters hidden."""
    if not (_DIGITS.fullmatch(text) or _G_CODE.fullmatch(text)):
        return MASKED
    return f"x-xxxx-xxxxx-{text[10:12]}-{text[12]}"
