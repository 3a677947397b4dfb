"""Messages in: the register, the rounds with their seals, and the inventories of buildings."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.buildings import InventoryConfirmed
from services.contracts.event import to_plain
from services.contracts.intake import AreaRegistered
from services.contracts.snapshot import RoundOpened, RoundSealed
from services.export import tables
from services.kit.database import Transaction


def on_area(event: AreaRegistered, tx: Transaction) -> None:
    """Take over one area with its schools; a school follows the greatest revision that named it."""
    row = {"esa": event.esa, "name": event.name, "revision": event.revision}
    if not _newer(tx, tables.area, ["esa"], [row]):
        return
    codes = [one.code for one in event.schools]
    c = tables.school.c
    gone = (c.esa == event.esa) & (c.revision < event.revision) & c.code.not_in(codes)
    tx.execute(sa.delete(tables.school).where(gone))
    schools = [{**to_plain(one), "esa": event.esa, "revision": event.revision} for one in event.schools]
    if schools:
        _newer(tx, tables.school, ["code"], schools)


def on_round(event: RoundOpened, tx: Transaction) -> None:
    row = {"round": event.round, "revision": event.revision, "plan": event.plan}
    _newer(tx, tables.round_, ["round"], [row])


def on_sealed(event: RoundSealed, tx: Transaction) -> None:
    row = {"round": event.round, "seal_revision": event.revision, "seal": event.seal}
    _newer(tx, tables.round_, ["round"], [row], by="seal_revision")


def on_inventory(event: InventoryConfirmed, tx: Transaction) -> None:
    kept = ("round", "school", "revision", "level", "buildings", "sha256")
    _newer(tx, tables.inventory, ["round", "school"], [{name: getattr(event, name) for name in kept}])


def _newer(
    tx: Transaction, table: sa.Table, keys: list[str], rows: list[dict[str, Any]], *, by: str = "revision"
) -> bool:
    """Write rows where they are new or of a greater revision; whether any was written."""
    statement = insert(table).values(rows)
    given = statement.excluded
    values = {name: given[name] for name in rows[0] if name not in keys}
    replacing = statement.on_conflict_do_update(
        index_elements=keys, set_=values, where=table.c[by] < given[by]
    )
    return tx.execute(replacing.returning(table.c[keys[0]])).first() is not None
