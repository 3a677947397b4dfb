"""The schools as the register last told of them: for names beside a code, and for who may see what."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from services.contracts.intake import AreaRegistered
from services.dedup.tables import school
from services.kit.database import Transaction
from services.kit.sql import is_one_of

_UPSERT = sa.text(
    """
    INSERT INTO school AS s (code, name, esa, revision)
    SELECT code, name, :esa, :revision FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[])) AS t (code, name)
     ORDER BY code
        ON CONFLICT (code) DO UPDATE
       SET name = excluded.name, esa = excluded.esa, revision = excluded.revision
     WHERE s.revision < excluded.revision
    """
)


def keep_area(tx: Transaction, event: AreaRegistered) -> Sequence[str]:
    """Take over an area's schools where this is newer; returns the codes of those that now read otherwise."""
    codes = [s.code for s in event.schools]
    before = names(tx, codes)
    given = {
        "esa": event.esa,
        "revision": event.revision,
        "codes": codes,
        "names": [s.name for s in event.schools],
    }
    tx.execute(_UPSERT, given)
    after = names(tx, codes)
    return sorted(code for code in after if after[code] != before.get(code))


def names(tx: Transaction, codes: Collection[str]) -> dict[str, tuple[str, str]]:
    """school → (name, ESA) of those the register told of."""
    s = school.c
    here = is_one_of(s.code, codes)
    return {row.code: (row.name, row.esa) for row in tx.execute(sa.select(s.code, s.name, s.esa).where(here))}


def esa_of(tx: Transaction, code: str) -> str:
    """The area a school belongs to; "" for one the register has not told of."""
    return tx.execute(sa.select(school.c.esa).where(school.c.code == code)).scalar() or ""
