"""`tabian verify`: checks a receipt, a seal or a proof without asking any server, with nothing but the public keys.

It says in Thai and in English what was checked. Exit code 0: it holds; 1: it does not, or a file cannot be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from services.contracts.signed import NotGenuine, read_json
from services.contracts.statements import (
    PROOF,
    RECEIPT,
    SEAL,
    Proof,
    Receipt,
    Seal,
    read_proof,
    read_receipt,
    read_seal,
)
from services.contracts.thai_dates import english_moment, thai_moment

ACTS = {
    "confirm": ("ยืนยันข้อมูล", "confirmation"),
    "undo": ("ยกเลิกการยืนยัน", "undoing of the confirmation"),
    "certify": ("รับรองการมีตัวตนของนักเรียน", "certification"),
    "acknowledge": ("รับทราบการรายงานข้อมูล", "acknowledgement"),
    "cancel": ("ยกเลิกโดยเขตพื้นที่หรือ สพฐ.", "cancellation by area or headquarters"),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a genuine file says, line by line in both languages, and the roster it names (None: it names none)."""

    th: tuple[str, ...]
    en: tuple[str, ...]
    sha256: str | None


@click.command(
    "verify", help="ตรวจใบรับ ใบผนึก หรือหลักฐาน โดยไม่ต้องต่อระบบ · Check a receipt, seal or proof (FILE) offline."
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    "keys_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="กุญแจสาธารณะ · The public keys (jwks.json).",
)
@click.option(
    "--roster",
    "roster_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="ไฟล์ข้อมูลนักเรียนที่จะเทียบ · A canonical roster (CSV): is it the version named?",
)
def verify(file: Path, keys_file: Path, roster_file: Path | None) -> None:
    try:
        checked = check(read_json(_read(file)), read_json(_read(keys_file)))
        if roster_file is not None:
            checked = _with_roster(checked, roster_file)
    except NotGenuine as reason:
        click.echo(f"✗ {file.name}")
        click.echo(f"  ใช้ไม่ได้: {reason.th}")
        click.echo(f"  Does not hold: {reason.en}")
        raise SystemExit(1) from None
    click.echo(f"✓ {file.name}")
    for line in (*checked.th, *checked.en):
        click.echo(f"  {line}")


def check(statement: object, jwks: Mapping[str, Any]) -> Checked:
    """What a receipt, seal or proof says once it is known to hold. Raises NotGenuine."""
    kind = _kind(statement)
    if kind == PROOF:
        return _proof_lines(*read_proof(statement, jwks))
    if kind == SEAL:
        return _seal_lines(read_seal(statement, jwks))
    if kind == RECEIPT:
        return _receipt_lines(read_receipt(statement, jwks))
    raise NotGenuine(
        "other-kind",
        "ไฟล์นี้ไม่ใช่ใบรับ ใบผนึก หรือหลักฐานของระบบ",
        "This file is no receipt, seal or proof",
    )


def _kind(statement: object) -> object:
    if not isinstance(statement, dict):
        return None
    payload = statement.get("payload", statement)
    return payload.get("kind") if isinstance(payload, dict) else None


def _receipt_lines(receipt: Receipt) -> Checked:
    act_th, act_en = ACTS.get(receipt.act, (receipt.act, receipt.act))
    arrived_th, arrived_en = _moment(receipt.arrived)
    screened_th, screened_en = _screening(receipt)
    return Checked(
        (
            "ลายมือชื่ออิเล็กทรอนิกส์ถูกต้อง",
            f"ใบรับ: {act_th} รอบ {receipt.round} โรงเรียน {receipt.school} นักเรียน {receipt.pupils:,} คน",
            f"โดย {receipt.who.name} ระบบได้รับเมื่อ {arrived_th}",
            f"ฉบับข้อมูล (SHA-256) {receipt.sha256}",
            screened_th,
        ),
        (
            "The signature is genuine",
            f"Receipt: {act_en}, round {receipt.round}, school {receipt.school}, {receipt.pupils:,} pupils",
            f"By {receipt.who.name}, arrived {arrived_en}",
            f"Roster (SHA-256) {receipt.sha256}",
            screened_en,
        ),
        receipt.sha256,
    )


def _screening(receipt: Receipt) -> tuple[str, str]:
    if receipt.screening is None:
        return "ขณะนั้นยังไม่ได้ตรวจความซ้ำซ้อนกับโรงเรียนอื่น", "Not yet compared with other schools at that time"
    compared, (at_th, at_en) = receipt.screening.compared_with, _moment(receipt.screening.at)
    return (
        f"ตรวจความซ้ำซ้อนกับทะเบียน {compared:,} โรงเรียนแล้ว เมื่อ {at_th}",
        f"Compared with the rolls of {compared:,} schools at {at_en}",
    )


def _seal_lines(seal: Seal) -> Checked:
    closed_th, closed_en = _moment(seal.closed_at)
    return Checked(
        (
            "ลายมือชื่ออิเล็กทรอนิกส์ถูกต้อง",
            f"ใบผนึก: รอบ {seal.round} ปิดเมื่อ {closed_th}",
            f"{seal.schools:,} โรงเรียน นักเรียน {seal.pupils:,} คน นับได้ {seal.counted:,} คน",
            f"ราก (Merkle root) {seal.root}",
        ),
        (
            "The signature is genuine",
            f"Seal: round {seal.round}, closed {closed_en}",
            f"{seal.schools:,} schools, {seal.pupils:,} pupils, {seal.counted:,} counted",
            f"Merkle root {seal.root}",
        ),
        None,
    )


def _proof_lines(proof: Proof, seal: Seal) -> Checked:
    sealed = _seal_lines(seal)
    leaf = proof.leaf
    roster_th = f"ฉบับข้อมูล (SHA-256) {leaf.sha256}" if leaf.sha256 else "โรงเรียนไม่เคยส่งข้อมูลในรอบนี้"
    roster_en = (
        f"Roster (SHA-256) {leaf.sha256}" if leaf.sha256 else "The school never sent a roster in this round"
    )
    return Checked(
        (
            *sealed.th,
            f"โรงเรียน {leaf.school} อยู่ในชุดข้อมูลที่ผนึก สถานะ {leaf.state} นักเรียน {leaf.pupils:,} คน",
            roster_th,
        ),
        (
            *sealed.en,
            f"School {leaf.school} is under this seal: state {leaf.state}, {leaf.pupils:,} pupils",
            roster_en,
        ),
        leaf.sha256,
    )


def _with_roster(checked: Checked, roster_file: Path) -> Checked:
    if checked.sha256 is None:
        raise NotGenuine(
            "names-no-roster",
            "เอกสารนี้ไม่ได้ระบุฉบับข้อมูลนักเรียน จึงเทียบกับไฟล์ไม่ได้",
            "This statement names no roster to compare the file with",
        )
    if hashlib.sha256(_read(roster_file)).hexdigest() != checked.sha256:
        raise NotGenuine(
            "other-roster",
            "ไฟล์ข้อมูลนักเรียนไม่ใช่ฉบับที่ระบุไว้ในเอกสารนี้",
            "The roster file is not the version that this statement names",
        )
    return Checked(
        (*checked.th, "ไฟล์ข้อมูลนักเรียนตรงกับฉบับที่ระบุ"),
        (*checked.en, "The roster file is the version named"),
        checked.sha256,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotGenuine("unreadable", f"อ่านไฟล์ {path.name} ไม่ได้", f"{path.name} cannot be read") from None


def _moment(text: str) -> tuple[str, str]:
    """A signed time in words; one that is no ISO time is shown as it stands, for it is signed as it stands."""
    try:
        at = datetime.fromisoformat(text)
        return (thai_moment(at), english_moment(at)) if at.tzinfo else (text, text)
    except (ValueError, OverflowError):
        return text, text
