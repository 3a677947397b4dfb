"""Access tokens: what is not signed by the portal, for us, now, is refused; and what is garbage never breaks a service."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask, jsonify
from flask.testing import FlaskClient

from services.contracts.access import Grant
from services.kit.auth import Principal, principal, public, require_tokens, verify
from services.kit.auth_terms import AUDIENCE, ISSUER, LEEWAY_SECONDS, STEP_UP_SECONDS
from services.kit.errors import Problem, register_errors
from services.kit.keys import Keys, make_keys
from tests.support.tokens import token as good_token


@dataclass(frozen=True)
class In:
    """So many seconds from the moment the token is made."""

    seconds: int
    kind: Callable[[int], object] = int


CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "somchai",
    "name": "สมชาย",
    "iat": In(-5),
    "exp": In(600),
    "grants": [["clerk", "1066350177"]],
}


@pytest.fixture
def ring(keys: Path) -> Keys:
    return Keys(keys)


def claimed(**claims: Any) -> dict[str, Any]:
    """The claims of a good token made now, with these instead."""
    now = int(time.time())
    wanted = {**CLAIMS, **claims}
    return {
        name: value.kind(now + value.seconds) if isinstance(value, In) else value
        for name, value in wanted.items()
    }


def signed(ring: Keys, *, without: str = "", headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token signed by the portal's own key over these claims."""
    key, kid = ring.token_signer
    body = claimed(**claims)
    body.pop(without, None)
    return jwt.encode(body, key, algorithm="ES256", headers={"kid": kid, **(headers or {})})


def refused(token: str, ring: Keys) -> str:
    with pytest.raises(Problem) as caught:
        verify(token, ring)
    assert caught.value.status == 401
    assert caught.value.th
    assert caught.value.en
    return caught.value.code


def _part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_good_token_names_the_person_and_the_grants(ring: Keys) -> None:
    who = verify(signed(ring), ring)
    assert who == Principal("somchai", "สมชาย", (Grant("clerk", "1066350177"),), None)
    assert not who.stepped_up


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("aud", "another-system"),
        ("aud", [AUDIENCE + "x"]),
        ("iss", "https://portal.example"),
        ("iss", ""),
        ("iat", In(600)),
        ("nbf", In(600)),
        ("iat", "yesterday"),
        ("exp", "tomorrow"),
        ("exp", None),
        ("sub", 4711),
        ("sub", None),
        ("grants", 7),
        ("grants", None),
        ("grants", "clerk"),
        ("grants", [["clerk"]]),
        ("grants", [["clerk", "1066350177", "x"]]),
        ("grants", [None]),
        ("grants", {"clerk": "1066350177"}),
    ],
    ids=range(18),
)
def test_a_wrong_claim_is_refused(ring: Keys, claim: str, value: object) -> None:
    assert refused(signed(ring, **{claim: value}), ring) == "token-invalid"


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "aud", "iss"])
def test_a_missing_claim_is_refused(ring: Keys, claim: str) -> None:
    assert refused(signed(ring, without=claim), ring) == "token-invalid"


def test_a_token_without_grants_may_nothing(ring: Keys) -> None:
    assert verify(signed(ring, without="grants"), ring).grants == ()


def test_an_expired_token_says_so(ring: Keys) -> None:
    assert refused(signed(ring, exp=In(-60)), ring) == "token-expired"


def test_a_token_that_passed_ends_all_the_same(ring: Keys) -> None:
    token = signed(ring, exp=In(1 - LEEWAY_SECONDS))
    assert verify(token, ring).subject == "somchai"
    time.sleep(1.1)
    assert refused(token, ring) == "token-expired"


def test_what_passed_with_one_set_of_keys_is_judged_anew_with_another(ring: Keys, tmp_path: Path) -> None:
    token = signed(ring)
    assert verify(token, ring)
    make_keys(tmp_path)
    assert refused(token, Keys(tmp_path)) == "token-invalid"


def test_another_key_is_refused_even_under_our_name(ring: Keys) -> None:
    _, kid = ring.token_signer
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert (
        refused(jwt.encode(claimed(), stranger, algorithm="ES256", headers={"kid": kid}), ring)
        == "token-invalid"
    )


@pytest.mark.parametrize("kid", ["", "none", "../../etc/passwd", "0" * 16, "กุญแจ"])
def test_an_unknown_key_name_is_refused(ring: Keys, kid: str) -> None:
    assert refused(signed(ring, headers={"kid": kid}), ring) == "token-invalid"


def test_an_unsigned_token_is_refused(ring: Keys) -> None:
    _, kid = ring.token_signer
    for algorithm in ("none", "None", "NONE"):
        bare = f"{_part({'alg': algorithm, 'typ': 'JWT', 'kid': kid})}.{_part(claimed())}."
        assert refused(bare, ring) == "token-invalid"


def test_the_public_key_is_no_hmac_secret(ring: Keys) -> None:
    """The classic confusion: a verifier that takes HS256 would take the published key as the secret."""
    key, kid = ring.token_signer
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = _part({"alg": "HS256", "typ": "JWT", "kid": kid})
    body = _part(claimed())
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    forged = f"{head}.{body}.{_part(mac.sign(f'{head}.{body}'.encode(), pem))}"
    assert refused(forged, ring) == "token-invalid"


def test_changing_a_signed_token_breaks_it(ring: Keys) -> None:
    head, _, signature = signed(ring).split(".")
    body = _part({**claimed(), "grants": [["hq", "*"]]})
    assert refused(f"{head}.{body}.{signature}", ring) == "token-invalid"


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "....",
        "ก.ข.ค",
        "\x00",
        "\udcff.a.b",
        "e30.e30.e30",
        f"{_part(b'[' * 50_000)}.e30.e30",
        f"{_part({'alg': 'ES256', 'kid': ['x']})}.e30.e30",
        f"{_part({'alg': 'ES256', 'kid': {'x': 1}})}.e30.e30",
        f"{_part([])}.e30.e30",
        f"{_part(None)}.e30.e30",
        f"{_part({'alg': 'ES256', 'kid': 'x', 'crit': ['b64'], 'b64': False})}.e30.e30",
    ],
    ids=[str(n) for n in range(15)],
)
def test_garbage_is_refused_and_nothing_else(ring: Keys, garbage: str) -> None:
    assert refused(garbage, ring) == "token-invalid"


def test_a_body_nested_without_end_is_refused(ring: Keys) -> None:
    key, kid = ring.token_signer
    head, body = _part({"alg": "ES256", "kid": kid}), _part(b"[" * 50_000)
    signer = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    signature = _part(signer.sign(f"{head}.{body}".encode(), key))
    assert refused(f"{head}.{body}.{signature}", ring) == "token-invalid"


@pytest.mark.parametrize(
    ("acr", "auth_time", "counts"),
    [
        ("step-up", In(0), True),
        ("step-up", In(30 - STEP_UP_SECONDS), True),
        ("step-up", In(-30 - STEP_UP_SECONDS), False),
        ("step-up", In(3600), False),
        ("step-up", -1, False),
        ("step-up", True, False),
        ("step-up", 10**30, False),
        ("step-up", In(0, str), False),
        ("step-up", In(0, float), False),
        ("step-up", None, False),
        ("password", In(0), False),
        (None, In(0), False),
    ],
    ids=range(12),
)
def test_a_step_up_counts_for_fifteen_minutes(
    ring: Keys, acr: object, auth_time: object, counts: bool
) -> None:
    assert verify(signed(ring, acr=acr, auth_time=auth_time), ring).stepped_up is counts


@pytest.fixture
def client(ring: Keys) -> FlaskClient:
    app = Flask("guarded")
    register_errors(app)
    require_tokens(app, ring)

    @app.get("/mine")
    def mine() -> Any:
        return jsonify(who=principal().subject)

    @app.get("/open")
    @public
    def open_() -> Any:
        return jsonify(open=True)

    return app.test_client()


def test_a_view_is_guarded_unless_it_says_otherwise(client: FlaskClient, ring: Keys) -> None:
    assert client.get("/open").status_code == 200
    assert client.get("/mine").status_code == 401
    answer = client.get("/mine", headers={"Authorization": f"Bearer {signed(ring)}"})
    assert answer.get_json() == {"who": "somchai"}
    assert (
        client.get("/mine", headers={"Authorization": f"bearer {good_token(ring, 'x')}"}).status_code == 200
    )


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic c29tY2hhaTp4", "Token x", "Bearer\tx", "x y z"]
)
def test_a_header_that_is_no_bearer_token_is_refused(client: FlaskClient, header: str) -> None:
    answer = client.get("/mine", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_in_the_address_does_not_count(client: FlaskClient, ring: Keys) -> None:
    assert client.get(f"/mine?access_token={signed(ring)}").status_code == 401


def test_an_unknown_address_is_not_found_rather_than_unauthorised(client: FlaskClient) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert answer.get_json()["type"] == "/problems/not-found"


def test_a_refusal_never_repeats_the_token(client: FlaskClient, ring: Keys) -> None:
    spoilt = signed(ring)[:-4] + "AAAA"
    assert spoilt not in client.get("/mine", headers={"Authorization": f"Bearer {spoilt}"}).get_data(
        as_text=True
    )
