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


def read_body(connection: Connection, sha256: str) -> bytes:
    """The canonical CSV, compressed; for the relay."""
    return bytes(
        connection.execute(sa.select(document.c.body).where(document.c.sha256 == sha256)).scalar_one()
    )


def read_identified(connection: Connection, sha256: str) -> bytes:
    """The projection for dedup, compressed; for the relay."""
    wanted = sa.select(document.c.identified).where(document.c.sha256 == sha256)
    return bytes(connection.execute(wanted).scalar_one())


def read_many_identified(tx: Transaction, shas: Collection[str]) -> dict[str, bytes]:
    """The projections of those of these documents that are here, compressed."""
    d = document.c
    rows = tx.execute(sa.select(d.sha256, d.identified).where(is_one_of(d.sha256, shas)))
    return {row.sha256: bytes(row.identified) for row in rows}


def read_frame(tx: Transaction, sha256: str) -> pl.DataFrame:
    return canonical.decode(canonical.unpack(read_body(tx.connection, sha256)))


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
