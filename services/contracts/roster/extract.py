"""The extract of a roster: the fields of it that a package is made of, as a table of their own in canonical CSV, the pupils in the
document's order. Made when the document arrives, named by the SHA-256 of its bytes. Not here: what a package makes of them (export).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import polars as pl

from services.contracts.roster import canonical

FIELDS = (
    *("national_id", "title", "first_name_th", "last_name_th", "sex"),
    *("nationality", "disability", "disadvantage", "cur_moo", "cur_road"),
    *("grade", "room", "gpax", "graduated"),
)


def of_many(rosters: Sequence[pl.DataFrame]) -> list[bytes]:
    """The extracts of rosters as they were decoded (FIELDS among their columns), in one pass."""
    return canonical.encode_many(rosters, FIELDS)


def read_many(extracts: Sequence[bytes]) -> pl.DataFrame:
    """FIELDS of many extracts, one below the other, in one pass; empty cells are null. Raises canonical.NotCanonical."""
    return canonical.select_many(extracts, FIELDS, of=FIELDS)


def digest_of(named: Iterable[tuple[str, str, str]]) -> str:
    """The one name of all extracts of a round: SHA-256 (hex) over a line for each, `school document extract` (10-digit code, SHA-256 of
    either), in order of the schools."""
    digest = hashlib.sha256()
    for line in sorted(named):
        digest.update(" ".join(line).encode() + b"\n")
    return digest.hexdigest()
