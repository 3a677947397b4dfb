"""What Tabian signs: receipts of acts, seals of rounds, and proofs that a school is under a seal.

A round's tree has one leaf per school in order of its 10-digit code; a leaf's bytes are the canonical JSON of
`{"pupils", "school", "sha256", "state"}`. A proof is not signed itself: it carries the seal, and its path leads from the leaf to
the seal's root. Not here: signing (`signed.py`) and trees (`merkle.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from services.contracts import merkle
from services.contracts.event import EventMismatch, from_plain, to_plain
from services.contracts.intake import ManifestEntry
from services.contracts.signed import NotGenuine, canonical_json, verify

RECEIPT, SEAL, PROOF = "tabian-receipt", "tabian-seal", "tabian-proof"
HEX64 = re.compile(r"[0-9a-f]{64}")
MAX_PATH = 64
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who acted: the account's subject, the person's name, and the role they acted in."""

    subject: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """How far the roster was compared for duplicates: with how many other rolls, when (ISO, Bangkok)."""

    compared_with: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An act as intake took it. Times are ISO in Bangkok; `screening` is None while nothing had been compared."""

    act: str
    round: str
    school: str
    sha256: str
    pupils: int
    who: Signer
    arrived: str
    statement: str
    screening: Screening | None
    revision: int
    issued: str

    def payload(self) -> dict[str, Any]:
        return {"kind": RECEIPT, **to_plain(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A round as snapshot closed it. `root` and `manifest_sha256` in hex; `counted` of `pupils` count; `format`:
    the version of the canonical roster; `extracts`: the one name of the counted schools' extracts (`extract.digest_of`), empty
    in seals of before there were any."""

    round: str
    root: str
    schools: int
    pupils: int
    counted: int
    closed_at: str
    manifest_sha256: str
    format: int
    extracts: str = ""

    def payload(self) -> dict[str, Any]:
        return {"kind": SEAL, **to_plain(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One school under a seal: its state at closing and the roster that stood then (None: it never had one)."""

    school: str
    state: str
    sha256: str | None
    pupils: int

    def encoded(self) -> bytes:
        return canonical_json(to_plain(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That `leaf` is number `index` (from 0) of `size` schools under `seal`; `path` from the leaf upward, in hex."""

    round: str
    school: str
    leaf: Leaf
    index: int
    size: int
    path: tuple[str, ...]
    seal: dict[str, Any]

    def payload(self) -> dict[str, Any]:
        return {"kind": PROOF, **to_plain(self)}


def leaves_of(entries: Sequence[ManifestEntry]) -> list[Leaf]:
    """The leaves of a round in their order. Raises ValueError if a school stands in the manifest twice."""
    ordered = sorted(entries, key=lambda entry: entry.school)
    if len({entry.school for entry in ordered}) != len(ordered):
        raise ValueError("a school stands in the manifest twice")
    return [Leaf(school=e.school, state=e.state, sha256=e.sha256, pupils=e.pupils) for e in ordered]


def root_of(leaves: Sequence[Leaf]) -> str:
    """The root over these leaves, in hex."""
    return merkle.root([leaf.encoded() for leaf in leaves]).hex()


class Prover:
    """Makes the proofs of one sealed round; the tree is built once (0.3 s for the nation), a proof is a look-up."""

    def __init__(self, leaves: Sequence[Leaf], round_name: str, seal: dict[str, Any]) -> None:
        """`leaves` in their order (`leaves_of`); `seal` is the signed statement."""
        self._round, self._seal, self._leaves = round_name, seal, tuple(leaves)
        self._index = {leaf.school: index for index, leaf in enumerate(self._leaves)}
        self._tree = merkle.levels([leaf.encoded() for leaf in self._leaves])

    def proof(self, school: str) -> Proof:
        """Raises KeyError for a school that has no leaf."""
        index = self._index[school]
        return Proof(
            round=self._round,
            school=school,
            leaf=self._leaves[index],
            index=index,
            size=len(self._leaves),
            path=tuple(step.hex() for step in merkle.path_in(self._tree, index)),
            seal=self._seal,
        )


def read_receipt(statement: object, jwks: Mapping[str, Any]) -> Receipt:
    """A genuine receipt. Raises NotGenuine."""
    return _of_kind(Receipt, RECEIPT, verify(statement, jwks))


def read_seal(statement: object, jwks: Mapping[str, Any]) -> Seal:
    """A genuine seal. Raises NotGenuine."""
    return _of_kind(Seal, SEAL, verify(statement, jwks))


def read_proof(data: object, jwks: Mapping[str, Any]) -> tuple[Proof, Seal]:
    """A proof that holds, and the genuine seal it leads to. Raises NotGenuine."""
    proof = _of_kind(Proof, PROOF, data)
    seal = read_seal(proof.seal, jwks)
    if (proof.round, proof.school, proof.size) != (seal.round, proof.leaf.school, seal.schools):
        raise NotGenuine(
            "proof-of-another",
            "หลักฐานนี้เป็นของรอบหรือโรงเรียนอื่น ไม่ตรงกับใบผนึกที่แนบมา",
            "The proof is of another round or school than the seal in it",
        )
    if not _leads_to(proof, seal):
        raise NotGenuine(
            "not-under-seal",
            "ข้อมูลของโรงเรียนในหลักฐานนี้ไม่อยู่ในชุดข้อมูลที่ผนึก",
            "What the proof says of the school is not under the seal",
        )
    return proof, seal


def _leads_to(proof: Proof, seal: Seal) -> bool:
    if len(proof.path) > MAX_PATH or not all(HEX64.fullmatch(step) for step in (*proof.path, seal.root)):
        return False
    path = [bytes.fromhex(step) for step in proof.path]
    try:
        leaf = proof.leaf.encoded()
    except ValueError:
        return False
    return merkle.verify_inclusion(leaf, proof.index, proof.size, path, bytes.fromhex(seal.root))


def _of_kind(cls: type[S], kind: str, payload: object) -> S:
    if not isinstance(payload, dict) or payload.get("kind") != kind:
        raise NotGenuine(
            "other-kind",
            "เอกสารนี้ไม่ใช่ชนิดที่ต้องการตรวจ",
            f"This is not a statement of the kind {kind}",
        )
    try:
        return from_plain(cls, payload)
    except EventMismatch as mismatch:
        raise NotGenuine(
            "malformed", f"เนื้อความไม่ครบหรือผิดรูปแบบ ({mismatch})", f"Malformed: {mismatch}"
        ) from None
