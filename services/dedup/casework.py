"""Cases brought in line with who holds the key, and the acts of people on them. A case is recomputed from its holders,
answers and rulings, never patched; one event goes to every school concerned, also a last one to a school that left.

Locks, in this order: the register (shared), the round's acts (shared; people only), the identity keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.contracts.access import Grant
from services.contracts.calendar import BANGKOK
from services.contracts.dedup import CaseChanged, CaseParty
from services.contracts.envelope import Envelope
from services.contracts.event import to_plain
from services.dedup.rules import guards
from services.dedup.rules.standing import CLEARED, NO_ANSWER, OURS, next_revision, standing, told
from services.dedup.tables import cases, closures, holders, register, rounds
from services.kit.database import Transaction
from services.kit.errors import not_found

REGISTER_LOCK = "register"


def acts_lock(round_name: str) -> str:
    """The advisory lock whose shared side every answer and decision holds, and closing the exclusive one."""
    return f"acts:{round_name}"


def recompute(
    tx: Transaction, round_name: str, keys: Collection[bytes], causes: Mapping[str, Envelope] | None = None
) -> None:
    """Bring the cases of these keys up to date and tell the schools. The caller holds the keys' row locks, or the
    exclusive side of the register's lock. `causes`: school → the message it comes from, where several came together."""
    contested = holders.contested(tx, round_name, keys)
    existing = holders.keys_of_cases(tx, round_name, keys)
    cases.ensure(tx, round_name, sorted(set(contested) - set(existing)), tx.now())
    concerned = sorted({*contested, *existing})
    if not concerned:
        return
    rows = cases.of_keys(tx, round_name, concerned)
    ids = [row.case for row in rows]
    sentences, rulings = cases.sentences(tx, ids), cases.latest_rulings(tx, ids)
    sides = _sides(tx, round_name, concerned)
    changes = cases.Changes()
    for row in rows:
        parties = [_answered(side, sentences.get((row.case, side.school))) for side in sides[row.key]]
        _bring_up(tx, changes, row, parties, rulings.get(row.case), causes or {})
    changes.write(tx)


def _sides(tx: Transaction, round_name: str, keys: Collection[bytes]) -> dict[bytes, list[CaseParty]]:
    # Three look-ups and no join: under the keys' locks no other holder's roll can change between them, and each is by
    # its index whatever the planner knows of tables that grew a minute ago.
    rows = holders.holders_of(tx, round_name, keys)
    codes = {row.school for row in rows}
    rolls, names = holders.rolls_of(tx, round_name, codes), register.names(tx, codes)
    found: dict[bytes, list[CaseParty]] = defaultdict(list)
    for row in rows:
        name, esa = names.get(row.school, ("", ""))
        side = CaseParty(
            school=row.school,
            name=name,
            esa=esa,
            sha256=rolls[row.school],
            line=row.line,
            answer=NO_ANSWER,
            sentence="",
        )
        found[row.key].append(side)
    return found


def _answered(side: CaseParty, sentence: str | None) -> CaseParty:
    return side if sentence is None else replace(side, answer=OURS, sentence=sentence)


def _bring_up(
    tx: Transaction,
    changes: cases.Changes,
    row: sa.Row[Any],
    sides: Sequence[CaseParty],
    ruled: cases.Ruled | None,
    causes: Mapping[str, Envelope],
) -> None:
    present = [side.school for side in sides]
    state, decision = standing(set(present), ruled.ruling if ruled else None)
    # A cleared case keeps its last parties, so that those who were concerned still find it.
    parties = row.parties if state == CLEARED else to_plain(sides)
    if (state, decision, parties) == (row.state, row.decision, row.parties):
        return
    revision = next_revision(row.revision, int(tx.clock.real().timestamp() * 1000))
    changes.case(row, state=state, decision=decision, revision=revision, parties=parties)
    before = [party["school"] for party in row.parties]
    if state != CLEARED:
        changes.members(row, before, present)
    concerned = sorted({*before, *present})
    cause = next((causes[school] for school in concerned if school in causes), None)
    for school in concerned:
        was = told(school, row.state or CLEARED, row.decision, row.parties)
        now = told(school, state, decision, parties)
        if now != was:
            _tell(tx, row, school, revision, now, cause)


def _tell(
    tx: Transaction, row: sa.Row[Any], school: str, revision: int, now: dict[str, Any], cause: Envelope | None
) -> None:
    event = CaseChanged(
        round=row.round,
        case=row.case,
        school=school,
        revision=revision,
        state=now["state"],
        decision=now["decision"],
        parties=tuple(CaseParty(**party) for party in now["parties"]),
        opened_at=row.opened_at.astimezone(BANGKOK).isoformat(),
    )
    tx.publish(event, subject=school, cause=cause)


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts on a case, and when the request arrived (round clock)."""

    subject: str
    grants: tuple[Grant, ...]
    at: datetime


def answer(tx: Transaction, person: Person, case: str, school: str, sentence: str) -> sa.Row[Any]:
    """The school says that the pupil is its own. Returns the case as it then stands; raises Refusal."""
    row, facts = _take(tx, person, case)
    guards.may_answer(person.grants, facts, school, person.at)
    cases.keep_answer(tx, case, school, sentence=sentence, by=person.subject, at=person.at)
    return _after(tx, row)


def decide(tx: Transaction, person: Person, case: str, belongs_to: str, reason: str) -> sa.Row[Any]:
    """The area or headquarters says to which school the pupil belongs, or to neither. Returns the case as it then
    stands; the same decision made twice is one; raises Refusal."""
    row, facts = _take(tx, person, case)
    role = guards.may_decide(person.grants, facts, belongs_to, person.at)
    schools = sorted(side.school for side in facts.sides)
    latest = cases.latest_rulings(tx, [case]).get(case)
    same = latest and (latest.ruling.belongs_to, latest.reason, sorted(latest.ruling.schools), latest.role)
    if same != (belongs_to, reason, schools, role):
        given = {"belongs_to": belongs_to, "reason": reason, "schools": schools, "role": role}
        cases.keep_ruling(tx, case, by=person.subject, at=person.at, **given)
    return _after(tx, row)


def _take(tx: Transaction, person: Person, case: str) -> tuple[sa.Row[Any], guards.Case]:
    """The case with its locks held, and what the guards need. 404 for a case that is not this person's to know of."""
    known = cases.find(tx, case)
    if known is None:
        raise not_found()
    tx.lock_shared(REGISTER_LOCK)
    tx.lock_shared(acts_lock(known.round))
    holders.lock_keys(tx, known.round, [known.key])
    row = cases.find(tx, case)
    sides = tuple(guards.Side(party["school"], party["esa"]) for party in (row.parties if row else ()))
    if row is None or not guards.sees_case(person.grants, sides):
        raise not_found()
    latest = cases.latest_rulings(tx, [case]).get(case)
    facts = guards.Case(
        state=row.state,
        sides=sides,
        ruled_by=latest.role if latest else "",
        round_state=closures.state(tx, row.round),
        windows=_windows(tx, row.round, [side.school for side in sides]),
    )
    return row, facts


def _windows(tx: Transaction, round_name: str, schools: Sequence[str]) -> tuple[Any, ...]:
    calendar = rounds.calendar(tx, round_name)
    return guards.windows(calendar.plan, schools, calendar.extensions) if calendar else ()


def _after(tx: Transaction, row: sa.Row[Any]) -> sa.Row[Any]:
    recompute(tx, row.round, [row.key])
    changed = cases.find(tx, row.case)
    assert changed is not None
    return changed
