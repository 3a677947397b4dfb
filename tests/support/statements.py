"""A receipt, a seal and proofs made with keys of the test run's own, for tests of what is signed."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.intake import ManifestEntry
from services.contracts.signed import public_jwk, sign
from services.contracts.statements import (
    RECEIPT,
    SEAL,
    Prover,
    Receipt,
    Screening,
    Seal,
    Signer,
    leaves_of,
    root_of,
)

INTAKE, SNAPSHOT = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
JWKS = {
    "keys": [
        {"kty": "EC", "crv": "P-256", "kid": "token", "x": "", "y": ""},
        public_jwk(INTAKE.public_key(), "receipts", (RECEIPT,)),
        public_jwk(SNAPSHOT.public_key(), "seals", (SEAL,)),
    ]
}
ROSTER = b"grade,room\n"
SHA = hashlib.sha256(ROSTER).hexdigest()
RECEIPT_BODY = Receipt(
    act="certify",
    round="2564-2",
    school="1066020001",
    sha256=SHA,
    pupils=1220,
    who=Signer(subject="d-1", name="สมชาย ใจดี", role="director"),
    arrived="2021-11-10T09:00:00+07:00",
    statement="ข้าพเจ้าขอรับรอง",
    screening=Screening(compared_with=122, at="2021-11-10T08:59:00+07:00"),
    revision=7,
    issued="2021-11-10T09:00:01+07:00",
)
ENTRIES = [
    ManifestEntry(
        school=f"10660200{n:02}",
        esa="6602",
        revision=n,
        state="certified" if n % 3 else "empty",
        sha256=SHA if n % 3 else None,
        pupils=n if n % 3 else 0,
    )
    for n in range(11, 0, -1)
]
LEAVES = leaves_of(ENTRIES)
SEAL_BODY = Seal(
    round="2564-2",
    root=root_of(LEAVES),
    schools=len(LEAVES),
    pupils=48,
    counted=40,
    closed_at="2021-11-11T20:00:00+07:00",
    manifest_sha256="ab" * 32,
    format=1,
    extracts="cd" * 32,
)
SEALED = sign(SEAL_BODY.payload(), SNAPSHOT, "seals")
PROVER = Prover(LEAVES, "2564-2", SEALED)
GENUINE = sign(RECEIPT_BODY.payload(), INTAKE, "receipts")
