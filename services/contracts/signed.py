"""Signed statements: a payload anyone can read, and an Ed25519 signature over its canonical JSON.

A statement is `{"payload": {"kind": …}, "kid": …, "alg": "EdDSA", "signature": base64url}`. Canonical JSON is RFC
8785 without fractions: keys in order of their UTF-16 code units, no blanks, UTF-8; whole numbers up to 2^53-1. The
keys come as a JWK set (RFC 8037, OKP/Ed25519). Pure. What receipts, seals and proofs say: `statements.py`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "EdDSA"
MAX_INT = 2**53 - 1
MAX_DEPTH = 32
MAX_BYTES = 1024 * 1024


class NotGenuine(ValueError):
    """A statement that cannot be relied on, with the reason in Thai and English; never carries a payload's values."""

    def __init__(self, code: str, th: str, en: str) -> None:
        super().__init__(en)
        self.code, self.th, self.en = code, th, en


def canonical_json(value: Any) -> bytes:
    """The one byte sequence for this value. Raises ValueError for what has none: fractions, bytes, huge numbers,
    keys that are no text, lone surrogates, more than MAX_DEPTH levels."""
    text = json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def _ordered(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("too deeply nested for a statement")
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise ValueError("a number beyond 2^53-1 reads differently elsewhere")
        return value
    if isinstance(value, (list, tuple)):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        in_order = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _ordered(value[key], depth + 1) for key in in_order}
    raise ValueError(f"{type(value).__name__} has no canonical JSON")


def read_json(data: bytes) -> Any:
    """A statement's file as data. Raises NotGenuine for what is no JSON, or JSON that two readers could read
    differently: a key twice, fractions, more than MAX_BYTES."""
    if len(data) > MAX_BYTES:
        raise _malformed("file")
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_no_key_twice,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
        canonical_json(value)
    except (ValueError, RecursionError):
        raise _malformed("file") from None
    return value


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def _refuse(_: str) -> Any:
    raise ValueError("fractions have no place in a statement")


def sign(payload: Mapping[str, Any], private_key: Ed25519PrivateKey, kid: str) -> dict[str, Any]:
    """The signed statement of this payload, which has a `kind`. Raises ValueError for values without canonical JSON."""
    if not isinstance(payload.get("kind"), str):
        raise ValueError("a payload names its kind")
    body = canonical_json(dict(payload))
    signature = private_key.sign(body)
    return {"payload": json.loads(body), "kid": kid, "alg": ALGORITHM, "signature": _b64url(signature)}


def verify(statement: object, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of a statement signed by one of these keys, by one that may sign this kind. Raises NotGenuine."""
    if not isinstance(statement, dict) or set(statement) != {"payload", "kid", "alg", "signature"}:
        raise _malformed("statement")
    payload, kid, signature = statement["payload"], statement["kid"], statement["signature"]
    if not isinstance(payload, dict) or not isinstance(payload.get("kind"), str):
        raise _malformed("payload")
    if statement["alg"] != ALGORITHM or not isinstance(kid, str) or not isinstance(signature, str):
        raise _malformed("signature")
    key = _key(jwks, kid, payload["kind"])
    try:
        key.verify(_unb64url(signature), canonical_json(payload))
    except (InvalidSignature, ValueError):
        raise NotGenuine(
            "signature-wrong",
            "ลายมือชื่ออิเล็กทรอนิกส์ไม่ตรงกับข้อความ: ข้อความถูกแก้ไขหรือไม่ได้ออกโดยระบบ",
            "The signature does not fit the text: it was changed, or the system never issued it",
        ) from None
    return payload


def public_jwk(key: Ed25519PublicKey, kid: str, signs: Sequence[str] = ()) -> dict[str, Any]:
    """The public key as a JWK. `signs` limits it to these kinds of statement, so that the key of the receipts
    cannot sign a seal; without it the key may sign any kind."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    jwk: dict[str, Any] = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _b64url(raw),
        "kid": kid,
        "use": "sig",
        "alg": ALGORITHM,
    }
    return {**jwk, "tabian_signs": list(signs)} if signs else jwk


def _key(jwks: Mapping[str, Any], kid: str, kind: str) -> Ed25519PublicKey:
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, (list, tuple)):
        raise NotGenuine("keys-unreadable", "ไฟล์กุญแจสาธารณะอ่านไม่ได้", "The file of public keys is no JWK set")
    for jwk in keys:
        if isinstance(jwk, Mapping) and jwk.get("kid") == kid and jwk.get("crv") == "Ed25519":
            _may_sign(jwk, kind)
            return _public_key(jwk)
    raise NotGenuine(
        "key-unknown",
        "ไม่พบกุญแจสาธารณะของผู้ลงนามในไฟล์กุญแจ",
        "None of the given public keys is the one this names",
    )


def _may_sign(jwk: Mapping[str, Any], kind: str) -> None:
    allowed = jwk.get("tabian_signs")
    if allowed is not None and (not isinstance(allowed, list) or kind not in allowed):
        raise NotGenuine(
            "key-not-for-this",
            "กุญแจที่ใช้ลงนามไม่มีสิทธิ์ลงนามเอกสารชนิดนี้",
            "The key that signed this may not sign statements of this kind",
        )


def _public_key(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(_unb64url(jwk["x"]))
    except (KeyError, TypeError, ValueError):
        raise NotGenuine("keys-unreadable", "ไฟล์กุญแจสาธารณะอ่านไม่ได้", "A public key is damaged") from None


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unb64url(text: str) -> bytes:
    """Strict: one spelling per value, no padding."""
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, AttributeError, binascii.Error):
        raise ValueError("not base64url") from None
    if _b64url(data) != text:
        raise ValueError("not base64url in its one spelling")
    return data


def _malformed(part: str) -> NotGenuine:
    names = {"file": "ไฟล์", "statement": "เอกสาร", "payload": "เนื้อความ", "signature": "ลายมือชื่อ"}
    return NotGenuine(
        "malformed",
        f"{names[part]}ไม่อยู่ในรูปแบบใบรับหรือใบผนึกของระบบ",
        f"The {part} is not in the form of a receipt, seal or proof",
    )
