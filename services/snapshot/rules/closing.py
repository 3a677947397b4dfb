"""The steps of closing a round: closing → fenced → settled → compared → sealed, or aborted until it is sealed.

Each step is one guarded function from what is known to the next state. A step taken again with the same facts changes
nothing, so that messages may repeat and a killed process may begin its step again. Not here: messages, documents, and the
signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from services.contracts.calendar import Extension, RoundPlan
from services.contracts.intake import ManifestEntry, RoundFenced
from services.contracts.manifest import manifest_digest
from services.contracts.refusal import Refusal
from services.contracts.roster.canonical import FORMAT_VERSION
from services.contracts.statements import Seal
from services.contracts.thai_dates import english_moment, thai_moment
from services.snapshot.rules.comparison import Comparison
from services.snapshot.rules.counts import Summary, total

Phase = Literal["closing", "fenced", "settled", "compared", "sealed", "aborted"]

TICKET_GRACE = timedelta(minutes=10)
"""So long after a window's end an act that was turned away inside it may still be shown with its ticket."""

_ORDER: Mapping[Phase, int] = {
    "aborted": 0,
    "closing": 1,
    "fenced": 2,
    "settled": 3,
    "compared": 4,
    "sealed": 5,
}


class NotNow(Refusal):
    """A step of closing that cannot be taken yet, or not any more; HTTP 409 where a person asked for it."""

    def __init__(self, code: str, th: str, en: str, **more: Any) -> None:
        super().__init__(409, code, th, en, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One attempt at closing a round. `closure` names it; manifest and number of schools are known from the fence on."""

    round: str
    closure: str
    phase: Phase
    manifest_sha256: str = ""
    parts: int = 0
    schools: int = 0


@dataclass(frozen=True, slots=True)
class SettledPart:
    """What one of dedup's messages says about itself: part `part` of 0..parts-1, for the manifest named."""

    part: int
    parts: int
    manifest_sha256: str


def announce(
    current: Closing | None,
    plan: RoundPlan,
    closure: str,
    at: datetime,
    extensions: Iterable[Extension] = (),
) -> Closing:
    """Headquarters closes the round, at `at` (round clock): not before the day of closing, nor while a school may still
    confirm or certify by the calendar, an extension or a ticket. `current`: the latest attempt, if any."""
    if "close" not in plan.keys:
        raise NotNow("nothing-to-close", "รอบนี้ไม่มีการปิดระบบ", "This round is not closed by headquarters")
    if current is not None and current.phase == "sealed":
        raise _sealed()
    if current is not None and current.closure == closure and current.phase != "aborted":
        return current
    if current is not None and (current.phase != "aborted" or current.closure == closure):
        raise NotNow("closing-under-way", "กำลังปิดรอบนี้อยู่แล้ว", "This round is being closed already")
    earliest = _earliest(plan, extensions)
    if at < earliest:
        raise NotNow(
            "too-early",
            f"ปิดรอบนี้ได้ตั้งแต่ {thai_moment(earliest)}",
            f"This round can be closed from {english_moment(earliest)} (Asia/Bangkok)",
            earliest=earliest.isoformat(),
        )
    return Closing(round=plan.name, closure=closure, phase="closing")


def fence(closing: Closing, fenced: RoundFenced) -> Closing:
    """Intake takes nothing more, and names the manifest."""
    _this_attempt(closing, fenced.closure)
    told = replace(
        closing, manifest_sha256=fenced.manifest_sha256, parts=fenced.parts, schools=fenced.schools
    )
    if closing.phase == "closing":
        return replace(told, phase="fenced")
    if told != closing:
        raise _contradiction("รายชื่อโรงเรียน", "manifest")
    return closing


def settle(
    closing: Closing, closure: str, manifest: Sequence[ManifestEntry], settled: Iterable[SettledPart]
) -> Closing:
    """The whole manifest is here, and dedup gave every outcome for exactly this manifest."""
    _this_attempt(closing, closure)
    if _ORDER[closing.phase] >= _ORDER["settled"]:
        return closing
    _at_least(closing, "fenced")
    if len(manifest) != closing.schools or manifest_digest(manifest) != closing.manifest_sha256:
        raise NotNow("manifest-incomplete", "ยังได้รับรายชื่อโรงเรียนไม่ครบ", "The manifest is not whole yet")
    if len({entry.school for entry in manifest}) != len(manifest):
        raise _contradiction("รายชื่อโรงเรียน", "manifest")
    parts = tuple(settled)
    if any(part.manifest_sha256 != closing.manifest_sha256 for part in parts):
        raise _contradiction("ผลการตรวจความซ้ำซ้อน", "settlement")
    if not parts or {part.part for part in parts} != set(range(parts[0].parts)):
        raise NotNow(
            "outcomes-incomplete", "ยังได้รับผลการตรวจความซ้ำซ้อนไม่ครบ", "The outcomes of dedup are not whole yet"
        )
    return replace(closing, phase="settled")


def compare(closing: Closing, closure: str, comparison: Comparison) -> Closing:
    """Every document of the manifest is here and says what the manifest says."""
    _this_attempt(closing, closure)
    if _ORDER[closing.phase] >= _ORDER["compared"]:
        return closing
    _at_least(closing, "settled")
    if comparison.contradictory:
        raise _disagree(list(comparison.contradictory))
    if comparison.missing:
        raise NotNow(
            "documents-missing",
            f"ยังไม่มีเอกสารของ {len(comparison.missing)} โรงเรียน ได้ขอให้ส่งใหม่แล้ว",
            f"The documents of {len(comparison.missing)} schools are not here yet; they were asked for",
            schools=list(comparison.missing),
        )
    return replace(closing, phase="compared")


def disagreeing(
    manifest: Sequence[ManifestEntry], first: Mapping[str, Summary], second: Mapping[str, Summary]
) -> list[str]:
    """Those of these schools for which the two ways of counting do not give the same, or not the manifest's number of pupils; and any
    that was counted without being one of them."""
    nothing = Summary()
    wrong = {
        entry.school
        for entry in manifest
        if first.get(entry.school, nothing) != second.get(entry.school, nothing)
        or first.get(entry.school, nothing).pupils != entry.pupils
    }
    return sorted(wrong | ((set(first) | set(second)) - {entry.school for entry in manifest}))


def seal(closing: Closing, closure: str, wrong: Iterable[str]) -> Closing:
    """Every school of the manifest was counted, and none is `wrong` (`disagreeing`)."""
    _this_attempt(closing, closure)
    if closing.phase == "sealed":
        return closing
    _at_least(closing, "compared")
    if schools := sorted(wrong):
        raise _disagree(schools)
    return replace(closing, phase="sealed")


def abort(closing: Closing) -> Closing:
    """Headquarters gives this attempt up; possible until the round is sealed."""
    if closing.phase == "sealed":
        raise _sealed()
    return replace(closing, phase="aborted")


def seal_of(
    closing: Closing, root: str, extracts: str, schools: int, counts: Iterable[Summary], closed_at: datetime
) -> Seal:
    """What the seal says; snapshot signs it. `root`: of the schools' leaves, hex; `extracts`: `extract.digest_of`. `closed_at`: round
    clock, Bangkok."""
    whole = total(counts)
    return Seal(
        round=closing.round,
        root=root,
        schools=schools,
        pupils=whole.pupils,
        counted=whole.counted,
        closed_at=closed_at.isoformat(),
        manifest_sha256=closing.manifest_sha256,
        format=FORMAT_VERSION,
        extracts=extracts,
    )


def _earliest(plan: RoundPlan, extensions: Iterable[Extension]) -> datetime:
    given = tuple(extensions)
    schools = {"", *(extension.school for extension in given)}
    ends = [
        plan.window(key, school=school, extensions=given).closes
        for key in ("confirm", "certify")
        for school in schools
    ]
    return max(plan.window("close").opens, max(ends) + TICKET_GRACE)


def _this_attempt(closing: Closing, closure: str) -> None:
    if closing.closure != closure:
        raise NotNow("other-closure", "เป็นของการปิดรอบครั้งอื่น", "This belongs to another attempt at closing")
    if closing.phase == "aborted":
        raise NotNow("aborted", "การปิดรอบครั้งนี้ถูกยกเลิกแล้ว", "This attempt at closing was given up")


def _at_least(closing: Closing, phase: Phase) -> None:
    if _ORDER[closing.phase] < _ORDER[phase]:
        raise NotNow(
            f"not-{phase}", "ขั้นตอนก่อนหน้ายังไม่เสร็จ", f"The round is {closing.phase}, it must be {phase} first"
        )


def _sealed() -> NotNow:
    return NotNow("round-sealed", "รอบนี้ปิดและผนึกข้อมูลแล้ว", "This round is closed and sealed")


def _contradiction(th: str, en: str) -> NotNow:
    return NotNow(
        "contradiction",
        f"{th}ที่ได้รับขัดกับที่ได้รับก่อนหน้า ต้องยกเลิกการปิดรอบครั้งนี้และเริ่มใหม่",
        f"The {en} contradicts what was known; abort this attempt and begin again",
    )


def _disagree(schools: list[str]) -> NotNow:
    return NotNow(
        "counts-disagree",
        f"จำนวนนักเรียนของ {len(schools)} โรงเรียนไม่ตรงกัน รอบนี้ยังผนึกไม่ได้",
        f"The counts of {len(schools)} schools disagree; the round cannot be sealed",
        schools=schools,
    )
