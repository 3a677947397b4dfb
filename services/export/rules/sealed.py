"""Whether what was received is what was sealed: every document by its hash, all schools by the root, all counts by the
signed seal. A package is finished only when everything agrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.contracts.roster import canonical
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
    return seal


class Audit:
    """Everything received so far, weighed against the seal at the end."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self.leaves: list[Leaf] = []
        self.pupils = self.counted = 0

    @property
    def last(self) -> str:
        """The school received last; "" before the first."""
        return self.leaves[-1].school if self.leaves else ""

    def admit(self, frame: Frame) -> bytes:
        """The frame's document ("" without one), after its hash and number of pupils were checked. Raises PackageFault."""
        if frame.school <= self.last:
            raise malformed("schools out of order")
        document = _document(frame)
        self.leaves.append(
            Leaf(school=frame.school, state=frame.state, sha256=frame.sha256, pupils=frame.pupils)
        )
        self.pupils += frame.pupils
        self.counted += frame.pupils - len(frame.not_counted) if frame.counted else 0
        return document

    def close(self) -> None:
        """Raises PackageFault unless schools, root and counts are the seal's."""
        if len(self.leaves) != self.seal.schools or root_of(self.leaves) != self.seal.root:
            raise PackageFault(
                "root-differs",
                "ข้อมูลที่ได้รับไม่ใช่ชุดที่ผนึกไว้ (รากของชุดข้อมูลไม่ตรงกัน)",
                "What was received is not what was sealed: the roots differ",
            )
        if (self.pupils, self.counted) != (self.seal.pupils, self.seal.counted):
            raise PackageFault(
                "counts-differ",
                "จำนวนนักเรียนที่ได้รับไม่ตรงกับใบผนึก",
                "The numbers of pupils are not those of the seal",
            )


def _document(frame: Frame) -> bytes:
    if frame.sha256 is None:
        data, pupils = b"", 0
    else:
        try:
            data = canonical.unpack(frame.packed)
            if canonical.digest(data) != frame.sha256:
                raise damaged("its hash")
            pupils = canonical.height(data)
        except canonical.NotCanonical as problem:
            raise damaged("its form") from problem
    if pupils != frame.pupils:
        raise damaged("the number of pupils")
    return data


def damaged(what: str) -> PackageFault:
    """A document is not the one that was sealed; `what` of it."""
    return PackageFault(
        "document-damaged",
        f"เอกสารของโรงเรียนหนึ่งไม่ตรงกับที่ผนึกไว้ ({what})",
        f"A school's document is not the one that was sealed ({what})",
    )
