"""The field table: every field of a roster in canonical order, and the look-up from a file's header to its field.
Values, their shapes and their faults are the business of `canonical` and of intake's rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from services.contracts.roster.address import ADDRESSES
from services.contracts.roster.family import FAMILY
from services.contracts.roster.field import Field, Kind
from services.contracts.roster.pupil import IDENTITY, NEEDS, SCHOOLING, TRAVEL, YEAR_END

__all__ = [
    "COLUMNS",
    "FIELDS",
    "STORED",
    "Field",
    "Kind",
    "by_key",
    "field_for_header",
    "of_kind",
    "required_columns",
]

FIELDS: tuple[Field, ...] = (*IDENTITY, *FAMILY, *ADDRESSES, *NEEDS, *TRAVEL, *SCHOOLING, *YEAR_END)
STORED: tuple[Field, ...] = tuple(field for field in FIELDS if not field.derived)
COLUMNS: tuple[str, ...] = tuple(field.key for field in STORED)

_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+")


def _folded(header: str) -> str:
    """A header without what exports differ in: blanks, invisible marks, split sara am, kind of bracket, letter case."""
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", header))
    text = text.replace("\u0e4d\u0e32", "\u0e33").replace("\uff08", "(").replace("\uff09", ")")
    return text.strip("*:").lower()


def _spellings() -> Iterator[tuple[str, Field]]:
    for field in FIELDS:
        for spelling in (field.th, field.key, *field.aliases):
            yield _folded(spelling), field


_BY_KEY: dict[str, Field] = {field.key: field for field in FIELDS}
_BY_HEADER: dict[str, Field] = dict(_spellings())


def by_key(key: str) -> Field:
    """The field named `key`; KeyError if there is none."""
    return _BY_KEY[key]


@lru_cache(maxsize=4096)
def field_for_header(text: str) -> Field | None:
    """The field a column with this header holds, None for a header no field is known by.

    Blanks, zero-width marks and the kind of bracket do not matter; a field's key is understood as well as its headers.
    """
    return _BY_HEADER.get(_folded(text))


def of_kind(*kinds: Kind) -> tuple[str, ...]:
    """Keys of the stored fields of these kinds, in canonical order."""
    return tuple(field.key for field in STORED if field.kind in kinds)


def required_columns() -> tuple[str, ...]:
    """Keys of the fields that every roster file must have a column for."""
    return tuple(field.key for field in STORED if field.required == "always")
