"""One school of the nation: its plan turned into files and their truth. Nothing outside the school is written or asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from deploy.rehearsal import faults, forms, wrong
from deploy.rehearsal.draw import Bools, Columns
from deploy.rehearsal.faults import CANNOT_DISCHARGE, NO_PUPILS, UNDER_AGE, Fault
from deploy.rehearsal.identities import Ints
from deploy.rehearsal.plan import Nation, Pair, SchoolPlan, counts_of
from deploy.rehearsal.pupils import Persons, persons_of
from deploy.rehearsal.roll import Roll, build
from deploy.rehearsal.sizes import stream
from deploy.rehearsal.truth import Answer, Planted, Purpose, SchoolTruth, Upload


@dataclass(frozen=True, slots=True)
class Sight:
    """Where one of the two schools of a duplicate has the pupil: the key names the pupil by line and place."""

    pupil: tuple[int, int]
    code: str
    row: int
    national_id: str
    pair: Pair | None  # at the false school only


@dataclass(frozen=True, slots=True)
class Made:
    """What making one school gave: its truth, its sights of duplicates, pupils and bytes written."""

    truth: SchoolTruth
    sights: tuple[Sight, ...]
    pupils: int
    written: int


class _Files:
    """The uploads of one school in the making."""

    def __init__(self, folder: Path, plan: SchoolPlan) -> None:
        self._folder = folder
        self._form = plan.form
        self._code = plan.school.code
        self.uploads: list[Upload] = []
        self.pupils = 0
        self.written = 0

    def refused(self, reason: str, data: bytes, suffix: str) -> None:
        """A file that must be rejected."""
        self.uploads.append(Upload(self._save(f"wrong.{suffix}", data), "wrong", "rejected", 0, reason))

    def accepted(self, purpose: Purpose, columns: Columns, findings: list[Planted]) -> None:
        """A file that must be accepted, with these findings."""
        pupils = len(columns["national_id"])
        name = self._form.suffix if purpose == "first" else f"{purpose}.{self._form.suffix}"
        file = self._save(name, forms.write(columns, self._form))
        self.uploads.append(Upload(file, purpose, "accepted", pupils, None, tuple(findings)))
        self.pupils += pupils

    def _save(self, suffix: str, data: bytes) -> str:
        file = f"rosters/{self._code}.{suffix}"
        (self._folder / file).write_bytes(data)
        self.written += len(data)
        return file


@lru_cache(maxsize=12)
def _persons(nation: Nation, place: int) -> Persons:
    school = nation.schools[place]
    return persons_of(nation.seed, place, school, counts_of(nation, place), nation.round)


def make(nation: Nation, plan: SchoolPlan, folder: Path) -> Made:
    """Write the files of one school below `folder`/rosters and tell the truth about them.

    Raises OSError when a file cannot be written.
    """
    roll = _roll(nation, plan)
    rng = stream(nation.seed, plan.place, 3)
    planted = faults.plant(roll, plan.rules, _free(roll, plan), rng, nation.round)
    answers = [_answer(fault, rng) for fault in planted]
    explained = [fault for fault, answer in zip(planted, answers, strict=True) if answer == "explain"]
    files = _Files(folder, plan)
    if plan.wrong:
        files.refused(plan.wrong, *wrong.make(plan.wrong, roll.columns, rng))
    everyone = np.ones(len(roll), dtype=np.bool_)
    first = faults.typed(roll.columns, planted)
    files.accepted("first", first, _findings(plan, roll, everyone, planted, answers))
    current = first
    if len(explained) < len(planted):
        current = faults.typed(roll.columns, explained)
        files.accepted(
            "fixed", current, _findings(plan, roll, everyone, explained, ["explain"] * len(explained))
        )
    keep = _kept(roll, plan)
    if not keep.all():
        left = {key: column.filter(keep) for key, column in current.items()}
        findings = _findings(plan, roll, keep, explained, ["explain"] * len(explained))
        files.accepted("final", left, findings)
    return Made(_truth(plan, roll, keep, files), _sights(plan, roll), files.pupils, files.written)


def _roll(nation: Nation, plan: SchoolPlan) -> Roll:
    school = plan.school
    own = persons_of(nation.seed, plan.place, school, plan.counts, nation.round)
    guests = own.at(np.empty(0, dtype=np.int64))
    for pair in plan.guests:
        guests = guests.and_also(_persons(nation, pair.true).at(np.array([pair.pupil])))
    lent = np.array([pair.pupil for pair in plan.lent], dtype=np.int64)
    return build(nation.seed, plan.place, school, own, guests, lent, nation.round)


def _free(roll: Roll, plan: SchoolPlan) -> Ints:
    """Rows whose data may be spoilt: nobody's who is noted, lent or a guest."""
    lent = np.array([pair.pupil for pair in plan.lent], dtype=np.int64)
    return np.flatnonzero((roll.origin >= 0) & ~roll.young & ~roll.vanished & ~np.isin(roll.origin, lent))


def _kept(roll: Roll, plan: SchoolPlan) -> Bools:
    """Rows that stay once the school has removed the pupils it does not claim."""
    gone = [-1 - number for number, pair in enumerate(plan.guests) if pair.resolution == "removed"]
    return np.asarray(~np.isin(roll.origin, np.array(gone, dtype=np.int64)))


def _answer(fault: Fault, rng: np.random.Generator) -> Answer:
    """Errors must be fixed; of the warnings half are true and get a sentence."""
    return "explain" if fault.severity == "warning" and rng.random() < 0.5 else "fix"


def _findings(
    plan: SchoolPlan, roll: Roll, keep: Bools, planted: list[Fault], answers: list[Answer]
) -> list[Planted]:
    """All findings that a file with these faults must give, by row of the file; `keep` marks the rows that it has."""
    if not len(roll):
        return [Planted(NO_PUPILS, "warning", 0, None, "explain")]
    rows = plan.form.first_row + np.cumsum(keep) - 1
    found = [
        Planted(fault.rule, fault.severity, int(rows[row]), fault.field, answer)
        for fault, answer in zip(planted, answers, strict=True)
        for row in fault.rows
    ]
    found += _notes(UNDER_AGE, "birth_date", rows[roll.young & keep])
    found += _notes(CANNOT_DISCHARGE, "cannot_discharge_yet", rows[roll.vanished & keep])
    return sorted(found, key=lambda finding: (finding.row, finding.rule))


def _notes(rule: str, key: str, rows: Ints) -> list[Planted]:
    return [Planted(rule, "note", int(row), key, "note") for row in rows]


def _truth(plan: SchoolPlan, roll: Roll, keep: Bools, files: _Files) -> SchoolTruth:
    pairs = (*plan.guests, *plan.lent)
    reasons = {
        UNDER_AGE: int((roll.young & keep).sum()),
        CANNOT_DISCHARGE: int((roll.vanished & keep).sum()),
        "duplicate-lost": sum(pair.resolution == "ours" for pair in plan.guests),
        "duplicate-undecided": sum(pair.resolution == "undecided" for pair in pairs),
    }
    pupils = int(keep.sum())
    return SchoolTruth(
        code=plan.school.code,
        smis8=plan.school.smis8,
        esa=plan.school.esa,
        form=plan.form.kind,
        pupils=pupils,
        counted=pupils - sum(reasons.values()),
        counts=roll.counts(keep),
        not_counted={reason: number for reason, number in reasons.items() if number},
        uploads=tuple(files.uploads),
    )


def _sights(plan: SchoolPlan, roll: Roll) -> tuple[Sight, ...]:
    """This school's halves of the duplicates."""
    here = [(pair, -1 - number) for number, pair in enumerate(plan.guests)]
    here += [(pair, pair.pupil) for pair in plan.lent]
    rows = roll.rows_of(np.array([origin for _, origin in here], dtype=np.int64))
    return tuple(
        Sight(
            pupil=(pair.true, pair.pupil),
            code=plan.school.code,
            row=plan.form.first_row + int(row),
            national_id=str(roll.columns["national_id"][int(row)]),
            pair=pair if origin < 0 else None,
        )
        for (pair, origin), row in zip(here, rows, strict=True)
    )
