"""What a school's roll holds, as matching needs it: one holding per identity key, read from the projection that intake
sends. Not here: which other school holds the same key."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.contracts.roster.canonical import unpack

HEADER = ["line", "key", "first_name", "last_name", "birth_date", "sex"]
_KEY = re.compile(r"[0-9a-f]{32}")
_LINE = re.compile(r"[1-9][0-9]{0,5}")


class ProjectionUnreadable(ValueError):
    """The document of a RosterIdentified is not what the event promises; the text names the line, never a value."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One pupil of a roll. `key`: 16 bytes, a keyed HMAC; `line`: 1-based in the canonical roster. The names, the
    birth date (ISO or as typed) and the sex serve a later matching by other means than the ID; nothing shows them."""

    key: bytes
    line: int
    first_name: str
    last_name: str
    birth_date: str
    sex: str


def read_holdings(document: bytes) -> dict[bytes, Holding]:
    """The holdings of a projection (CSV, zstd) by key. Rows without a key match nobody and are left out; of a key that
    repeats inside the roll the lowest line counts. Raises ProjectionUnreadable, or NotCanonical for what is no zstd."""
    try:
        reader = csv.reader(io.StringIO(unpack(document).decode(), newline=""), strict=True)
        if next(reader, []) != HEADER:
            raise ProjectionUnreadable("the header is not that of a projection")
        found: dict[bytes, Holding] = {}
        for number, row in enumerate(reader, start=1):
            holding = _holding(number, row)
            if holding is not None and (holding.key not in found or holding.line < found[holding.key].line):
                found[holding.key] = holding
    except (csv.Error, UnicodeDecodeError):
        raise ProjectionUnreadable("the document is not CSV in UTF-8") from None
    return found


def _holding(number: int, row: list[str]) -> Holding | None:
    if len(row) != len(HEADER) or not _LINE.fullmatch(row[0]) or any("\0" in value for value in row):
        raise ProjectionUnreadable(f"row {number} is not a row of a projection")
    if not row[1]:
        return None
    if not _KEY.fullmatch(row[1]):
        raise ProjectionUnreadable(f"row {number} has a key that is not 32 hex digits")
    return Holding(bytes.fromhex(row[1]), int(row[0]), *row[2:])


@dataclass(frozen=True, slots=True)
class Change:
    """What turns one roll's holdings into another's: keys that leave, holdings that are new, those that read otherwise."""

    removed: tuple[bytes, ...]
    added: tuple[Holding, ...]
    altered: tuple[Holding, ...]


def change(held: Mapping[bytes, Holding], wanted: Mapping[bytes, Holding]) -> Change:
    """The difference, each part in order of key."""
    removed = sorted(held.keys() - wanted.keys())
    added = sorted(wanted.keys() - held.keys())
    altered = sorted(key for key in held.keys() & wanted.keys() if held[key] != wanted[key])
    return Change(tuple(removed), tuple(wanted[key] for key in added), tuple(wanted[key] for key in altered))


def current_as_of(revision: int, sha256: str, manifest: tuple[int, str | None] | None) -> int | None:
    """The revision as of which a version is the school's current one, or None if it is known not to be.

    `manifest`: (revision, sha256) of the school at a fence. A version it names is current as of that revision, however
    old the version itself is (a school that returned to earlier bytes); any other version older than it is past.
    """
    if manifest is None:
        return revision
    fenced, named = manifest
    if sha256 == named:
        return max(revision, fenced)
    return revision if revision > fenced else None
