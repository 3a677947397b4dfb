"""The keys a process holds, as files: private ones only where needed, the public ones of all in `jwks.json`.

token.pem (ES256, portal) · receipt.pem (Ed25519, intake) · seal.pem (Ed25519, snapshot) · identity.key (HMAC,
intake) · ticket.key (HMAC, edge and intake) · <service>.jwt (service token). Not here: what is signed with them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from services.contracts.signed import public_jwk
from services.kit.auth_terms import AUDIENCE, ISSUER

SIGNS = {"receipt": ("tabian-receipt",), "seal": ("tabian-seal", "tabian-proof")}
"""Which kinds of statement each Ed25519 key may sign."""
YEAR_SECONDS = 366 * 24 * 3600


def key_id(public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> str:
    """The kid of a public key: the first 16 hex digits of the SHA-256 of its DER form."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


class KeyMissing(RuntimeError):
    """A key file this process needs is not there; the text names it and the command that makes it."""


class Keys:
    """A folder of key files; each is read when first used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def jwks(self) -> dict[str, Any]:
        """All public keys, as a JWK set."""
        loaded: dict[str, Any] = json.loads(self._read("jwks.json"))
        return loaded

    @cached_property
    def token_keys(self) -> dict[str, Any]:
        """kid → public key for access tokens."""
        return {k["kid"]: jwt.PyJWK(k).key for k in self.jwks["keys"] if k["kty"] == "EC"}

    def _ed25519(self, name: str) -> tuple[ed25519.Ed25519PrivateKey, str]:
        key = serialization.load_pem_private_key(self._read(f"{name}.pem"), password=None)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise KeyMissing(f"{self.folder / name}.pem is not an Ed25519 key")
        return key, key_id(key.public_key())

    @cached_property
    def receipt(self) -> tuple[ed25519.Ed25519PrivateKey, str]:
        """(private key, kid) that signs receipts."""
        return self._ed25519("receipt")

    @cached_property
    def seal(self) -> tuple[ed25519.Ed25519PrivateKey, str]:
        """(private key, kid) that signs seals."""
        return self._ed25519("seal")

    @cached_property
    def token_signer(self) -> tuple[ec.EllipticCurvePrivateKey, str]:
        """(private key, kid) that signs access tokens."""
        key = serialization.load_pem_private_key(self._read("token.pem"), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KeyMissing(f"{self.folder}/token.pem is not an EC key")
        return key, next(k["kid"] for k in self.jwks["keys"] if k["kty"] == "EC")

    @cached_property
    def identity(self) -> bytes:
        """The secret of the keyed identity index (32 bytes)."""
        return bytes.fromhex(self._read("identity.key").decode().strip())

    @cached_property
    def ticket(self) -> bytes:
        """The secret of the edge's tickets (32 bytes). Raises KeyMissing where this process holds none."""
        _, _, encoded = self._read("ticket.key").decode().strip().partition(" ")
        return base64.b64decode(encoded)

    def service_token(self, service: str) -> str:
        """The bearer token one service shows another."""
        return self._read(f"{service}.jwt").decode().strip()

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError as problem:
            raise KeyMissing(
                f"{self.folder / name} is missing; `tabian keys make {self.folder}` makes it"
            ) from problem


def make_keys(folder: Path) -> list[Path]:
    """Make every key file that is missing; existing ones are never replaced. Returns the new files."""
    folder.mkdir(parents=True, exist_ok=True)
    existing = {path.name for path in folder.iterdir()}
    if "token.pem" not in existing:
        _write_pem(folder / "token.pem", ec.generate_private_key(ec.SECP256R1()))
    for name in ("receipt.pem", "seal.pem"):
        if name not in existing:
            _write_pem(folder / name, ed25519.Ed25519PrivateKey.generate())
    if "identity.key" not in existing:
        _write(folder / "identity.key", secrets.token_hex(32).encode())
    if "ticket.key" not in existing:
        # one line of a HAProxy map file: the edge reads the same file
        _write(folder / "ticket.key", b"ticket " + base64.b64encode(secrets.token_bytes(32)))
    if "jwks.json" not in existing:
        (folder / "jwks.json").write_text(json.dumps(_public_set(folder), indent=2))
    if "export.jwt" not in existing:
        _write(folder / "export.jwt", _service_token(Keys(folder), "export").encode())
    return sorted(path for path in folder.iterdir() if path.name not in existing)


def _public_set(folder: Path) -> dict[str, Any]:
    token = serialization.load_pem_private_key((folder / "token.pem").read_bytes(), password=None)
    public = token.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(public, as_dict=True)
    keys = [{**jwk, "kid": key_id(public), "use": "sig", "alg": "ES256"}]
    for name, signs in SIGNS.items():
        private, kid = getattr(Keys(folder), name)
        keys.append(public_jwk(private.public_key(), kid, signs))
    return {"keys": keys}


def _service_token(keys: Keys, service: str) -> str:
    signer, kid = keys.token_signer
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": f"service:{service}",
        "name": service,
        "iat": now,
        "exp": now + YEAR_SECONDS,
        "grants": [["service", service]],
    }
    return jwt.encode(claims, signer, algorithm="ES256", headers={"kid": kid})


def _write_pem(path: Path, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
    _write(
        path,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)
