"""Events that intake produces: the register, rosters, the submissions' states, and its part of closing.

Every event about a submission carries its complete public state; a consumer replaces what it holds only by a
greater `revision` (design: no ordering is assumed). None carries a national ID.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.contracts.event import event


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredSchool:
    code: str  # 10-digit
    smis8: str
    name: str
    levels: str
    province: str


@event("intake.area.registered.v1", consumers=("dedup", "snapshot", "buildings", "export"))
class AreaRegistered:
    """An education service area with all its schools, as the register now has it; for the others' scope checks."""

    esa: str
    name: str
    revision: int
    schools: tuple[RegisteredSchool, ...]


@event("intake.roster.accepted.v1", consumers=("snapshot",), document=True)
class RosterAccepted:
    """A readable roster became the school's current version. Body: the canonical CSV, zstd-compressed."""

    round: str
    school: str
    revision: int
    sha256: str
    pupils: int


@event("intake.roster.identified.v1", consumers=("dedup",), document=True)
class RosterIdentified:
    """The same version as matching needs it. Body: CSV `line,key,first_name,last_name,birth_date,sex`, zstd;
    `key` is a keyed HMAC of the national ID (hex, 32), empty where the ID is missing."""

    round: str
    school: str
    revision: int
    sha256: str
    pupils: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionState:
    """A school's submission as it now stands, after an act or upload. States: services/intake/rules/acts.py. `correlation` and
    `trace` (W3C) are those of the request that brought it: who applies it goes on under them."""

    school: str
    esa: str
    revision: int
    state: str
    sha256: str | None
    pupils: int
    act: str
    at: str
    correlation: str
    trace: str


@event("intake.submission.changed.v2", consumers=("snapshot",))
class SubmissionsChanged:
    """Submissions of a round that changed in one transaction, each school once: acts that come at once are one message."""

    round: str
    submissions: tuple[SubmissionState, ...]


@event("intake.round.fenced.v1", consumers=("dedup", "snapshot"))
class RoundFenced:
    """Intake takes no more uploads or acts for the round. The manifest follows in `parts`; `manifest_sha256` is
    the digest of all its entries in order of school code (services/contracts/manifest.py)."""

    round: str
    closure: str
    parts: int
    schools: int
    manifest_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """One school at the fence. `sha256` is None while the school never had an accepted roster."""

    school: str
    esa: str
    revision: int
    state: str
    sha256: str | None
    pupils: int


@event("intake.manifest.sent.v1", consumers=("dedup", "snapshot"))
class ManifestSent:
    """One part of the manifest, `part` of 0..parts-1."""

    round: str
    closure: str
    part: int
    parts: int
    entries: tuple[ManifestEntry, ...]
