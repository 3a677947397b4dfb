"""Queries on what a school has left to settle: warnings it has not explained, duplicates it has not answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from services.contracts.roster.canonical import unpack
from services.intake.rules.identified import keys_of
from services.intake.tables import duplicate, explanation, upload
from services.intake.tables.documents import read_identified
from services.kit.database import Transaction
from services.kit.sql import is_one_of


def current_findings(tx: Transaction, row: sa.Row[Any]) -> list[dict[str, Any]]:
    """The findings of the school's current version, as stored with the upload that gave it."""
    if row.upload is None:
        return []
    found: list[dict[str, Any]] = tx.execute(
        sa.select(upload.c.findings).where(upload.c.id == row.upload)
    ).scalar_one()
    return found


def explanations(tx: Transaction, round_name: str, school: str) -> dict[tuple[str, str], str]:
    """(rule, pupil key) → the school's sentence."""
    e = explanation.c
    rows = tx.execute(sa.select(e.rule, e.key, e.sentence).where(e.round == round_name, e.school == school))
    return {(row.rule, row.key): row.sentence for row in rows}


def explained(
    tx: Transaction, round_name: str, schools: Collection[str]
) -> Mapping[str, set[tuple[str, str]]]:
    """By school the (rule, pupil key) it gave a sentence on; nothing for any other school."""
    e = explanation.c
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    query = sa.select(e.school, e.rule, e.key).where(e.round == round_name, is_one_of(e.school, schools))
    for row in tx.execute(query):
        found[row.school].add((row.rule, row.key))
    return found


def without_sentence(
    findings: Sequence[dict[str, Any]], explained: Container[tuple[str, str]]
) -> list[dict[str, Any]]:
    """The warnings that are not explained."""
    return [f for f in findings if f["severity"] == "warning" and (f["rule"], f["key"]) not in explained]


def cases(tx: Transaction, round_name: str, school: str) -> Sequence[sa.Row[Any]]:
    """What intake knows of the school's duplicate cases."""
    d = duplicate.c
    return tx.execute(
        sa.select(duplicate).where(d.round == round_name, d.school == school).order_by(d.case)
    ).all()


def own_party(case: sa.Row[Any]) -> dict[str, Any]:
    """The school's own side of a case."""
    return next((p for p in case.parties if p["school"] == case.school), {})


def _asks(case: sa.Row[Any]) -> bool:
    return bool(case.state == "open" and own_party(case).get("answer") == "none")


def asking(tx: Transaction, round_name: str, schools: Collection[str]) -> Mapping[str, list[sa.Row[Any]]]:
    """By school the known open cases it has given no sentence on; nothing for any other school."""
    d = duplicate.c
    found: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    query = sa.select(duplicate).where(d.round == round_name, is_one_of(d.school, schools), d.state == "open")
    for case in tx.execute(query):
        if _asks(case):
            found[case.school].append(case)
    return found


def still_held(cases: Sequence[sa.Row[Any]], identified: bytes) -> list[sa.Row[Any]]:
    """The cases whose pupil is on the roll with this (packed) projection."""
    if not cases:
        return []
    held = keys_of(unpack(identified))
    return [case for case in cases if case.key in held]


def left(tx: Transaction, round_name: str, rows: Collection[sa.Row[Any]]) -> dict[str, dict[str, int]]:
    """How much each of these submissions has left: school → `unexplained` and `cases_open`."""
    schools = [row.school for row in rows]
    found = _findings_of(tx, [row.upload for row in rows if row.upload])
    sentences = explained(tx, round_name, schools)
    cases = asking(tx, round_name, schools)
    projections = read_identified(
        tx.connection, [row.sha256 for row in rows if row.school in cases and row.sha256]
    )
    return {
        row.school: {
            "unexplained": len(without_sentence(found.get(row.upload, ()), sentences.get(row.school, ()))),
            "cases_open": len(still_held(cases[row.school], projections[row.sha256]))
            if row.sha256 in projections
            else 0,
        }
        for row in rows
    }


def _findings_of(tx: Transaction, upload_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    u = upload.c
    rows = tx.execute(sa.select(u.id, u.findings).where(is_one_of(u.id, upload_ids)))
    return {row.id: row.findings for row in rows}
