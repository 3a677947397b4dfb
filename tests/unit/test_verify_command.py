"""`tabian verify`: what it says of receipts, seals and proofs, and how it ends for what does not hold."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.verify import verify as verify_command
from services.contracts.signed import sign
from tests.support.statements import GENUINE, INTAKE, JWKS, PROVER, RECEIPT_BODY, ROSTER, SEALED, SHA


def _run(folder: Path, statement: Any, *more: str) -> Result:
    (folder / "jwks.json").write_text(json.dumps(JWKS))
    text = statement if isinstance(statement, str) else json.dumps(statement, ensure_ascii=False, indent=2)
    (folder / "file.json").write_text(text, encoding="utf-8")
    return CliRunner().invoke(
        verify_command, [str(folder / "file.json"), "--keys", str(folder / "jwks.json"), *more]
    )


def test_the_command_explains_a_receipt_in_both_languages(tmp_path: Path) -> None:
    result = _run(tmp_path, GENUINE)
    assert result.exit_code == 0
    for words in (
        "รับรองการมีตัวตนของนักเรียน รอบ 2564-2 โรงเรียน 1066020001 นักเรียน 1,220 คน",
        "10 พ.ย. 2564 เวลา 09.00 น.",
        "ตรวจความซ้ำซ้อนกับทะเบียน 122 โรงเรียน",
        "certification, round 2564-2, school 1066020001, 1,220 pupils",
        "10 Nov 2021 (2564), 09:00",
        SHA,
    ):
        assert words in result.output


def test_the_command_says_when_nothing_was_compared(tmp_path: Path) -> None:
    unscreened = dataclasses.replace(RECEIPT_BODY, screening=None, arrived="some day", act="nod")
    result = _run(tmp_path, sign(unscreened.payload(), INTAKE, "receipts"))
    assert result.exit_code == 0
    assert "ยังไม่ได้ตรวจความซ้ำซ้อน" in result.output
    assert "arrived some day" in result.output


@pytest.mark.parametrize(
    "moment", ["2021-11-10T09:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00"]
)
def test_the_command_shows_a_strange_time_as_it_was_signed(tmp_path: Path, moment: str) -> None:
    strange = dataclasses.replace(RECEIPT_BODY, arrived=moment)
    result = _run(tmp_path, sign(strange.payload(), INTAKE, "receipts"))
    assert result.exit_code == 0
    assert moment in result.output


def test_the_command_checks_seals_and_proofs(tmp_path: Path) -> None:
    seal = _run(tmp_path, SEALED)
    assert seal.exit_code == 0
    assert "11 schools, 48 pupils, 40 counted" in seal.output
    proof = _run(tmp_path, PROVER.proof("1066020004").payload())
    assert proof.exit_code == 0
    assert "School 1066020004 is under this seal: state certified, 4 pupils" in proof.output
    nothing = _run(tmp_path, PROVER.proof("1066020003").payload())
    assert nothing.exit_code == 0
    assert "never sent a roster" in nothing.output


def test_the_command_compares_the_roster(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_bytes(ROSTER)
    proof = PROVER.proof("1066020004").payload()
    for statement in (GENUINE, proof):
        assert "is the version named" in _run(tmp_path, statement, "--roster", str(roster)).output
    assert "names no roster" in _run(tmp_path, SEALED, "--roster", str(roster)).output
    roster.write_bytes(ROSTER + b"x\n")
    for statement in (GENUINE, proof, SEALED):
        result = _run(tmp_path, statement, "--roster", str(roster))
        assert result.exit_code == 1
        assert "ใช้ไม่ได้" in result.output


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "not json",
        [],
        "3",
        {},
        {"payload": 3},
        {"kind": "tabian-proof"},
        {"kind": "tabian-receipt"},
        {"payload": {"kind": "tabian-promise"}},
        {**GENUINE, "payload": {**GENUINE["payload"], "pupils": 5}},
    ],
)
def test_the_command_ends_1_for_what_does_not_hold(tmp_path: Path, statement: Any) -> None:
    result = _run(tmp_path, statement)
    assert result.exit_code == 1
    assert "ใช้ไม่ได้" in result.output
    assert "Does not hold" in result.output


def test_the_command_needs_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text("[]")
    missing = CliRunner().invoke(verify_command, [str(tmp_path / "x"), "--keys", str(tmp_path / "jwks.json")])
    assert missing.exit_code == 2
    (tmp_path / "file.json").write_text(json.dumps(GENUINE))
    bad_keys = CliRunner().invoke(
        verify_command, [str(tmp_path / "file.json"), "--keys", str(tmp_path / "jwks.json")]
    )
    assert bad_keys.exit_code == 1
