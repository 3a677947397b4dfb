"""Sealing a round: count every school two ways, build the tree, work out the budget, write all of it, sign, tell.

One transaction. What it writes depends on the manifest, the documents, the outcomes and the time the closing was
announced, never on when it runs: taken again after a kill it gives the same root, and the same signature.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from services.contracts import merkle
from services.contracts.calendar import BANGKOK, RoundPlan
from services.contracts.intake import ManifestEntry
from services.contracts.roster import extract
from services.contracts.signed import sign
from services.contracts.snapshot import RoundSealed
from services.contracts.statements import leaves_of
from services.kit.database import Transaction
from services.kit.service import Runtime
from services.snapshot import settings
from services.snapshot.jobs.counting import (
    SCHOOLS_PER_PAGE,
    Counted,
    Page,
    by_school,
    count_first,
    count_second,
)
from services.snapshot.rules.budget import Budget, budget
from services.snapshot.rules.closing import disagreeing, seal, seal_of
from services.snapshot.rules.counts import COUNTED, COUNTED_STATES
from services.snapshot.rules.rates import Item, Rates, TopUp, load_rates
from services.snapshot.tables import (
    budget_line,
    closings,
    documents,
    rounds,
    sealed,
    sealed_count,
    sealed_school,
)
from services.snapshot.tables.results import without_hurry
from services.snapshot.tables.rounds import Round


@dataclass(frozen=True, slots=True)
class Worth:
    """The budget of a round, or None where no money hangs on it, and the rates it was worked out with."""

    table: Budget | None
    rates: Rates | None

    @property
    def without_rate(self) -> Mapping[str, int]:
        schools = self.table.schools if self.table else ()
        return {school.school: school.heads_without_rate for school in schools}


def seal_round(tx: Transaction, runtime: Runtime, held: Round, row: sa.Row[Any]) -> str:
    """Seal it, or raise NotNow where the counts disagree; returns the phase reached. The caller holds the round's lock."""
    without_hurry(tx)
    with _without_collection():
        return _seal(tx, runtime, held, row)


def _seal(tx: Transaction, runtime: Runtime, held: Round, row: sa.Row[Any]) -> str:
    closing, entries = closings.closing_of(row), closings.manifest(tx, row.id)
    first, wrong = _count(tx, row.id, held.plan, entries)
    after = seal(closing, row.id, wrong)
    worth = _worth(runtime, held.plan, first)
    leaves = leaves_of(entries)
    tree = merkle.levels([leaf.encoded() for leaf in leaves])
    summaries = (counted.summary for counted in first.values())
    closed_at = row.announced_at.astimezone(BANGKOK)
    extracts = extract.digest_of(documents.extracts(tx, row.id, COUNTED_STATES))
    facts = seal_of(closing, merkle.top(tree).hex(), extracts, len(leaves), summaries, closed_at)
    statement = sign(facts.payload(), *runtime.keys.seal)
    _write(tx, held.name, _schools(held.name, entries, tree, first, worth.without_rate), first, worth)
    tx.execute(
        sa.insert(sealed).values(round=held.name, closure=row.id, seal=statement, budget=_described(worth))
    )
    told = RoundSealed(
        round=held.name,
        closure=row.id,
        revision=rounds.advance_revision(tx, held),
        root=facts.root,
        schools=facts.schools,
        pupils=facts.pupils,
        counted=facts.counted,
        seal=statement,
    )
    tx.publish(told, subject=held.name)
    return closings.step(tx, row, after)


def _count(
    tx: Transaction, closure_id: str, plan: RoundPlan, entries: Sequence[ManifestEntry]
) -> tuple[dict[str, Counted], list[str]]:
    """Both ways, some schools at a time: the first way's counts, and the schools whose counts disagree."""
    outcomes = by_school(closings.outcomes(tx, closure_id))
    counts: dict[str, Counted] = {}
    wrong: list[str] = []
    for start in range(0, len(entries), SCHOOLS_PER_PAGE):
        page = Page(closure_id, plan.age_day, entries[start : start + SCHOOLS_PER_PAGE], outcomes)
        first, second = count_first(tx, page), count_second(tx, page)
        wrong += disagreeing(page.entries, {name: one.summary for name, one in first.items()}, second)
        counts |= first
    return counts, wrong


@contextmanager
def _without_collection() -> Iterator[None]:
    """Sealing the nation makes a million small values that live until its end and refer to nothing in a circle: to look for garbage among
    them again and again takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _write(
    tx: Transaction,
    name: str,
    schools: Iterable[Sequence[Any]],
    first: Mapping[str, Counted],
    worth: Worth,
) -> None:
    tx.copy(sealed_school, schools)
    cells = (
        (name, school, *key, number)
        for school, counted in first.items()
        for key, number in counted.summary.cells
    )
    tx.copy(sealed_count, cells)
    lines = (
        (name, one.school, line.item, line.level, line.grade, line.heads, line.rate, line.certainty)
        for one in (worth.table.schools if worth.table else ())
        for line in one.lines
    )
    tx.copy(budget_line, lines)


def _schools(
    name: str,
    entries: Sequence[ManifestEntry],
    tree: Sequence[Sequence[bytes]],
    first: Mapping[str, Counted],
    without_rate: Mapping[str, int],
) -> Iterator[Sequence[Any]]:
    """Rows of `sealed_school`, in its columns' order and the order of the leaves."""
    esas = {entry.school: entry.esa for entry in entries}
    for position, leaf in enumerate(leaves_of(entries)):
        counted = first[leaf.school]
        yield (
            *(name, leaf.school, esas[leaf.school], position, leaf.state, leaf.sha256, leaf.pupils),
            *(
                counted.summary.counted,
                without_rate.get(leaf.school, 0),
                b"".join(merkle.path_in(tree, position)),
            ),
            counted.lines_json(),
        )


def _worth(runtime: Runtime, plan: RoundPlan, first: Mapping[str, Counted]) -> Worth:
    """A year without its file of rates is a fault of the deployment: sealing waits for the file."""
    if plan.term is None:
        return Worth(None, None)
    folder: Path = runtime.parts.get("rates", settings.RATES)
    rates = load_rates(folder / f"{plan.academic_year}.toml")
    heads = {
        school: counted.summary.heads()
        for school, counted in first.items()
        if any(reason == COUNTED for (_, _, reason), _ in counted.summary.cells)
    }
    return Worth(budget(heads, rates, academic_year=plan.academic_year, term=plan.term), rates)


def _described(worth: Worth) -> dict[str, Any] | None:
    """What the budget's lines mean, kept with them: the file of rates may change later."""
    if worth.table is None or worth.rates is None:
        return None
    named: list[Item | TopUp] = [*worth.rates.items, *worth.rates.top_ups]
    return {
        "academic_year": worth.table.academic_year,
        "term": worth.table.term,
        "payment": worth.table.payment,
        "items": [{"key": item.key, "th": item.th, "en": item.en} for item in named],
    }
