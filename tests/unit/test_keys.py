"""Key files: made once, readable by their owner only, the public halves apart, and missing ones named with the command."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from services.contracts.access import Grant
from services.contracts.signed import NotGenuine, sign, verify
from services.kit.auth import verify as verify_token
from services.kit.errors import Problem
from services.kit.keys import KeyMissing, Keys, key_id, make_keys

FILES = {"token.pem", "receipt.pem", "seal.pem", "identity.key", "ticket.key", "jwks.json", "export.jwt"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_keys(tmp_path / "keys")
    assert {path.name for path in made} == FILES
    return tmp_path / "keys"


def test_making_again_replaces_nothing(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert make_keys(folder) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_every_making_makes_other_keys(folder: Path, tmp_path: Path) -> None:
    make_keys(tmp_path / "other")
    for name in FILES:
        assert (folder / name).read_bytes() != (tmp_path / "other" / name).read_bytes()


def test_private_files_are_their_owners_alone(folder: Path) -> None:
    for name in FILES - {"jwks.json"}:
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name


def test_the_public_set_holds_nothing_private(folder: Path) -> None:
    jwks = json.loads((folder / "jwks.json").read_text())
    assert {(key["kty"], key["alg"]) for key in jwks["keys"]} == {("EC", "ES256"), ("OKP", "EdDSA")}
    assert len({key["kid"] for key in jwks["keys"]}) == 3
    for key in jwks["keys"]:
        assert not {"d", "k", "p", "q", "oth"} & set(key)
    assert (folder / "identity.key").read_text() not in (folder / "jwks.json").read_text()


def test_each_private_key_goes_by_the_name_in_the_public_set(folder: Path) -> None:
    keys = Keys(folder)
    listed = {key["kid"] for key in keys.jwks["keys"]}
    names = {keys.token_signer[1], keys.receipt[1], keys.seal[1]}
    assert names == listed
    assert keys.token_signer[1] == key_id(keys.token_signer[0].public_key())
    assert len(keys.identity) == len(keys.ticket) == 32


def test_the_key_of_receipts_signs_no_seal(folder: Path) -> None:
    keys = Keys(folder)
    assert verify(sign({"kind": "tabian-receipt"}, *keys.receipt), keys.jwks) == {"kind": "tabian-receipt"}
    with pytest.raises(NotGenuine) as caught:
        verify(sign({"kind": "tabian-seal"}, *keys.receipt), keys.jwks)
    assert caught.value.code == "key-not-for-this"


def test_the_service_token_is_a_service_and_no_person(folder: Path) -> None:
    keys = Keys(folder)
    who = verify_token(keys.service_token("export"), keys)
    assert who.subject == "service:export"
    assert who.grants == (Grant("service", "export"),)
    assert not who.stepped_up


@pytest.mark.parametrize(
    ("file", "use"),
    [
        ("jwks.json", lambda keys: keys.token_keys),
        ("token.pem", lambda keys: keys.token_signer),
        ("receipt.pem", lambda keys: keys.receipt),
        ("seal.pem", lambda keys: keys.seal),
        ("identity.key", lambda keys: keys.identity),
        ("export.jwt", lambda keys: keys.service_token("export")),
    ],
)
def test_a_missing_file_is_named_with_the_command_that_makes_it(folder: Path, file: str, use: object) -> None:
    (folder / file).unlink()
    with pytest.raises(KeyMissing, match="tabian keys make") as caught:
        use(Keys(folder))  # type: ignore[operator]
    assert file in str(caught.value)


def test_a_process_needs_only_the_files_it_uses(folder: Path) -> None:
    for name in FILES - {"jwks.json"}:
        (folder / name).unlink()
    assert Keys(folder).token_keys, "a service that only checks tokens holds the public set alone"


def test_a_key_of_another_kind_is_refused(folder: Path) -> None:
    (folder / "receipt.pem").write_bytes((folder / "token.pem").read_bytes())
    with pytest.raises(KeyMissing, match="not an Ed25519 key"):
        _ = Keys(folder).receipt
    (folder / "token.pem").write_bytes((folder / "seal.pem").read_bytes())
    with pytest.raises(KeyMissing, match="not an EC key"):
        _ = Keys(folder).token_signer


def test_a_folder_from_elsewhere_verifies_nothing_of_ours(folder: Path, tmp_path: Path) -> None:
    make_keys(tmp_path / "other")
    ours, theirs = Keys(folder), Keys(tmp_path / "other")
    with pytest.raises(NotGenuine):
        verify(sign({"kind": "tabian-seal"}, *theirs.seal), ours.jwks)
    assert isinstance(theirs.token_signer[0], ec.EllipticCurvePrivateKey)


def test_changing_the_token_key_leaves_the_others_as_they_are(folder: Path) -> None:
    before = Keys(folder)
    old_token, receipt = before.service_token("export"), sign({"kind": "tabian-receipt"}, *before.receipt)
    for name in ("token.pem", "jwks.json", "export.jwt"):
        (folder / name).unlink()
    assert {path.name for path in make_keys(folder)} == {"token.pem", "jwks.json", "export.jwt"}
    after = Keys(folder)
    assert verify(receipt, after.jwks) == {"kind": "tabian-receipt"}
    assert verify_token(after.service_token("export"), after).subject == "service:export"
    with pytest.raises(Problem):
        verify_token(old_token, after)
