"""Whether what was received is what was sealed: every document by its hash, all schools by the root, all counts by the
signed seal. A package is finished only when everything agrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

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

    def admit(self, frame: Frame) -> pl.DataFrame:
        """The frame's roster, after its hash and number of pupils were checked. Raises PackageFault."""
        if frame.school <= self.last:
            raise malformed("schools out of order")
        roster = _document(frame)
        if roster.height != frame.pupils:
            raise _damaged("the number of pupils")
        self.leaves.append(
            Leaf(school=frame.school, state=frame.state, sha256=frame.sha256, pupils=frame.pupils)
        )
        self.pupils += frame.pupils
        self.counted += frame.pupils - len(frame.not_counted) if frame.counted else 0
        return roster

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


def _document(frame: Frame) -> pl.DataFrame:
    if frame.sha256 is None:
        return canonical.empty()
    try:
        data = canonical.unpack(frame.packed)
        if canonical.digest(data) != frame.sha256:
            raise _damaged("its hash")
        return canonical.decode(data)
    except canonical.NotCanonical as problem:
        raise _damaged("its form") from problem


def _damaged(what: str) -> PackageFault:
    return PackageFault(
        "document-damaged",
        f"เอกสารของโรงเรียนหนึ่งไม่ตรงกับที่ผนึกไว้ ({what})",
        f"A school's document is not the one that was sealed ({what})",
    )
