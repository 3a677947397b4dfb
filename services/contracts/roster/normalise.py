"""Values in their one spelling: text cleaned of invisible marks, digits, numbers, dates and labels as they are stored.
A value that cannot be understood stays as typed, for a rule to name it. Sorting and bytes are `canonical`'s."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

import polars as pl

from services.contracts.roster.codes import table
from services.contracts.roster.dates import iso_date
from services.contracts.roster.fields import STORED, of_kind
from services.contracts.roster.identity import normalise_id

# Text made of printable ASCII and Thai letters in normal order, without blanks at its ends or doubled, is clean; only
# what this pattern finds is worth the slow scalar path.
_DIRTY = (
    r"^ | $|  |[^ -~\x{0e01}-\x{0e5b}]|\x{0e4d}[\x{0e48}-\x{0e4b}]?\x{0e32}|\x{0e40}\x{0e40}"
    r"|[\x{0e48}-\x{0e4b}][\x{0e38}-\x{0e3a}]|[\x{0e38}\x{0e39}]\x{0e3a}"
)
_THAI_DIGITS = "๐๑๒๓๔๕๖๗๘๙"
_NUMBER = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]*)?|\.[0-9]+")
_ODD_NUMBER = r"^(?:0[0-9]|\.[0-9]|[0-9]+\.(?:[0-9]*0)?\z|[0-9]{1,3}(?:,[0-9]{3})+)"
_SPLIT_SARA_AM = re.compile("\u0e4d([\u0e48-\u0e4b]?)\u0e32")

_NATIONAL_IDS = tuple(field.key for field in STORED if field.sensitivity == "identity")
_HOUSE_CODES = ("reg_house_code", "cur_house_code")
_IDS = of_kind("id")
_NUMBERS = of_kind("int", "decimal")
_DATES = of_kind("date")
_LABELS = tuple((field.key, field.table) for field in STORED if field.table)


def clean(text: str) -> str:
    """Text in NFC without control, format and zero-width characters; every run of blanks and line breaks one space,
    none at the ends; sara am and sara ae, which keyboards split in two letters that look the same, in one."""
    spaced = " ".join(text.split())
    kept = "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cf"))
    normal = unicodedata.normalize("NFC", " ".join(kept.split()))
    return _SPLIT_SARA_AM.sub("\\1\u0e33", normal).replace("\u0e40\u0e40", "\u0e41")


def _mapped(series: pl.Series, spell: Callable[[str], str]) -> pl.Series | None:
    """The series with every distinct value respelt; None when nothing changes."""
    return _replaced(series, series.unique(), spell)


def _replaced(series: pl.Series, distinct: pl.Series, spell: Callable[[str], str]) -> pl.Series | None:
    changes = {text: spelt for text in distinct.to_list() if (spelt := spell(text)) != text}
    if not changes:
        return None
    return series.replace(list(changes), list(changes.values()))


def _respelt(
    frame: pl.DataFrame, columns: Sequence[str], spell: Callable[[str], str], pattern: str = ""
) -> pl.DataFrame:
    """The frame with the values of these columns respelt: those that match, where spelling leaves all others alone."""
    changed = []
    for series in map(frame.get_column, _those(frame, columns, pattern) if pattern else columns):
        concerned = series.filter(series.str.contains(pattern)) if pattern else series
        changed.append(_replaced(series, concerned.unique(), spell))
    return frame.with_columns([series for series in changed if series is not None])


def _those(frame: pl.DataFrame, columns: Sequence[str], pattern: str) -> list[str]:
    """The columns in which at least one value matches."""
    if not columns:
        return []
    found = frame.select(pl.col(columns).str.contains(pattern).any()).row(0)
    return [column for column, any_found in zip(columns, found, strict=True) if any_found]


def _label(name: str) -> Callable[[str], str]:
    codes = table(name)
    return lambda text: (codes.label(text) or text) if text else text


def _joined_digits(text: str) -> str:
    digits = text.replace("-", "").replace(" ", "")
    return digits if digits.isdecimal() else text


def plain_number(text: str) -> str:
    """A number without thousands' commas, leading zeros and idle decimals: "1,200.50" is "1200.5", "007" is "7", ".5" is
    "0.5". What is no number, or a negative one, stays."""
    if not _NUMBER.fullmatch(text):
        return text
    whole, _, decimals = text.replace(",", "").partition(".")
    decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{decimals}" if decimals else "")


def normalise(frame: pl.DataFrame) -> pl.DataFrame:
    """Every canonical column of `frame` (all of them present, String, no nulls) in its one spelling; others untouched."""
    columns = [field.key for field in STORED]
    frame = _respelt(frame, columns, clean, _DIRTY)
    numeric = (*_IDS, *_NUMBERS, *_DATES)
    thai = _those(frame, [*numeric, *(key for key, _ in _LABELS)], f"[{_THAI_DIGITS}]")
    if thai:
        frame = frame.with_columns(pl.col(thai).str.replace_many(list(_THAI_DIGITS), list("0123456789")))
    dashed = _those(frame, numeric, r"^-+\z")
    frame = frame.with_columns(pl.col(dashed).str.replace(r"^-+\z", "")) if dashed else frame
    frame = _respelt(frame, _NATIONAL_IDS, normalise_id, r"[^0-9]")
    frame = _respelt(frame, _HOUSE_CODES, _joined_digits, r"[^0-9]")
    frame = _respelt(frame, _NUMBERS, plain_number, _ODD_NUMBER)
    frame = _respelt(frame, _DATES, iso_date)
    labels = (_mapped(frame.get_column(key), _label(name)) for key, name in _LABELS)
    return frame.with_columns([series for series in labels if series is not None])
