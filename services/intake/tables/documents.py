"""Queries on the stored rosters: documents by their SHA-256, and the versions each school had."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from services.contracts.roster import canonical
from services.intake.tables import document, version
from services.kit.database import Transaction
from services.kit.sql import is_one_of


@dataclass(frozen=True, slots=True)
class Document:
    """A canonical roster ready to be stored: both bodies zstd-compressed."""

    sha256: str
    body: bytes
    identified: bytes
    pupils: int


def read_bodies(connection: Connection, shas: Collection[str]) -> dict[str, bytes]:
    """The canonical CSVs of those of these documents that are here, compressed; for the relay too."""
    return _read(connection, document.c.body, shas)


def read_identified(connection: Connection, shas: Collection[str]) -> dict[str, bytes]:
    """The projections for dedup of those of these documents that are here, compressed; for the relay too."""
    return _read(connection, document.c.identified, shas)


def _read(connection: Connection, column: sa.Column[Any], shas: Collection[str]) -> dict[str, bytes]:
    rows = connection.execute(sa.select(document.c.sha256, column).where(is_one_of(document.c.sha256, shas)))
    return {sha256: bytes(packed) for sha256, packed in rows}


def read_roster(tx: Transaction, sha256: str) -> bytes:
    """The canonical CSV of a document that is here."""
    return canonical.unpack(read_bodies(tx.connection, [sha256])[sha256])


def read_frame(tx: Transaction, sha256: str) -> pl.DataFrame:
    return canonical.decode(read_roster(tx, sha256))


def store(tx: Transaction, made: Sequence[Document]) -> None:
    """Keep documents; one that is there already is the same by its name. In their order, so that two transactions that
    store the same ones wait for each other one way."""
    if made:
        rows = [asdict(one) for one in sorted(made, key=lambda one: one.sha256)]
        tx.execute(insert(document).on_conflict_do_nothing(), rows)


def add_versions(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Note versions schools have from now on. Each: round, school, revision, sha256, upload, at."""
    if rows:
        tx.execute(sa.insert(version), rows)


def latest_version(tx: Transaction, round_name: str, school: str) -> sa.Row[Any] | None:
    v = version.c
    return tx.execute(
        sa.select(version)
        .where(v.round == round_name, v.school == school)
        .order_by(v.revision.desc())
        .limit(1)
    ).one_or_none()


def versions(tx: Transaction, round_name: str, school: str) -> list[sa.Row[Any]]:
    """Every version the school had, newest first."""
    v = version.c
    return list(
        tx.execute(
            sa.select(version).where(v.round == round_name, v.school == school).order_by(v.revision.desc())
        )
    )


def had_version(tx: Transaction, round_name: str, school: str, sha256: str) -> bool:
    return any(row.sha256 == sha256 for row in versions(tx, round_name, school))
