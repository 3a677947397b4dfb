"""The edge as HAProxy really runs it: where requests go, what is refused before a service sees it, what it adds."""

from __future__ import annotations

import dataclasses
import http.client
import itertools
import json
import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.x509 import load_pem_x509_certificate

from gateway.edge.configuration import CLUSTER, PLACES, configuration, routes_map
from gateway.edge.pools import pool_of
from gateway.portal.certificate import expires_at
from gateway.routes import PAGES, ROUTES, Route, class_of
from gateway.stack.secrets import make_secrets
from services.kit.errors import Problem, problem_body
from services.kit.tickets import stamp_of
from tests.support.brokers import until
from tests.support.edge import Edge, program, running_edge
from tests.support.tokens import bearer
from tests.support.watching import FOREIGN

CONFIRM = "/api/v1/rounds/2564-2/schools/1066350177/confirmation"
READ = "/api/v1/rounds/2564-2/schools"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture
def clerk(edge: Edge) -> dict[str, str]:
    return bearer(edge.keys, "clerk-1066350177", ("clerk", "1066350177"))


def _sample(route: Route) -> tuple[str, str]:
    path = re.sub(r"\{\w+\}", "1066350177", route.pattern).replace("*", "/some-thing")
    return (min(route.methods) if route.methods else "GET"), re.sub("/+", "/", path)


def _problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert body["detail"] == body["detail_th"]
    assert body["detail_en"]
    assert body["correlation_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["type"].removeprefix("/problems/")


@pytest.mark.parametrize("folder", PLACES, ids=str)
def test_the_files_that_are_kept_are_what_the_tables_make(folder: Path) -> None:
    assert (folder / "haproxy.cfg").read_text(encoding="utf-8") == configuration(PLACES[folder]), (
        "run `make edge`"
    )
    assert (folder / "routes.map").read_text(encoding="utf-8") == routes_map(), "run `make edge`"


def test_haproxy_takes_the_clusters_configuration(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    (tmp_path / "routes.map").write_text(routes_map(), encoding="utf-8")
    site = dataclasses.replace(
        CLUSTER,
        public_bind=f":8443 ssl crt {tmp_path / 'edge.pem'}",
        routes=str(tmp_path / "routes.map"),
        token_key=str(tmp_path / "token.pub"),
        ticket_key=str(tmp_path / "ticket.key"),
    )
    (tmp_path / "haproxy.cfg").write_text(configuration(site), encoding="utf-8")
    asked = subprocess.run([program(), "-c", "-f", tmp_path / "haproxy.cfg"], capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize("route", [*ROUTES, *PAGES], ids=lambda r: f"{min(r.methods, default='')}{r.pattern}")
def test_every_row_leads_to_its_pool(edge: Edge, clerk: dict[str, str], route: Route) -> None:
    method, path = _sample(route)
    expected = next(r for r in (*ROUTES, *PAGES) if r.matches(method, path))
    own = {"X-Tabian-Class": "act-of-mine"}
    answer = edge.public.request(method, path, headers=(clerk if route.guarded else {}) | own)
    assert answer.json()["pool"] == pool_of(expected)
    assert answer.json()["headers"]["x-tabian-class"] == expected.queue == class_of(method, path)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.guarded], ids=lambda r: r.pattern)
def test_no_guarded_row_is_reached_without_a_token(edge: Edge, route: Route) -> None:
    method, path = _sample(route)
    assert _problem(edge.public.request(method, path)) == (401, "token-missing")


def test_a_token_must_be_signed_by_the_portal_and_not_be_over(edge: Edge, clerk: dict[str, str]) -> None:
    good = clerk["Authorization"].removeprefix("Bearer ")
    head, payload, signature = good.split(".")
    changed = payload[:-4] + ("AAAA" if payload[-4:] != "AAAA" else "BBBB")
    public = edge.keys.folder.joinpath("token.pub").read_bytes()
    forged = {
        "changed": f"{head}.{changed}.{signature}",
        "unsigned": jwt.encode({"sub": "x", "exp": time.time() + 60}, key=None, algorithm="none"),
        "by the public key as a secret": _hmac_token(public),
        "no token at all": "word",
    }
    for what, token in forged.items():
        answer = edge.public.get(READ, headers={"Authorization": f"Bearer {token}"})
        assert _problem(answer) == (401, "token-invalid"), what
        assert "Bearer" in answer.headers["www-authenticate"]
    over = _expired(edge, -30)
    assert _problem(edge.public.get(READ, headers=over)) == (401, "token-expired")
    assert edge.public.get(READ, headers=_expired(edge, -2)).status_code == 200, "a little late is not late"


def _expired(edge: Edge, lifetime: int) -> dict[str, str]:
    from tests.support.tokens import token

    return {"Authorization": f"Bearer {token(edge.keys, 'x', ('clerk', '1'), lifetime=lifetime)}"}


def _hmac_token(secret: bytes) -> str:
    import base64
    import hashlib
    import hmac

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    said = (
        f"{part(json.dumps({'alg': 'HS256'}).encode())}.{part(json.dumps({'sub': 'x', 'exp': 9e9}).encode())}"
    )
    return f"{said}.{part(hmac.new(secret, said.encode(), hashlib.sha256).digest())}"


def test_the_words_of_the_edge_are_those_of_the_services(edge: Edge) -> None:
    said = edge.public.get(READ).json()
    ours = Problem(401, "token-missing", said["detail_th"], said["detail_en"])
    assert {**problem_body(ours), "correlation_id": said["correlation_id"]} == said


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/internal/v1/rounds/2564-2/documents", 404),
        ("/internal", 404),
        ("//internal/v1/rounds", 404),
        ("/%69nternal/v1/rounds", 404),
        ("/INTERNAL/v1", 404),
        ("/internal%2fv1%2frounds", 400),
        ("/api/v1/rounds/../../../internal/v1/x", 400),
        ("/api/v1/rounds/%2e%2e/x", 400),
        ("/api/v1/rounds/a%20b", 400),
        ("/api/v1/rounds/a%0ab", 400),
        ("/api/v1/rounds/a%5cb", 400),
    ],
)
def test_no_crooked_address_finds_an_inner_door(
    edge: Edge, clerk: dict[str, str], path: str, status: int
) -> None:
    before = sum(len(process.seen) for process in edge.processes.values())
    # a client that sends the path as it is; httpx would straighten it
    line = http.client.HTTPConnection(edge.inner.base_url.host, edge.inner.base_url.port or 80)
    line.request("GET", path, headers=clerk)
    answered = line.getresponse().status
    line.close()
    assert answered == status
    assert sum(len(process.seen) for process in edge.processes.values()) == before


def test_a_body_is_as_large_as_its_row_allows(edge: Edge, clerk: dict[str, str]) -> None:
    roster = READ + "/1066350177/roster"
    assert edge.public.post(CONFIRM, headers=clerk, content=bytes(64 * 1024)).status_code == 200
    assert _problem(edge.public.post(CONFIRM, headers=clerk, content=bytes(64 * 1024 + 1))) == (
        413,
        "too-large",
    )
    assert edge.public.put(roster, headers=clerk, content=bytes(700_000)).json()["bytes"] == 700_000
    line = http.client.HTTPConnection(edge.inner.base_url.host, edge.inner.base_url.port or 80)
    line.putrequest("PUT", roster)
    for name, value in {**clerk, "Content-Length": str(16 * 1024 * 1024 + 1)}.items():
        line.putheader(name, value)
    line.endheaders()
    assert line.getresponse().status == 413, "before a byte of it was sent"
    line.close()


def test_the_stamp_is_the_edges_own(edge: Edge, clerk: dict[str, str]) -> None:
    told = {**clerk, "X-Tabian-Received": "1", "X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "gopher"}
    seen = edge.public.get(READ, headers=told).json()["headers"]
    assert abs(int(seen["x-tabian-received"]) / 1000 - time.time()) < 5
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "https")


def test_behind_the_inner_door_the_persons_stamp_stays(edge: Edge, clerk: dict[str, str]) -> None:
    kept = edge.inner.get(READ, headers={**clerk, "X-Tabian-Received": "1636536599250"}).json()["headers"]
    assert kept["x-tabian-received"] == "1636536599250"
    own = edge.inner.get(READ, headers=clerk).json()["headers"]
    assert abs(int(own["x-tabian-received"]) / 1000 - time.time()) < 5


def test_a_trace_begins_behind_the_edge_and_goes_on_through_the_inner_door(
    edge: Edge, clerk: dict[str, str]
) -> None:
    told = {**clerk, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "vendor=1"}
    outside = edge.public.get(READ, headers=told).json()["headers"]
    assert {"traceparent", "tracestate"} & outside.keys() == set()
    assert edge.inner.get(READ, headers=told).json()["headers"]["traceparent"] == told["traceparent"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a1b2c3d4-support", True), ("short", False), ("in valid id", False), ("1234567890123", False)],
)
def test_one_id_goes_through(edge: Edge, clerk: dict[str, str], given: str, kept: bool) -> None:
    answer = edge.public.get(READ, headers={**clerk, "X-Request-Id": given})
    assert answer.headers["x-request-id"] == answer.json()["headers"]["x-request-id"]
    assert (answer.headers["x-request-id"] == given) is kept
    log = edge.keys.folder.parent / "haproxy.log"
    line = until(
        lambda: [one for one in log.read_text().splitlines() if answer.headers["x-request-id"] in one]
    )[-1]
    assert json.loads(line)["correlation_id"] == answer.headers["x-request-id"]


def test_every_answer_is_guarded_in_the_browser(edge: Edge) -> None:
    for answer in (edge.public.get("/"), edge.public.get(READ), edge.public.get("/internal/x")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "max-age" in answer.headers["strict-transport-security"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers


def test_an_act_turned_away_takes_a_ticket_home_that_the_service_knows(
    edge: Edge, clerk: dict[str, str]
) -> None:
    answer = edge.public.post(CONFIRM + "?full", headers=clerk)
    stamp, ticket = int(edge.processes["intake-api"].seen[-1]["headers"]["x-tabian-received"]), answer.headers
    assert answer.status_code == 503
    known = stamp_of(
        ticket["x-tabian-ticket"], edge.keys.ticket, "POST", CONFIRM, "clerk-1066350177", time.time()
    )
    assert known == stamp
    assert "x-tabian-ticket" not in edge.public.get(READ + "?full", headers=clerk).headers
    assert "x-tabian-ticket" not in edge.public.post(CONFIRM, headers=clerk).headers


def test_where_nobody_answers_people_are_told_to_come_again(edge: Edge, clerk: dict[str, str]) -> None:
    process = edge.processes["intake-api"]
    process.stop()
    try:
        answer = edge.public.post(CONFIRM, headers=clerk)
        assert _problem(answer) == (503, "busy")
        assert answer.headers["retry-after"] == "2"
        assert stamp_of(
            answer.headers["x-tabian-ticket"],
            edge.keys.ticket,
            "POST",
            CONFIRM,
            "clerk-1066350177",
            time.time(),
        )
    finally:
        process.start()
    _wait_back(edge, READ, clerk)


def test_who_vanished_is_told_of_on_a_connection_used_before(edge: Edge, clerk: dict[str, str]) -> None:
    """HAProxy would close it without a word when the last attempt to connect times out."""
    assert edge.public.get(READ, headers=clerk).status_code == 200
    with edge.processes["intake-api"].vanished():
        answer = edge.public.post(CONFIRM, headers=clerk)
    assert _problem(answer) == (503, "busy")
    assert "x-tabian-ticket" in answer.headers
    _wait_back(edge, READ, clerk)


def test_an_act_over_a_connection_into_the_void_is_answered_with_a_ticket(
    edge: Edge, clerk: dict[str, str]
) -> None:
    """The edge keeps connections to processes; one whose machine is gone says nothing, and nothing comes back."""
    _wait_back(edge, CONFIRM, clerk, "POST")
    began = time.monotonic()
    with edge.processes["intake-api"].vanished():
        answer = edge.public.post(CONFIRM, headers=clerk)
    assert _problem(answer) == (504, "no-answer")
    assert "x-tabian-ticket" in answer.headers
    assert time.monotonic() - began < 20, "far sooner than an act's people give up"
    _wait_back(edge, CONFIRM, clerk, "POST")


def _wait_back(edge: Edge, path: str, headers: dict[str, str], method: str = "GET") -> None:
    for _ in itertools.count():
        if edge.public.request(method, path, headers=headers).status_code == 200:
            break
        time.sleep(0.2)


def test_a_page_that_cannot_be_shown_is_a_page(edge: Edge) -> None:
    process = edge.processes["portal"]
    process.stop()
    try:
        answer = edge.public.get("/rounds")
        assert answer.status_code == 503
        assert answer.headers["content-type"].startswith("text/html")
        assert "โปรดรอสักครู่" in answer.text
        assert answer.headers["x-request-id"] in answer.text
    finally:
        process.start()
    _wait_back(edge, "/rounds", {})


@pytest.mark.parametrize(
    ("method", "path", "again"),
    [
        ("GET", READ, True),
        ("POST", CONFIRM, True),
        ("PUT", READ + "/1066350177/roster", True),
        ("POST", READ + "/1066350177/explanations", False),
        ("PATCH", READ + "/1066350177/roster/students/k", False),
    ],
)
def test_only_what_may_be_done_twice_is_sent_again(
    edge: Edge, clerk: dict[str, str], method: str, path: str, again: bool
) -> None:
    process = edge.processes["intake-uploads" if method == "PUT" else "intake-api"]
    _wait_back(edge, path, clerk, method)  # who broke off a moment ago is not asked until the next check
    process.seen.clear()
    process.away = 1
    try:
        status = edge.public.request(method, path, headers=clerk).status_code
    except httpx.RemoteProtocolError:  # on a connection used before, HAProxy passes the breaking off on
        status = 502
    assert (status, len(process.seen)) == ((200, 2) if again else (502, 1))


def test_prometheus_reads_every_pool(edge: Edge) -> None:
    text = httpx.get(edge.metrics).text
    for pool in edge.processes:
        assert f'haproxy_backend_current_queue{{proxy="{pool}"}}' in text
    assert edge.public.get("/metrics").json()["pool"] == "portal", "not from outside"


def test_the_edge_shows_until_when_its_certificate_is_good(edge: Edge) -> None:
    address = f"{edge.public.base_url.host}:{edge.public.base_url.port}"
    shown = load_pem_x509_certificate((edge.keys.folder / "edge.crt").read_bytes())
    assert expires_at(address) == shown.not_valid_after_utc.timestamp()
    plain = f"{edge.inner.base_url.host}:{edge.inner.base_url.port}"
    with pytest.raises(ssl.SSLError):
        expires_at(plain)


def test_what_rules_and_dashboards_ask_of_the_edge_is_told(edge: Edge) -> None:
    text = httpx.get(edge.metrics, params={"scope": ["frontend", "backend"]}).text
    told = {line.split("{")[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert FOREIGN["haproxy"] <= told
