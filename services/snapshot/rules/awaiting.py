"""Who a closing round waits for, in words for the headquarters' page. Not here: the steps themselves (`closing.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from services.snapshot.rules.closing import Closing
from services.snapshot.rules.comparison import Comparison

NAMED = 20
"""Of many missing documents so many schools are named; the rest are a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What has arrived so far: parts of the manifest, dedup's outcomes (`outcome_parts_of`: None before its first), and
    the last comparison."""

    manifest_parts: int = 0
    outcome_parts: int = 0
    outcome_parts_of: int | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """A service that has to do something before closing goes on, and what."""

    service: str
    th: str
    en: str


def awaited(closing: Closing, progress: Progress) -> tuple[Awaited, ...]:
    """Who is awaited now; empty for a round that is sealed or whose closing was given up."""
    if closing.phase == "closing":
        return (
            Awaited("intake", "รอปิดรับข้อมูลและส่งรายชื่อโรงเรียน", "to stop taking data and send the manifest"),
        )
    if closing.phase == "fenced":
        return _fenced(closing, progress)
    if closing.phase == "settled":
        return _settled(progress.comparison)
    if closing.phase == "compared":
        return (Awaited("snapshot", "กำลังนับและผนึกข้อมูล", "counting, then sealing"),)
    return ()


def _fenced(closing: Closing, progress: Progress) -> tuple[Awaited, ...]:
    waiting: list[Awaited] = []
    if progress.manifest_parts < closing.parts:
        have = f"{progress.manifest_parts}/{closing.parts}"
        waiting.append(
            Awaited("intake", f"รายชื่อโรงเรียน ได้รับ {have} ส่วน", f"the manifest: {have} parts are here")
        )
    if progress.outcome_parts_of is None:
        waiting.append(Awaited("dedup", "รอผลการตรวจความซ้ำซ้อน", "to settle the duplicates of the manifest"))
    elif progress.outcome_parts < progress.outcome_parts_of:
        have = f"{progress.outcome_parts}/{progress.outcome_parts_of}"
        waiting.append(
            Awaited("dedup", f"ผลการตรวจความซ้ำซ้อน ได้รับ {have} ส่วน", f"outcomes: {have} parts are here")
        )
    return tuple(waiting) or (Awaited("snapshot", "กำลังตรวจรายชื่อโรงเรียน", "checking the manifest"),)


def _settled(comparison: Comparison | None) -> tuple[Awaited, ...]:
    if comparison is None or comparison.equal:
        return (Awaited("snapshot", "กำลังเทียบเอกสารของทุกโรงเรียน", "comparing every school's document"),)
    waiting: list[Awaited] = []
    if comparison.missing:
        th, en = _named(comparison.missing)
        waiting.append(Awaited("intake", f"เอกสารของโรงเรียน {th}", f"to send again the documents of {en}"))
    if comparison.contradictory:
        th, en = _named(comparison.contradictory)
        waiting.append(
            Awaited("hq", f"ข้อมูลไม่ตรงกันของโรงเรียน {th} ให้ยกเลิกแล้วเริ่มใหม่", f"to abort: contradictions at {en}")
        )
    return tuple(waiting)


def _named(schools: tuple[str, ...]) -> tuple[str, str]:
    shown, more = ", ".join(schools[:NAMED]), len(schools) - NAMED
    if more <= 0:
        return shown, shown
    return f"{shown} และอีก {more} แห่ง", f"{shown} and {more} more"
