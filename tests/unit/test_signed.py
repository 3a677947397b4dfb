"""Signed statements: one byte sequence per value, and no forgery passes."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import signed
from services.contracts.signed import NotGenuine, canonical_json, public_jwk, read_json, sign, verify
from services.contracts.statements import (
    RECEIPT,
    Leaf,
    Proof,
    Receipt,
    leaves_of,
    read_proof,
    read_receipt,
    read_seal,
    root_of,
)
from tests.support.statements import (
    ENTRIES,
    GENUINE,
    INTAKE,
    JWKS,
    LEAVES,
    PROVER,
    RECEIPT_BODY,
    SEAL_BODY,
    SEALED,
    SNAPSHOT,
)

JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers(-signed.MAX_INT, signed.MAX_INT) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


def refused(code: str, statement: Any, jwks: Any = JWKS) -> None:
    with pytest.raises(NotGenuine) as caught:
        verify(statement, jwks)
    assert caught.value.code == code
    assert caught.value.th
    assert caught.value.en


@given(JSONISH)
def test_canonical_json_is_json_and_the_same_for_every_order_of_keys(value: Any) -> None:
    body = canonical_json(value)
    assert json.loads(body) == value
    assert canonical_json(json.loads(body)) == body
    if isinstance(value, dict):
        assert canonical_json(dict(reversed(value.items()))) == body


def test_canonical_json_as_rfc_8785_wants_it() -> None:
    value = {
        "\u20ac": 1,
        "\r": 2,
        "\U0001f600": 3,
        "\ufb33": 4,
        "1": '\u20ac$\u000f\nA\'B"\\\\"/\u007f',
        "ö": None,
    }
    assert canonical_json(value).decode() == (
        '{"\\r":2,"1":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f","ö":null,"\u20ac":1,"\U0001f600":3,"\ufb33":4}'
    )


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        2**53,
        -(2**53),
        b"x",
        {1: 2},
        {"a": {2, 3}},
        "\ud800",
        {"\ud800": 1},
        [[1.0]],
        object(),
    ],
)
def test_what_has_no_canonical_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        canonical_json(value)


def test_a_value_nested_too_deeply_is_refused() -> None:
    value: Any = None
    for _ in range(10_000):
        value = [value]
    with pytest.raises(ValueError, match="nested"):
        canonical_json(value)


@given(st.dictionaries(st.text(), JSONISH, max_size=5))
def test_what_was_signed_verifies_also_after_a_trip_through_json(fields: dict[str, Any]) -> None:
    payload = {**fields, "kind": RECEIPT}
    statement = json.loads(json.dumps(sign(payload, INTAKE, "receipts"), indent=3))
    assert verify(statement, JWKS) == payload


@given(JSONISH)
def test_anything_at_all_is_refused_as_not_genuine(value: Any) -> None:
    for statement in (
        value,
        {**GENUINE, "payload": value},
        {**GENUINE, "signature": value},
        {**GENUINE, "kid": value},
    ):
        with pytest.raises(NotGenuine):
            verify(statement, JWKS)


@given(JSONISH)
def test_any_keys_at_all_are_refused(value: Any) -> None:
    for jwks in (value, {"keys": value}, {"keys": [value]}):
        with pytest.raises(NotGenuine):
            verify(GENUINE, jwks)


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Receipt)])
def test_a_receipt_with_any_field_changed_is_refused(field: str) -> None:
    forged = copy.deepcopy(GENUINE)
    forged["payload"][field] = "something else"
    refused("signature-wrong", forged)
    del forged["payload"][field]
    refused("signature-wrong", forged)


def test_other_ways_to_forge() -> None:
    stranger = Ed25519PrivateKey.generate()
    refused("signature-wrong", sign(RECEIPT_BODY.payload(), stranger, "receipts"))
    refused("key-unknown", sign(RECEIPT_BODY.payload(), stranger, "mine"))
    refused("key-unknown", {**GENUINE, "kid": "token"})
    refused("malformed", {**GENUINE, "alg": "none"})
    refused("malformed", {**GENUINE, "jwk": public_jwk(stranger.public_key(), "receipts")})
    refused("signature-wrong", {**GENUINE, "signature": ""})
    refused("signature-wrong", {**GENUINE, "signature": GENUINE["signature"] + "=="})
    refused("signature-wrong", {**GENUINE, "signature": " " + GENUINE["signature"]})
    refused("signature-wrong", {**GENUINE, "signature": "ก"})
    payload = {**GENUINE["payload"], "pupils": 1220.0}
    refused("signature-wrong", {**GENUINE, "payload": payload})


def test_the_key_of_the_receipts_cannot_seal_a_round() -> None:
    refused("key-not-for-this", sign(SEAL_BODY.payload(), INTAKE, "receipts"))
    anything = {"keys": [public_jwk(INTAKE.public_key(), "receipts")]}
    assert read_seal(sign(SEAL_BODY.payload(), INTAKE, "receipts"), anything) == SEAL_BODY


def test_a_damaged_public_key_is_named_so() -> None:
    for x in ("", "AAAA", 7, "!"):
        refused("keys-unreadable", GENUINE, {"keys": [{**JWKS["keys"][1], "x": x}]})
    refused("keys-unreadable", GENUINE, {"keys": "none"})
    refused("keys-unreadable", GENUINE, None)


def test_a_payload_needs_a_kind() -> None:
    with pytest.raises(ValueError, match="kind"):
        sign({"act": "confirm"}, INTAKE, "receipts")


def test_the_signature_is_plain_ed25519_over_the_canonical_payload() -> None:
    raw = base64.urlsafe_b64decode(GENUINE["signature"] + "==")
    INTAKE.public_key().verify(raw, canonical_json(GENUINE["payload"]))


def test_receipts_seals_and_proofs_are_read_back() -> None:
    assert read_receipt(json.loads(json.dumps(GENUINE)), JWKS) == RECEIPT_BODY
    assert read_seal(SEALED, JWKS) == SEAL_BODY
    unscreened = dataclasses.replace(RECEIPT_BODY, screening=None)
    assert read_receipt(sign(unscreened.payload(), INTAKE, "receipts"), JWKS) == unscreened
    for entry in ENTRIES:
        proof = PROVER.proof(entry.school)
        assert read_proof(json.loads(json.dumps(proof.payload())), JWKS) == (proof, SEAL_BODY)
        assert (proof.leaf.state, proof.leaf.sha256, proof.leaf.pupils) == (
            entry.state,
            entry.sha256,
            entry.pupils,
        )


def test_one_kind_does_not_pass_for_another() -> None:
    for read, statement in ((read_receipt, SEALED), (read_seal, GENUINE), (read_proof, SEALED)):
        with pytest.raises(NotGenuine) as caught:
            read(statement, JWKS)
        assert caught.value.code == "other-kind"


def test_a_signed_receipt_that_lacks_a_field_is_malformed() -> None:
    payload = RECEIPT_BODY.payload()
    del payload["who"]["role"]
    with pytest.raises(NotGenuine, match=r"Receipt\.who\.role"):
        read_receipt(sign(payload, INTAKE, "receipts"), JWKS)


def _forged_proofs() -> dict[str, tuple[str, Proof]]:
    proof = PROVER.proof("1066020004")
    change = dataclasses.replace
    fuller = change(proof.leaf, pupils=400)
    other_round = sign({**SEAL_BODY.payload(), "round": "2564-1"}, SNAPSHOT, "seals")
    stranger = sign(SEAL_BODY.payload(), Ed25519PrivateKey.generate(), "seals")
    return {
        "more pupils": ("not-under-seal", change(proof, leaf=fuller)),
        "another roster": ("not-under-seal", change(proof, leaf=change(proof.leaf, sha256="cd" * 32))),
        "another place": ("not-under-seal", change(proof, index=proof.index + 1)),
        "a negative place": ("not-under-seal", change(proof, index=-1)),
        "no path": ("not-under-seal", change(proof, path=())),
        "an endless path": ("not-under-seal", change(proof, path=("00" * 32,) * 100)),
        "a path of no hashes": ("not-under-seal", change(proof, path=("zz" * 32, *proof.path[1:]))),
        "upper-case hashes": ("not-under-seal", change(proof, path=tuple(p.upper() for p in proof.path))),
        "a leaf that cannot be written": (
            "not-under-seal",
            change(proof, leaf=change(proof.leaf, pupils=2**60)),
        ),
        "another size": ("proof-of-another", change(proof, size=proof.size + 1)),
        "another school": ("proof-of-another", change(proof, school="1066020005")),
        "another round's seal": ("proof-of-another", change(proof, seal=other_round)),
        "a stranger's seal": ("signature-wrong", change(proof, seal=stranger)),
        "no seal": ("malformed", change(proof, seal={})),
        "a receipt as seal": ("other-kind", change(proof, seal=GENUINE)),
    }


@pytest.mark.parametrize("name", sorted(_forged_proofs()))
def test_a_forged_proof_is_refused(name: str) -> None:
    code, proof = _forged_proofs()[name]
    with pytest.raises(NotGenuine) as caught:
        read_proof(proof.payload(), JWKS)
    assert caught.value.code == code


def test_the_bytes_of_a_leaf_are_fixed() -> None:
    leaf = Leaf(school="1066020001", state="certified", sha256="ab", pupils=3)
    assert leaf.encoded() == b'{"pupils":3,"school":"1066020001","sha256":"ab","state":"certified"}'
    assert Leaf(school="1", state="empty", sha256=None, pupils=0).encoded() == (
        b'{"pupils":0,"school":"1","sha256":null,"state":"empty"}'
    )


def test_leaves_are_in_order_of_school_and_a_school_stands_there_once() -> None:
    assert [leaf.school for leaf in LEAVES] == sorted(entry.school for entry in ENTRIES)
    assert root_of(leaves_of(ENTRIES[::-1])) == SEAL_BODY.root
    with pytest.raises(ValueError, match="twice"):
        leaves_of([*ENTRIES, ENTRIES[0]])
    with pytest.raises(KeyError):
        PROVER.proof("0000000000")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":9007199254740993}',
        b"[" * 100_000,
        b"[" * 40 + b"]" * 40,
        b'"\\ud800"',
        b'"' + b"a" * signed.MAX_BYTES + b'"',
        b"1" * 10_000,
    ],
)
def test_json_that_two_readers_could_read_differently_is_refused(data: bytes) -> None:
    with pytest.raises(NotGenuine):
        read_json(data)
