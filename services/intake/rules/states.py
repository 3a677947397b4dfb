"""The states of a school's submission and what an act does to it; shapes only, the guards are in `acts`."""

from __future__ import annotations

from dataclasses import dataclass

EMPTY, DRAFT, READY = "empty", "draft", "ready"
CONFIRMED, CERTIFIED, ACKNOWLEDGED, SEALED = "confirmed", "certified", "acknowledged", "sealed"
STATES = (EMPTY, DRAFT, READY, CONFIRMED, CERTIFIED, ACKNOWLEDGED, SEALED)
OPEN_STATES = ("open", "closing")
"""States of the round in which uploads and acts are taken; after the fence nothing is."""
COUNTED = (CERTIFIED, ACKNOWLEDGED)
UNSIGNED = (EMPTY, DRAFT, READY)
SIGNED = (CONFIRMED, CERTIFIED, ACKNOWLEDGED, SEALED)


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that stands between a school and its confirmation."""

    code: str
    th: str
    en: str


_NOTHING = Block(
    "nothing-uploaded",
    "ยังไม่มีข้อมูลนักเรียน: โปรดส่งไฟล์ทะเบียนนักเรียน (ไม่มีนักเรียนให้ส่งไฟล์ที่มีแต่หัวตาราง)",
    "There is no roster yet: upload the file (a school without pupils uploads the header line only)",
)
_ERRORS = Block("errors-left", "มีข้อผิดพลาดที่ต้องแก้ {n} รายการ", "{n} errors are still to be corrected")
_WARNINGS = Block(
    "warnings-unexplained",
    "มีข้อควรตรวจสอบ {n} รายการที่ต้องแก้ไขหรือชี้แจง",
    "{n} warnings are to be corrected or explained",
)
_DUPLICATES = Block(
    "duplicates-unanswered",
    "มีนักเรียนซ้ำกับโรงเรียนอื่น {n} ราย: ลบออกจากทะเบียน หรือยืนยันว่าเป็นนักเรียนของโรงเรียน",
    "{n} pupils are also on another roll: remove them, or state that they are yours",
)
_LOCKED = Block(
    "locked",
    "สพฐ. ระงับการยืนยันของโรงเรียนนี้ โปรดติดต่อเขตพื้นที่การศึกษา",
    "Headquarters has locked this school's confirmation; contact the area office",
)


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
    found = (
        (submission.sha256 is None, _NOTHING),
        (submission.errors, _ERRORS),
        (submission.unexplained, _WARNINGS),
        (submission.cases_open, _DUPLICATES),
        (submission.locked, _LOCKED),
    )
    return tuple(
        Block(block.code, block.th.format(n=int(count)), block.en.format(n=int(count)))
        for count, block in found
        if count
    )


def readiness(submission: Submission) -> str:
    """empty, draft or ready, as the roster and its findings now stand."""
    if submission.sha256 is None:
        return EMPTY
    waiting_only_for_unlock = [b for b in blocks(submission) if b.code != "locked"]
    return DRAFT if waiting_only_for_unlock else READY
