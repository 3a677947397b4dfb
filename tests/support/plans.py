"""The planner made to choose what it otherwise chooses only on a bad day."""

from __future__ import annotations

import sqlalchemy as sa

from services.kit.database import Transaction


def look_up_row_by_row(tx: Transaction) -> None:
    """A set to look rows up in is read again for every row, until the transaction ends."""
    for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material", "indexscan", "bitmapscan"):
        tx.execute(sa.text(f"SET LOCAL enable_{way} = off"))
