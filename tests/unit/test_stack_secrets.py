"""The secrets of a stack: made once, closed to others, consistent with each other, and each worth something."""

from __future__ import annotations

import json
import ssl
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.cli import main
from gateway.stack.secrets import BROKER_USERS, DATABASES, SERVICES, make_secrets
from services.kit.keys import Keys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_secrets(tmp_path / "secrets")
    return tmp_path / "secrets"


def test_making_again_changes_no_password_and_no_key(folder: Path) -> None:
    def kept() -> dict[str, bytes]:
        return {f.name: f.read_bytes() for f in folder.iterdir() if f.name != "definitions.json"}

    before = kept()
    make_secrets(folder)
    assert kept() == before


def test_the_folder_is_its_owners_alone_and_the_files_can_be_mounted(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o644}


def test_no_two_passwords_are_alike(folder: Path) -> None:
    words = [file.read_text() for file in folder.iterdir() if file.name.endswith("password")]
    others = ("postgres", "grafana", "archive")
    assert len(words) == len(set(words)) == len(DATABASES) + len(BROKER_USERS) + len(others)
    assert all(len(word) == 48 for word in words)


def test_urls_carry_the_passwords_the_servers_are_told(folder: Path) -> None:
    for name in DATABASES:
        word = (folder / f"{name}.password").read_text()
        assert (folder / f"{name}.database-url").read_text() == (
            f"postgresql+psycopg://{name}:{word}@postgres:5432/tabian_{name}"
        )
    assert set(json.loads((folder / "databases.json").read_text())) == set(DATABASES)
    users = {user["name"] for user in json.loads((folder / "definitions.json").read_text())["users"]}
    assert users == set(BROKER_USERS)
    for name in SERVICES:
        word = (folder / f"{name}.broker-password").read_text()
        assert (folder / f"{name}.broker-url").read_text() == f"amqp://{name}:{word}@rabbitmq:5672/tabian"
        assert word not in (folder / "definitions.json").read_text(), "only its hash"


def test_a_clusters_secrets_are_made_by_a_command_and_kept_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    assert CliRunner().invoke(main, ["stack", "secrets", str(folder)]).exit_code == 0
    before = {f.name: f.read_bytes() for f in folder.iterdir() if f.name != "definitions.json"}
    assert CliRunner().invoke(main, ["stack", "secrets", str(folder)]).exit_code == 0
    assert {f.name: f.read_bytes() for f in folder.iterdir() if f.name != "definitions.json"} == before
    listed = {secret["name"] for secret in json.loads(before["kustomization.yaml"])["secretGenerator"]}
    assert {"intake.broker-url", "identity.key", "edge.pem"} <= listed
    assert listed.isdisjoint({"postgres.password", "intake.broker-password", "declare.broker-url"})


def test_the_edge_gets_the_public_half_only(folder: Path) -> None:
    public = serialization.load_pem_public_key((folder / "token.pub").read_bytes())
    signer, _ = Keys(folder).token_signer
    assert public == signer.public_key()
    assert b"PRIVATE" not in (folder / "token.pub").read_bytes()
    assert b"PRIVATE" not in (folder / "edge.crt").read_bytes()


def test_the_certificate_is_for_this_machine_and_belongs_to_its_key(folder: Path) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "edge.pem")
    certificate = x509.load_pem_x509_certificate((folder / "edge.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
