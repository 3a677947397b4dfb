"""Queries on what a sealed round came to: its schools under the seal, their counts, and what is paid for them.

Written once, in bulk, by the transaction that seals; read by proofs, reports, the budget and the stream of extracts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.kit.database import Transaction
from services.kit.sql import is_one_of
from services.snapshot.tables import (
    budget_line,
    document,
    package,
    school,
    sealed,
    sealed_count,
    sealed_school,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which schools a report is about: these, or those of these areas; None = not narrowed by it."""

    schools: tuple[str, ...] | None = None
    esas: tuple[str, ...] | None = None

    def narrows(self, column: sa.Table) -> list[sa.ColumnElement[bool]]:
        """Conditions on `sealed_school`, or an alias of it."""
        conditions: list[sa.ColumnElement[bool]] = []
        if self.schools is not None:
            conditions.append(column.c.school.in_(self.schools))
        if self.esas is not None:
            conditions.append(column.c.esa.in_(self.esas))
        return conditions


def without_hurry(tx: Transaction) -> None:
    """Lift the time limits that guard ordinary transactions: sealing the nation on a busy machine may think for long
    between two statements, and must not be cut off each time it tries."""
    tx.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    tx.execute(sa.text("SET LOCAL statement_timeout = '15min'"))


def find_seal(tx: Transaction, round_name: str) -> sa.Row[Any] | None:
    """The row of a sealed round: closure, seal, budget."""
    return tx.execute(sa.select(sealed).where(sealed.c.round == round_name)).one_or_none()


def find_school(tx: Transaction, round_name: str, code: str) -> sa.Row[Any] | None:
    s = sealed_school.c
    return tx.execute(sa.select(sealed_school).where(s.round == round_name, s.school == code)).one_or_none()


def page_of_extracts(
    tx: Transaction, round_name: str, after: str, states: Collection[str], limit: int
) -> Sequence[sa.Row[Any]]:
    """The next schools after a code, each with its document's compressed `extract`: None without one, and where the school stands in none
    of `states`."""
    s = sealed_school.c
    told = sa.and_(document.c.sha256 == s.sha256, is_one_of(s.state, states))
    return tx.execute(
        sa.select(sealed_school, document.c.extract)
        .outerjoin(document, told)
        .where(s.round == round_name, s.school > after)
        .order_by(s.school)
        .limit(limit)
    ).all()


def totals(tx: Transaction, round_name: str, scope: Scope) -> sa.Row[Any]:
    """schools, pupils, counted, heads_without_rate of the scope."""
    s = sealed_school.c
    columns = [sa.func.coalesce(sa.func.sum(c), 0) for c in (s.pupils, s.counted, s.heads_without_rate)]
    labels = ("pupils", "counted", "heads_without_rate")
    sums = [column.label(label) for column, label in zip(columns, labels, strict=True)]
    return tx.execute(
        sa.select(sa.func.count().label("schools"), *sums).where(
            s.round == round_name, *scope.narrows(sealed_school)
        )
    ).one()


def counts(tx: Transaction, round_name: str, scope: Scope) -> Sequence[sa.Row[Any]]:
    """(grade, sex, reason, pupils) over the scope; reason "" is counted."""
    c = sealed_count.c
    return tx.execute(
        sa.select(c.grade, c.sex, c.reason, sa.func.sum(c.pupils).label("pupils"))
        .select_from(_counts_with_schools())
        .where(c.round == round_name, *scope.narrows(sealed_school))
        .group_by(c.grade, c.sex, c.reason)
    ).all()


def not_counted(
    tx: Transaction, round_name: str, scope: Scope, after: tuple[str, str], limit: int
) -> Sequence[sa.Row[Any]]:
    """(school, name, esa, reason, pupils), in order of school and reason after the given ones."""
    c = sealed_count.c
    return tx.execute(
        sa.select(
            c.school,
            sa.func.coalesce(school.c.name, "").label("name"),
            sealed_school.c.esa,
            c.reason,
            sa.func.sum(c.pupils).label("pupils"),
        )
        .select_from(_counts_with_schools().outerjoin(school, school.c.code == c.school))
        .where(
            c.round == round_name,
            c.reason != "",
            sa.tuple_(c.school, c.reason) > after,
            *scope.narrows(sealed_school),
        )
        .group_by(c.school, school.c.name, sealed_school.c.esa, c.reason)
        .order_by(c.school, c.reason)
        .limit(limit)
    ).all()


def budget_lines(tx: Transaction, round_name: str, scope: Scope) -> Sequence[sa.Row[Any]]:
    """(item, level, grade, rate, certainty, heads, baht) over the scope."""
    b, s = budget_line.c, sealed_school.c
    columns = (b.item, b.level, b.grade, b.rate, b.certainty)
    heads = sa.func.sum(b.heads)
    joined = budget_line.join(sealed_school, sa.and_(s.round == b.round, s.school == b.school))
    return tx.execute(
        sa.select(*columns, heads.label("heads"), (heads * b.rate).label("baht"))
        .select_from(joined)
        .where(b.round == round_name, *scope.narrows(sealed_school))
        .group_by(*columns)
    ).all()


def packages(tx: Transaction, round_name: str) -> Sequence[sa.Row[Any]]:
    """The EDC packages that export built of the round, oldest first."""
    p = package.c
    return tx.execute(sa.select(package).where(p.round == round_name).order_by(p.at, p.package)).all()


def _counts_with_schools() -> sa.Join:
    c, s = sealed_count.c, sealed_school.c
    return sealed_count.join(sealed_school, sa.and_(s.round == c.round, s.school == c.school))
