"""Queries on the documents: every roster ever accepted, by its SHA-256, with its extract, and what was counted in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.roster import canonical
from services.kit.database import Transaction
from services.kit.sql import is_one_of
from services.snapshot.rules.counts import Key, Summary
from services.snapshot.tables import document, manifest_entry, roster_count


def counted(tx: Transaction, age_day: date, shas: Collection[str]) -> set[str]:
    """Those of the documents that are here with their extract, and counted for rounds of this age day."""
    here = sa.select(roster_count.c.sha256).where(_here(age_day), is_one_of(roster_count.c.sha256, shas))
    return set(tx.execute(here).scalars())


def _whole(age_day: date) -> sa.ColumnElement[bool]:
    """Counted for this age day, and each of its lines: earlier versions kept the sums alone."""
    return sa.and_(roster_count.c.age_day == age_day, roster_count.c.line_cells.is_not(None))


def _here(age_day: date) -> sa.ColumnElement[bool]:
    """Counted so, and with its extract: earlier versions made none."""
    extracted = sa.exists().where(document.c.sha256 == roster_count.c.sha256, document.c.extract.is_not(None))
    return sa.and_(_whole(age_day), extracted)


def keep(tx: Transaction, packed: Mapping[str, bytes], extracts: Mapping[str, bytes]) -> None:
    """Store documents by their SHA-256, in its order, each with its extract (plain); one that is there already is the same by its name, and
    lacks an extract at most."""
    if not packed:
        return
    rows = [
        {
            "sha256": sha256,
            "body": packed[sha256],
            "extract": canonical.pack(extracts[sha256]),
            "extract_sha256": canonical.digest(extracts[sha256]),
        }
        for sha256 in sorted(packed)
    ]
    statement = insert(document)
    made = {name: statement.excluded[name] for name in ("extract", "extract_sha256")}
    lacking = document.c.extract.is_(None)
    tx.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_=made, where=lacking), rows)


def extracts(tx: Transaction, closure_id: str, states: Collection[str]) -> list[tuple[str, str, str]]:
    """(school, document, extract) by their SHA-256, of every school of a manifest that stands in one of `states` and has a roster."""
    m, d = manifest_entry.c, document.c
    rows = tx.execute(
        sa.select(m.school, d.sha256, d.extract_sha256)
        .join(document, d.sha256 == m.sha256)
        .where(m.closure == closure_id, is_one_of(m.state, states))
    )
    return [(row.school, row.sha256, row.extract_sha256) for row in rows]


def keep_counts(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Store what was counted in documents. Each: sha256, age_day, pupils, lines, cells (`Summary.to_plain`) with line_cells, recounted
    (`Lines.to_plain`) with line_recounted."""
    if not rows:
        return
    c, statement = roster_count.c, insert(roster_count)
    counted = {
        name: statement.excluded[name] for name in ("recounted", "line_recounted", "cells", "line_cells")
    }
    again = statement.on_conflict_do_update(
        index_elements=["sha256", "age_day"], set_=counted, where=c.line_cells.is_(None)
    )
    tx.execute(again, rows)


def held(tx: Transaction, closure_id: str, age_day: date) -> dict[str, int]:
    """sha256 → pupils of the documents that are here, of those the manifest names."""
    rows = tx.execute(
        sa.select(roster_count.c.sha256, roster_count.c.pupils)
        .join(manifest_entry, manifest_entry.c.sha256 == roster_count.c.sha256)
        .where(manifest_entry.c.closure == closure_id, _here(age_day))
        .distinct()
    )
    return {row.sha256: row.pupils for row in rows}


def missing(tx: Transaction, closure_id: str, age_day: date) -> int:
    """How many schools' documents of a manifest are not here."""
    m, c = manifest_entry.c, roster_count.c
    here = sa.exists().where(c.sha256 == m.sha256, _here(age_day))
    lacking = sa.select(sa.func.count()).select_from(manifest_entry)
    lacking = lacking.where(m.closure == closure_id, m.sha256.is_not(None), ~here)
    return int(tx.execute(lacking).scalar_one())


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted in a document by columns: the cells in the order in which they were kept, of each line its cell, and the
    (line, reason) of every line that is not counted in any case."""

    summary: Summary
    cells: tuple[Key, ...]
    line_cells: bytes
    lines: tuple[tuple[int, str], ...]


def counts(tx: Transaction, age_day: date, hashes: Collection[str]) -> dict[str, Counts]:
    """sha256 → the counts of these documents."""
    interned: dict[Key, Key] = {}
    c = roster_count.c
    rows = tx.execute(
        sa.select(c.sha256, c.cells, c.line_cells, c.lines).where(
            _whole(age_day), is_one_of(c.sha256, hashes)
        )
    )
    found: dict[str, Counts] = {}
    for row in rows:
        lines = tuple((int(line), str(reason)) for line, reason in row.lines)
        cells = _cells(row.cells, interned)
        found[row.sha256] = Counts(Summary.of(cells), tuple(cells), bytes(row.line_cells), lines)
    return found


def _cells(plain: Iterable[list[Any]], interned: dict[Key, Key]) -> dict[Key, int]:
    """In their order, equal keys as one object: the nation has some hundreds of them, a million times."""
    cells: dict[Key, int] = {}
    for grade, sex, reason, number in plain:
        key = (grade, sex, reason)
        cells[interned.setdefault(key, key)] = number
    return cells


_RECOUNTED = sa.text(
    """
    SELECT school, json_agg(json_build_array(grade, sex, reason, pupils)) AS cells
      FROM (SELECT m.school, cell ->> 0 AS grade, cell ->> 1 AS sex,
                   CASE WHEN m.state = ANY(:states) THEN cell ->> 2 ELSE :reason END AS reason,
                   sum(CAST(cell ->> 3 AS integer)) AS pupils
              FROM manifest_entry AS m
              JOIN roster_count AS c ON c.sha256 = m.sha256 AND c.age_day = :age_day
              CROSS JOIN LATERAL jsonb_array_elements(c.recounted) AS cell
             WHERE m.closure = :closure
               AND m.school = ANY(:schools)
             GROUP BY 1, 2, 3, 4) AS of_cells
     GROUP BY school
    """
)


def recounted(
    tx: Transaction,
    closure_id: str,
    age_day: date,
    schools: Sequence[str],
    counted_states: Sequence[str],
    reason: str,
) -> dict[str, Summary]:
    """The second way for schools of a manifest of which no outcome tells: the line-by-line counts, summed up by the database.

    A school in none of `counted_states` has all its pupils under `reason`."""
    given = {"closure": closure_id, "age_day": age_day, "schools": list(schools)}
    given |= {"states": list(counted_states), "reason": reason}
    found = tx.execute(_RECOUNTED, given)
    interned: dict[Key, Key] = {}
    return {row.school: Summary.of(_cells(row.cells, interned)) for row in found}


def recounted_lines(
    tx: Transaction, age_day: date, hashes: Collection[str]
) -> dict[str, tuple[list[list[Any]], bytes]]:
    """sha256 → the cells and the numbers of the lines that `Lines` is made of."""
    c = roster_count.c
    wanted = sa.select(c.sha256, c.recounted, c.line_recounted).where(
        _whole(age_day), is_one_of(c.sha256, hashes)
    )
    return {row.sha256: (row.recounted, bytes(row.line_recounted)) for row in tx.execute(wanted)}
