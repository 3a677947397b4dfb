"""The secrets of a stack, made once as files: keys, passwords, the URLs that carry them, the broker's definitions, and
a certificate of its own for the edge.

The folder is its owner's alone; the files in it can be read by all, because compose mounts each as it is and the
processes run as users of their own. Existing passwords and keys are never replaced: databases remember them.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.rabbitmq.definitions import DECLARE, OPS, VIRTUAL_HOST, definitions
from services.kit.keys import Keys, make_keys

SERVICES: Final = ("intake", "dedup", "snapshot", "buildings", "export")
DATABASES: Final = (*SERVICES, "portal")
BROKER_USERS: Final = (*SERVICES, DECLARE, OPS)
CERTIFICATE_DAYS: Final = 365


def make_secrets(folder: Path, *, postgres: str = "postgres", rabbitmq: str = "rabbitmq") -> None:
    """Make every secret that is missing in `folder`; what follows from others is written anew. `postgres`, `rabbitmq`: the
    servers' names, for the URLs."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    make_keys(folder)
    _write(folder / "token.pub", _public(Keys(folder)))
    _password(folder / "postgres.password")
    _password(folder / "archive.password")
    _password(folder / "grafana.password")
    urls = {name: _database_url(folder, name, postgres) for name in DATABASES}
    _write(folder / "databases.json", json.dumps(urls, indent=2))
    words = {name: _password(folder / f"{name}.broker-password") for name in BROKER_USERS}
    for name, word in words.items():
        _write(folder / f"{name}.broker-url", f"amqp://{name}:{word}@{rabbitmq}:5672/{VIRTUAL_HOST}")
    _write(folder / "definitions.json", json.dumps(definitions(words), indent=2))
    if not (folder / "edge.pem").exists():
        _certificate(folder)
    for file in folder.iterdir():
        file.chmod(0o644)


def _database_url(folder: Path, name: str, host: str) -> str:
    word = _password(folder / f"{name}.password")
    url = f"postgresql+psycopg://{name}:{word}@{host}:5432/tabian_{name}"
    _write(folder / f"{name}.database-url", url)
    return url


def _password(file: Path) -> str:
    """The password in the file, made if it is not there; needs no escaping in an URL or in SQL."""
    if not file.exists():
        _write(file, secrets.token_hex(24))
    return file.read_text(encoding="utf-8").strip()


def _write(file: Path, text: str) -> None:
    """In place: a container that has the file mounted sees the new text."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def _public(keys: Keys) -> str:
    """The public half of the token key, as the edge reads it."""
    public = next(iter(keys.token_keys.values()))
    pem: bytes = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


def _certificate(folder: Path) -> None:
    """A self-signed certificate for this machine: edge.pem (with its key, for the edge) and edge.crt (for clients)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tabian on this machine")])
    now = datetime.now(UTC)
    places = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    _write(folder / "edge.crt", chain)
    _write(folder / "edge.pem", private + chain)
