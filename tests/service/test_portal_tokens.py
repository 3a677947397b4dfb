"""Signing in over HTTP: tokens, throttling, locked accounts, and what hostile clients send."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.portal import accounts, passwords, throttle
from gateway.portal.tables import account, attempt, session
from services.contracts.access import Grant
from services.kit.auth import verify
from services.kit.clock import Clock
from services.kit.errors import Problem
from tests.support.portal_desk import PortalDesk
from tests.support.visitor import PASSWORD


def ask(portal: PortalDesk, username: Any = "somchai", password: Any = PASSWORD, **more: Any) -> Any:
    sent = json.dumps({"username": username, "password": password, **more})  # ASCII: lone surrogates travel
    return portal.bench.client.post("/api/v1/tokens", data=sent)


def test_the_right_password_gives_a_token_that_every_service_takes(portal: PortalDesk) -> None:
    answer = ask(portal, " Somchai ").json
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 900
    assert answer["grants"] == [["clerk", "1066350177"]]
    who = verify(answer["access_token"], portal.bench.keys)
    assert (who.subject, who.name, who.grants) == ("somchai", "คุณsomchai", (Grant("clerk", "1066350177"),))
    assert not who.stepped_up


def test_stepping_up_proves_the_person_again(portal: PortalDesk) -> None:
    who = verify(ask(portal, "malee", step_up=True).json["access_token"], portal.bench.keys)
    assert who.stepped_up
    assert abs(who.auth_time - time.time()) < 5  # type: ignore[operator]
    assert ask(portal, "malee", "wrong password", step_up=True).status_code == 401


def test_public_keys_verify_and_carry_nothing_private(portal: PortalDesk) -> None:
    answer = portal.bench.client.get("/.well-known/jwks.json")
    assert {key["kty"] for key in answer.json["keys"]} == {"EC", "OKP"}  # type: ignore[index]
    assert all("d" not in key for key in answer.json["keys"])  # type: ignore[index]


def test_wrong_password_and_unknown_person_get_the_same_answer(portal: PortalDesk) -> None:
    wrong, unknown = ask(portal, password="wrong password"), ask(portal, "nobody")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json["type"] == unknown.json["type"] == "/problems/sign-in-refused"
    assert wrong.json["detail_th"] == unknown.json["detail_th"]
    assert wrong.json["detail_en"] == "The username or the password is wrong"


def test_an_unknown_person_costs_a_hash_too(portal: PortalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bool] = []
    real = passwords._hasher.__class__.verify

    def counted(self: Any, *given: Any) -> bool:
        hashed.append(True)
        return bool(real(self, *given))

    monkeypatch.setattr(passwords._hasher.__class__, "verify", counted)
    ask(portal, "nobody")
    assert hashed == [True]


def test_five_failures_close_the_door_for_that_client_only(portal: PortalDesk) -> None:
    for _ in range(throttle.PER_PAIR):
        assert ask(portal, password="wrong password").status_code == 401
    refused = ask(portal)
    assert refused.status_code == 429
    assert refused.json["type"] == "/problems/too-many-attempts"
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    other = portal.bench.client.post(
        "/api/v1/tokens",
        json={"username": "somchai", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert other.status_code == 200
    assert ask(portal, "malee").status_code == 200


def test_the_door_opens_again_after_the_window(portal: PortalDesk) -> None:
    for _ in range(throttle.PER_PAIR + 1):
        ask(portal, password="wrong password")
    with portal.bench.database.transaction() as tx:
        tx.execute(sa.update(attempt).values(since=attempt.c.since - throttle.WINDOW - timedelta(seconds=1)))
    assert ask(portal).status_code == 200


def test_success_takes_the_counted_attempts_back(portal: PortalDesk) -> None:
    for _ in range(3 * throttle.PER_PAIR):
        assert ask(portal).status_code == 200
    with portal.bench.database.transaction() as tx:
        assert tx.execute(sa.select(sa.func.max(attempt.c.count))).scalar_one() == 0


def test_many_attempts_at_once_cannot_slip_through(portal: PortalDesk) -> None:
    def attempt_once(_: int) -> int:
        client = portal.bench.app.test_client()
        sent = {"username": "malee", "password": "wrong password"}
        return client.post("/api/v1/tokens", json=sent).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(attempt_once, range(24)))
    assert statuses.count(401) == throttle.PER_PAIR
    assert statuses.count(429) == 24 - throttle.PER_PAIR


def test_one_client_cannot_shut_a_person_out(portal: PortalDesk) -> None:
    for _ in range(2 * throttle.PER_ACCOUNT):
        ask(portal, "malee", "wrong password")
    elsewhere = portal.bench.client.post(
        "/api/v1/tokens",
        json={"username": "malee", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "198.51.100.3"},
    )
    assert elsewhere.status_code == 200


def test_guessing_across_many_accounts_is_stopped_at_the_client(portal: PortalDesk) -> None:
    now = Clock.real()
    with portal.bench.database.transaction() as tx:
        for number in range(throttle.PER_CLIENT):
            assert throttle.count(tx, f"user{number}", "203.0.113.5", now) == 0
        assert throttle.count(tx, "one-more", "203.0.113.5", now) > 0


def test_a_locked_person_is_told_only_with_the_right_password(portal: PortalDesk) -> None:
    with portal.bench.database.transaction() as tx:
        assert accounts.set_locked(tx, "somchai", locked=True)
    assert ask(portal, password="wrong password").status_code == 401
    locked = ask(portal)
    assert (locked.status_code, locked.json["type"]) == (403, "/problems/account-locked")
    with portal.bench.database.transaction() as tx:
        accounts.set_locked(tx, "somchai", locked=False)
    assert ask(portal).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"username": "somchai"},
        {"username": "", "password": PASSWORD},
        {"username": ["somchai"], "password": PASSWORD},
        {"username": "somchai", "password": None},
        {"username": "x" * 201, "password": PASSWORD},
        {"username": "somchai", "password": "x" * 100_000},
        {"username": "somchai", "password": PASSWORD, "role": "hq"},
    ],
)
def test_malformed_credentials_are_named_and_refused(portal: PortalDesk, sent: dict[str, Any]) -> None:
    answer = portal.bench.client.post("/api/v1/tokens", json=sent)
    assert answer.status_code in (413, 422)
    assert PASSWORD not in answer.text
    assert answer.json["detail_th"]  # type: ignore[index]


@pytest.mark.parametrize(
    "username", ["som\0chai", "' OR 1=1 --", "\ud800", "สมชาย", "../../etc/passwd", "somchai\n"]
)
def test_hostile_usernames_are_nobody(portal: PortalDesk, username: str) -> None:
    answer = ask(portal, username, "wrong\ud800password")
    assert answer.status_code == 401


def test_a_token_signed_elsewhere_is_nobody(portal: PortalDesk) -> None:
    token = ask(portal).json["access_token"]
    head, _, signature = token.split(".")
    forged = f"{head}.{token.split('.')[1][:-4]}AAAA.{signature}"
    with pytest.raises(Problem):
        verify(forged, portal.bench.keys)


def test_passwords_are_argon2id_at_the_floor_or_above(portal: PortalDesk) -> None:
    with portal.bench.database.transaction() as tx:
        (stored,) = tx.execute(
            sa.select(account.c.password_hash).where(account.c.username == "somchai")
        ).scalars()
    kind, _, parameters = stored.split("$")[1:4]
    given = dict(item.split("=") for item in parameters.split(","))
    assert kind == "argon2id"
    assert (int(given["m"]) >= 19456, int(given["t"]) >= 2, int(given["p"]) >= 1) == (True, True, True)
    assert PASSWORD not in stored


def test_locking_ends_the_sessions_of_that_person(portal: PortalDesk) -> None:
    browser = portal.person("somchai")
    with portal.bench.database.transaction() as tx:
        accounts.set_locked(tx, "somchai", locked=True)
        assert tx.execute(sa.select(sa.func.count()).select_from(session)).scalar_one() == 0
    assert browser.get("/rounds").status_code == 302
