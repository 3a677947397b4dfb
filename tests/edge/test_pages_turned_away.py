"""What the edge tells people whose page or act finds no place: tickets by card, forms held, and nothing of theirs as markup."""

from __future__ import annotations

import base64
import html
import re
import time
from collections.abc import Iterator

import httpx
import pytest

from gateway.portal.tokens import CARD, card
from services.kit.keys import Keys, make_keys
from services.kit.tickets import stamp_of
from tests.support.edge import Edge, running_edge

ACT = "/rounds/2564-2/schools/1066350177/confirmation"
FORM = {"csrf_token": "t.o-k_en", "sha256": "ab" * 32, "statement": "ข้าพเจ้า \"<b>'&"}

ONCE = {"Connection": "close"}
"""On a connection used before HAProxy passes a breaking off on."""


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Nobody is behind the portal's pools."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        for pool in ("portal", "portal-sign-in"):
            running.processes[pool].stop()
        yield running


def _press(
    edge: Edge, form: dict[str, str], *, who: str = "", path: str = ACT, **headers: str
) -> httpx.Response:
    known = {"Cookie": f"{CARD}={who or card(edge.keys, 'clerk', 60)}"}
    return edge.public.post(path, data=form, headers=known | headers)


def _hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def _known(edge: Edge, ticket: str, path: str = f"/api/v1{ACT}", who: str = "clerk") -> int | None:
    return stamp_of(ticket, edge.keys.ticket, "POST", path, who, time.time())


def test_an_act_pressed_on_a_page_gets_the_ticket_of_the_same_act(edge: Edge) -> None:
    answer = _press(edge, FORM)
    assert answer.status_code == 503
    held = _hidden(answer.text)
    assert held["ticket"] == answer.headers["x-tabian-ticket"]
    assert _known(edge, held["ticket"]) is not None
    assert _known(edge, held["ticket"], who="another") is None
    assert httpx.QueryParams(base64.b64decode(held["held"]).decode()) == httpx.QueryParams(FORM)


def test_sent_again_it_keeps_the_first_ticket_and_does_not_grow(edge: Edge) -> None:
    first = _hidden(_press(edge, FORM).text)
    time.sleep(0.01)
    again = _press(edge, first)
    assert _hidden(again.text) == first
    assert again.headers["x-tabian-ticket"] != first["ticket"]


def test_who_shows_no_card_of_the_portals_gets_no_ticket(
    edge: Edge, tmp_path_factory: pytest.TempPathFactory
) -> None:
    strange = tmp_path_factory.mktemp("keys")
    make_keys(strange)
    head, body, _ = card(edge.keys, "clerk", 60).split(".")
    for who in ("nobody", card(Keys(strange), "clerk", 60), f"{head}.{body}.", f"{head}.{body}"):
        answer = _press(edge, FORM, who=who, **{"X-Tabian-Ticket": "1" * 13 + "." + "a" * 64})
        assert answer.status_code == 503
        assert "x-tabian-ticket" not in answer.headers
        assert set(_hidden(answer.text)) == {"held"}
    assert (
        "x-tabian-ticket"
        not in _press(edge, FORM, path="/rounds/2564-2/schools/1066350177/explanations").headers
    )


@pytest.mark.parametrize(
    "evil", ['"><script>alert(1)</script>', "' onload=x", "%[var(txn.id)]", "a" * 20_000]
)
def test_nothing_that_was_sent_becomes_markup(edge: Edge, evil: str) -> None:
    for form in ({"x": evil}, {"held": evil}, {"held": "QQ==", "ticket": evil}):
        text = _press(edge, form, who="nobody").text
        assert "<script" not in text
        assert evil not in html.unescape(text)
        assert set(_hidden(text)) <= {"held"}


def test_a_password_is_in_no_page(edge: Edge) -> None:
    for path in ("/sign-in", "/step-up"):
        answer = edge.public.post(path, data={"username": "x", "password": "a-secret-word"})
        assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html;charset=utf-8")
        assert "ย้อนกลับ" in answer.text
        assert _hidden(answer.text) == {}


def test_programs_are_told_as_programs(edge: Edge) -> None:
    for answer in (
        edge.public.post("/api/v1/tokens", json={"username": "x", "password": "y"}),
        edge.public.get("/.well-known/jwks.json"),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert answer.json()["type"] == "/problems/busy"
        assert answer.json()["correlation_id"] == answer.headers["x-request-id"]


def test_what_broke_off_is_told_to_each_in_their_way(edge: Edge) -> None:
    process = edge.processes["portal-sign-in"]
    process.start()
    _wait_back(edge)
    process.away = 9
    people, program = (edge.public.post(path, headers=ONCE) for path in ("/step-up", "/api/v1/tokens"))
    process.stop()
    assert (people.status_code, people.headers["content-type"]) == (502, "text/html;charset=utf-8")
    assert "ส่วนนี้ของระบบไม่ตอบ" in people.text
    assert (program.status_code, program.json()["status"]) == (502, 502)
    assert program.headers["content-type"] == "application/problem+json"


def _wait_back(edge: Edge) -> None:
    while edge.public.post("/step-up", headers=ONCE).status_code == 503:
        time.sleep(0.2)


def test_a_page_that_was_read_is_loaded_again_at_a_moment_of_its_own(edge: Edge) -> None:
    pages = [edge.public.get("/rounds").text for _ in range(20)]
    pauses = {re.findall(r'<meta http-equiv="refresh" content="(\d+)">', page)[0] for page in pages}
    assert len(pauses) > 1
    assert all(5 <= int(pause) < 13 for pause in pauses)


def test_the_page_needs_nothing_from_anywhere_and_may_do_nothing_else(edge: Edge) -> None:
    answer = edge.public.get("/rounds")
    assert "default-src 'none'; style-src 'sha256-" in answer.headers["content-security-policy"]
    assert not re.search(r'(src|href)="(?!/"|data:,"|")', answer.text)
    assert "<script" not in answer.text
