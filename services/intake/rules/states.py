"""The states of a school's submission and what an act does to it; shapes only, the guards are in `acts`."""

from __future__ import annotations

from dataclasses import dataclass

EMPTY, DRAFT, READY = "empty", "draft", "ready"
CONFIRMED, CERTIFIED, ACKNOWLEDGED, SEALED = "confirmed", "certified", "acknowledged", "sealed"
STATES = (EMPTY, DRAFT, READY, CONFIRMED, CERTIFIED, ACKNOWLEDGED, SEALED)
OPEN_STATES = ("open", "closing")
"""States of the round in which uploads and acts are taken; after the fence nothing is."""
COUNTED = (CERTIFIED, ACKNOWLEDGED)
SIGNED = (CONFIRMED, CERTIFIED, ACKNOWLEDGED, SEALED)


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that stands between a school and its confirmation."""

    code: str
    th: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What the guards know of a school's submission in a round."""

    state: str
    sha256: str | None
    pupils: int
    locked: bool
    confirmed_by: str
    errors: int
    unexplained: int
    cases_open: int
    upload_waiting: str | None
    """Id of an upload still received or checking."""


def blocks(submission: Submission) -> tuple[Block, ...]:
    """What still blocks confirming, each with what to do. Only what this school can do itself, or a lock by headquarters."""
    found: list[Block] = []
    if submission.sha256 is None:
        found.append(
            Block(
                "nothing-uploaded",
                "ยังไม่มีข้อมูลนักเรียน: โปรดส่งไฟล์ทะเบียนนักเรียน (ไม่มีนักเรียนให้ส่งไฟล์ที่มีแต่หัวตาราง)",
                "There is no roster yet: upload the file (a school without pupils uploads the header line only)",
            )
        )
    if submission.errors:
        found.append(
            Block(
                "errors-left",
                f"มีข้อผิดพลาดที่ต้องแก้ {submission.errors} รายการ",
                f"{submission.errors} errors are still to be corrected",
            )
        )
    if submission.unexplained:
        found.append(
            Block(
                "warnings-unexplained",
                f"มีข้อควรตรวจสอบ {submission.unexplained} รายการที่ต้องแก้ไขหรือชี้แจง",
                f"{submission.unexplained} warnings are to be corrected or explained",
            )
        )
    if submission.cases_open:
        found.append(
            Block(
                "duplicates-unanswered",
                f"มีนักเรียนซ้ำกับโรงเรียนอื่น {submission.cases_open} ราย: ลบออกจากทะเบียน หรือยืนยันว่าเป็นนักเรียนของโรงเรียน",
                f"{submission.cases_open} pupils are also on another roll: remove them, or state that they are yours",
            )
        )
    if submission.locked:
        found.append(
            Block(
                "locked",
                "สพฐ. ระงับการยืนยันของโรงเรียนนี้ โปรดติดต่อเขตพื้นที่การศึกษา",
                "Headquarters has locked this school's confirmation; contact the area office",
            )
        )
    return tuple(found)


def readiness(submission: Submission) -> str:
    """empty, draft or ready, as the roster and its findings now stand."""
    if submission.sha256 is None:
        return EMPTY
    waiting_only_for_unlock = [b for b in blocks(submission) if b.code != "locked"]
    return DRAFT if waiting_only_for_unlock else READY
