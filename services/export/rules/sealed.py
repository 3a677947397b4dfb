"""Whether what was received is what was sealed: all schools by the root, all extracts by their one name, all counts, each by the signed
seal. A package is finished only when everything agrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.contracts.roster import canonical, extract
from services.contracts.signed import NotGenuine
from services.contracts.statements import Leaf, Seal, read_seal, root_of
from services.export.rules.faults import PackageFault
from services.export.rules.frames import Frame, malformed


def genuine_seal(statement: object, jwks: Mapping[str, Any], round_name: str) -> Seal:
    """The round's seal. Raises PackageFault `seal-not-genuine`."""
    try:
        seal = read_seal(statement, jwks)
    except NotGenuine as problem:
        raise PackageFault("seal-not-genuine", problem.th, problem.en) from problem
    if seal.round != round_name:
        raise PackageFault("seal-not-genuine", "ใบผนึกเป็นของรอบอื่น", "The seal is that of another round")
    if not seal.extracts:
        raise PackageFault(
            "seal-without-extracts",
            "รอบนี้ผนึกด้วยระบบรุ่นก่อนซึ่งยังไม่มีส่วนคัดย่อ จึงสร้างชุดข้อมูลด้วยรุ่นนี้ไม่ได้",
            "The round was sealed by an earlier version, which made no extracts: this one cannot build its package",
        )
    return seal


class Audit:
    """Everything received so far, weighed against the seal at the end."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self.leaves: list[Leaf] = []
        self.extracts: list[tuple[str, str, str]] = []
        self.pupils = self.counted = 0

    @property
    def last(self) -> str:
        """The school received last; "" before the first."""
        return self.leaves[-1].school if self.leaves else ""

    def admit(self, frame: Frame) -> bytes:
        """The frame's extract ("" without one). Raises PackageFault."""
        if frame.school <= self.last:
            raise malformed("schools out of order")
        plain = self._extract(frame)
        self.leaves.append(
            Leaf(school=frame.school, state=frame.state, sha256=frame.sha256, pupils=frame.pupils)
        )
        self.pupils += frame.pupils
        self.counted += frame.pupils - len(frame.not_counted) if frame.counted else 0
        return plain

    def _extract(self, frame: Frame) -> bytes:
        if frame.sha256 is None and frame.pupils:
            raise damaged("the number of pupils")
        if frame.sha256 is None or not frame.counted:
            return b""
        try:
            plain = canonical.unpack(frame.packed)
        except canonical.NotCanonical as problem:
            raise damaged("its form") from problem
        self.extracts.append((frame.school, frame.sha256, canonical.digest(plain)))
        return plain

    def close(self) -> None:
        """Raises PackageFault unless schools, root, extracts and counts are the seal's."""
        if len(self.leaves) != self.seal.schools or root_of(self.leaves) != self.seal.root:
            raise PackageFault(
                "root-differs",
                "ข้อมูลที่ได้รับไม่ใช่ชุดที่ผนึกไว้ (รากของชุดข้อมูลไม่ตรงกัน)",
                "What was received is not what was sealed: the roots differ",
            )
        if extract.digest_of(self.extracts) != self.seal.extracts:
            raise damaged("its hash")
        if (self.pupils, self.counted) != (self.seal.pupils, self.seal.counted):
            raise PackageFault(
                "counts-differ",
                "จำนวนนักเรียนที่ได้รับไม่ตรงกับใบผนึก",
                "The numbers of pupils are not those of the seal",
            )


def damaged(what: str) -> PackageFault:
    """An extract is not the one that was sealed; `what` of it."""
    return PackageFault(
        "extract-damaged",
        f"ส่วนคัดย่อของโรงเรียนหนึ่งไม่ตรงกับที่ผนึกไว้ ({what})",
        f"A school's extract is not the one that was sealed ({what})",
    )
