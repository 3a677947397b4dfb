"""Events that dedup produces: what screening found, the cases, and how they stood at closing.

A pupil is named by school, roster sha256 and line (1-based in that canonical document), never by name or ID.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.contracts.event import event


@event("dedup.roster.screened.v1", consumers=("intake",))
class RosterScreened:
    """A roster version was compared with the current rolls of `compared_with` other schools, at `at` (ISO)."""

    round: str
    school: str
    sha256: str
    revision: int
    compared_with: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseParty:
    """One school's side of a case. `answer`: none | ours. `name`: the school's name, not a person's."""

    school: str
    name: str
    esa: str
    sha256: str
    line: int
    answer: str
    sentence: str


@event("dedup.case.changed.v1", consumers=("intake",))
class CaseChanged:
    """A duplicate case as it now stands for one school concerned (`school`), sent when that changed.

    state: open | cleared | decided; `decision`: the school the pupil belongs to, "neither", or "" while undecided.
    `parties`: `school` itself and at most 19 others. A case that cleared, and one of which the school is no longer a
    party, is told as cleared, without parties.
    """

    round: str
    case: str
    school: str
    revision: int
    state: str
    decision: str
    parties: tuple[CaseParty, ...]
    opened_at: str


@event("dedup.roster.requested.v1", consumers=("intake",))
class IdentifiedRequested:
    """Dedup lacks the named schools' identified rosters and asks intake to send them again."""

    round: str
    closure: str
    schools: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A pupil's line that is not counted for its school. reason: duplicate-undecided | duplicate-lost."""

    school: str
    sha256: str
    line: int
    reason: str
    case: str


@event("dedup.round.settled.v1", consumers=("snapshot",))
class RoundSettled:
    """Dedup has screened exactly the manifest named and gives every outcome, part `part` of 0..parts-1."""

    round: str
    closure: str
    manifest_sha256: str
    part: int
    parts: int
    outcomes: tuple[Outcome, ...]
