"""The cases with their parties, answers and rulings: reading, paging and writing rows. What a row should say is the
business of casework and the rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.dedup.rules.standing import Ruling
from services.dedup.tables import answer, duplicate, party, ruling, school
from services.kit.database import Transaction
from services.kit.sql import is_one_of


def ensure(tx: Transaction, round_name: str, keys: Collection[bytes], opened_at: datetime) -> None:
    """Make a row for each key that has no case yet; the caller holds the keys' locks."""
    if keys:
        rows = [{"round": round_name, "key": key, "opened_at": opened_at} for key in keys]
        tx.execute(insert(duplicate).on_conflict_do_nothing(), rows)


def of_keys(tx: Transaction, round_name: str, keys: Collection[bytes]) -> Sequence[sa.Row[Any]]:
    """The cases of these keys in order of opening."""
    here = sa.and_(duplicate.c.round == round_name, is_one_of(duplicate.c.key, keys))
    return tx.execute(sa.select(duplicate).where(here).order_by(duplicate.c.number)).all()


def find(tx: Transaction, case: str) -> sa.Row[Any] | None:
    return tx.execute(sa.select(duplicate).where(duplicate.c.case == case)).first()


def sentences(tx: Transaction, cases: Collection[str]) -> dict[tuple[str, str], str]:
    """(case, school) → the sentence with which the school said that the pupil is its own."""
    a = answer.c
    rows = tx.execute(sa.select(a.case, a.school, a.sentence).where(a.case.in_(list(cases))))
    return {(row.case, row.school): row.sentence for row in rows}


@dataclass(frozen=True, slots=True)
class Ruled:
    """The latest ruling of a case: what the rules need, who made it in which role, and why."""

    ruling: Ruling
    role: str
    reason: str


def latest_rulings(tx: Transaction, cases: Collection[str]) -> dict[str, Ruled]:
    """case → its latest ruling."""
    rows = tx.execute(sa.select(ruling).where(ruling.c.case.in_(list(cases))).order_by(ruling.c.number))
    return {
        row.case: Ruled(Ruling(row.belongs_to, frozenset(row.schools)), row.role, row.reason) for row in rows
    }


def keep_answer(tx: Transaction, case: str, code: str, *, sentence: str, by: str, at: datetime) -> None:
    made = insert(answer).values(case=case, school=code, sentence=sentence, by=by, at=at)
    told = {"sentence": sentence, "by": by, "at": at}
    tx.execute(
        made.on_conflict_do_update(
            index_elements=["case", "school"], set_=told, where=answer.c.sentence != sentence
        )
    )


def keep_ruling(tx: Transaction, case: str, **values: object) -> None:
    """Add a ruling: belongs_to, reason, schools, by, role, at. Earlier ones stay for the record."""
    tx.execute(sa.insert(ruling).values(case=case, **values))


@dataclass(slots=True)
class Changes:
    """What a recomputation writes, gathered and written at once: a wrong file can touch thousands of cases."""

    cases: list[dict[str, object]] = field(default_factory=list)
    joined: list[dict[str, object]] = field(default_factory=list)
    left: list[dict[str, object]] = field(default_factory=list)

    def case(self, row: sa.Row[Any], **values: object) -> None:
        """state, decision, revision and parties of a case."""
        self.cases.append({"of_case": row.case, **values})

    def members(self, row: sa.Row[Any], before: Collection[str], now: Collection[str]) -> None:
        """By which schools the case is found."""
        self.joined += [{"round": row.round, "school": s, "case": row.case} for s in now if s not in before]
        self.left += [{"of_school": s, "of_case": row.case} for s in before if s not in now]

    def write(self, tx: Transaction) -> None:
        of_case: sa.BindParameter[str] = sa.bindparam("of_case")
        of_school: sa.BindParameter[str] = sa.bindparam("of_school")
        gone = sa.delete(party).where(party.c.case == of_case, party.c.school == of_school)
        if self.cases:
            tx.execute(sa.update(duplicate).where(duplicate.c.case == of_case), self.cases)
        if self.left:
            tx.execute(gone, self.left)
        if self.joined:
            tx.execute(insert(party).on_conflict_do_nothing(), self.joined)


def keys_of_schools(tx: Transaction, codes: Collection[str]) -> dict[str, list[bytes]]:
    """round → keys of the cases that are not cleared and have one of these schools as a party."""
    found: dict[str, list[bytes]] = {}
    rows = tx.execute(
        sa.select(duplicate.c.round, duplicate.c.key)
        .distinct()
        .join(party, party.c.case == duplicate.c.case)
        .where(party.c.school.in_(list(codes)), duplicate.c.state != "cleared")
        .order_by(duplicate.c.round, duplicate.c.key)
    )
    for row in rows:
        found.setdefault(row.round, []).append(bytes(row.key))
    return found


def not_cleared(tx: Transaction, round_name: str) -> Sequence[sa.Row[Any]]:
    """case, state, decision and parties of every open or decided case of the round."""
    d = duplicate.c
    return tx.execute(
        sa.select(d.case, d.state, d.decision, d.parties)
        .where(d.round == round_name, d.state != "cleared")
        .order_by(d.number)
    ).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases a list shows: of these schools or schools of these ESAs (None: of all), further narrowed."""

    schools: tuple[str, ...]
    esas: tuple[str, ...] | None
    school: str = ""
    esa: str = ""
    state: str = ""


def page(tx: Transaction, round_name: str, wanted: Wanted, after: int, limit: int) -> Sequence[sa.Row[Any]]:
    """Up to `limit` cases after the one numbered `after`, in order of opening."""
    d = duplicate.c
    query = sa.select(duplicate).where(d.round == round_name, d.number > after)
    if wanted.state:
        query = query.where(d.state == wanted.state)
    if wanted.esas is not None:
        query = query.where(_has_party(party.c.school.in_(wanted.schools) | school.c.esa.in_(wanted.esas)))
    if wanted.school:
        query = query.where(_has_party(party.c.school == wanted.school))
    if wanted.esa:
        query = query.where(_has_party(school.c.esa == wanted.esa))
    return tx.execute(query.order_by(d.number).limit(limit)).all()


def _has_party(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .select_from(party.outerjoin(school, school.c.code == party.c.school))
        .where(party.c.case == duplicate.c.case, party.c.round == duplicate.c.round, condition)
    )
