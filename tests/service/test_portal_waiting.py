"""What the portal does while a service is full: it holds the form, keeps the ticket, and goes on with the same act."""

from __future__ import annotations

import base64
import io
import re
from urllib.parse import urlencode

import pytest

from gateway.portal.held import unfolded
from gateway.portal.tokens import CARD
from services.kit.auth import verify
from services.kit.errors import Problem
from services.kit.tickets import make
from tests.support.fake_api import ROUND, SCHOOL
from tests.support.fake_data import MAY, SHA256, UPLOAD
from tests.support.portal_desk import PortalDesk
from tests.support.visitor import Visitor

PAGE = f"/rounds/{ROUND}/schools/{SCHOOL}"
CONFIRM = f"{PAGE}/confirmation"
FIRST = make(b"k" * 32, 1_636_536_599_250, "POST", f"/api/v1{CONFIRM}", "somchai")
LATER = make(b"k" * 32, 1_636_536_699_250, "POST", f"/api/v1{CONFIRM}", "somchai")


@pytest.fixture
def clerk(portal: PortalDesk) -> Visitor:
    portal.services.school |= {"state": "ready", "may": MAY["ready"], "blocks": []}
    return portal.person("somchai")


def _hidden(text: str) -> dict[str, str]:
    """The fields of the waiting page's own form."""
    panel = text.split("data-waiting ", 1)[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', panel))


def test_an_act_without_a_place_waits_in_a_page_that_sends_it_again(
    portal: PortalDesk, clerk: Visitor
) -> None:
    portal.services.away, portal.services.full = (
        {"/confirmation"},
        {"Retry-After": "7", "X-Tabian-Queue": "412"},
    )
    answer = clerk.client.post(
        CONFIRM, data={"csrf_token": clerk.csrf(), "sha256": SHA256}, headers={"X-Tabian-Ticket": FIRST}
    )
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["X-Tabian-Queue"]) == (
        503,
        "7",
        "412",
    )
    assert "ระบบเต็มชั่วคราว" in answer.text
    assert "<strong data-queue-number>412</strong>" in answer.text
    held = _hidden(answer.text)
    assert (held["sha256"], held["ticket"]) == (SHA256, FIRST)
    portal.services.away = set()
    done = clerk.client.post(CONFIRM, data=held, headers={"X-Tabian-Ticket": LATER}, follow_redirects=True)
    assert "ยืนยันแล้ว ได้ใบรับแล้ว" in done.text
    assert portal.services.sent("POST", "/confirmation")[1] == f'"{SHA256}"'
    shown = [
        ticket
        for call, ticket in zip(portal.services.calls, portal.services.tickets, strict=True)
        if call[0] == "POST"
    ]
    assert shown == [FIRST, FIRST], "the ticket of the first time, not of the last"


@pytest.mark.parametrize("bad", ["", "x", "1.2", f"{FIRST}\r\nX-Evil: 1", "๑" * 13 + "." + "a" * 64])
def test_what_is_no_ticket_is_not_passed_on(portal: PortalDesk, clerk: Visitor, bad: str) -> None:
    assert clerk.send(CONFIRM, follow=False, sha256=SHA256, ticket=bad).status_code == 303
    assert set(portal.services.tickets) == {""}


def test_what_was_typed_is_held_as_text_and_never_as_markup(portal: PortalDesk, clerk: Visitor) -> None:
    portal.services.away = {"/explanations"}
    evil = '"><script>alert(1)</script>'
    text = clerk.send(f"{PAGE}/explanations", rule="r", key="k", sentence=evil).text
    assert "<script>alert" not in text
    assert _hidden(text)["sentence"] == "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
    assert "data-arrived></time>" in text, "no act, no time"


def test_a_file_without_a_place_is_asked_for_again(portal: PortalDesk, clerk: Visitor) -> None:
    portal.services.away = {"/roster"}
    answer = clerk.send(f"{PAGE}/upload", roster=(io.BytesIO(b"a,b"), "roll.csv"))
    assert answer.status_code == 503
    assert "ระบบยังไม่ได้รับไฟล์" in answer.text
    assert _hidden(answer.text) == {}


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_problem_that_says_full_is_no_refusal(portal: PortalDesk, clerk: Visitor, status: int) -> None:
    portal.services.refusals["/confirmation"] = Problem(status, "busy", "เต็ม", "Full")
    assert clerk.send(CONFIRM, follow=False, sha256=SHA256).status_code == 503


def test_the_pages_script_is_told_where_to_go_and_leaves_the_message_for_that_page(clerk: Visitor) -> None:
    sent = {"csrf_token": clerk.csrf(), "sha256": SHA256}
    answer = clerk.client.post(CONFIRM, data=sent, headers={"X-Tabian-Script": "1"})
    assert (answer.status_code, answer.headers["X-Tabian-Next"], answer.text) == (200, PAGE, "")
    assert "Location" not in answer.headers
    assert "ยืนยันแล้ว ได้ใบรับแล้ว" in clerk.page(PAGE)


def test_an_answer_taken_by_dedup_is_not_lost_with_a_look_that_fails(
    portal: PortalDesk, clerk: Visitor
) -> None:
    portal.services.away = {f"/schools/{SCHOOL}"}
    answer = clerk.send(f"{PAGE}/duplicates/case-1", follow=False, sentence="มาเรียนทุกวัน")
    assert answer.status_code == 303


def test_the_edges_page_gives_the_form_back_as_it_was(portal: PortalDesk, clerk: Visitor) -> None:
    form = urlencode({"csrf_token": clerk.csrf(), "sha256": SHA256}).encode()
    folded = {"held": base64.b64encode(form).decode(), "ticket": FIRST}
    assert clerk.client.post(CONFIRM, data=folded).status_code == 303
    assert portal.services.sent("POST", "/confirmation")[1] == f'"{SHA256}"'
    assert FIRST in portal.services.tickets


@pytest.mark.parametrize("held", ["", "%", "!!!!", "csrf_token=x", "AAAA" * 20_000])
def test_a_form_that_holds_nonsense_is_a_form_without_its_token(
    portal: PortalDesk, clerk: Visitor, held: str
) -> None:
    assert clerk.client.post(CONFIRM, data={"held": held}).status_code in (400, 413)
    assert portal.services.calls == []


def test_a_form_is_unfolded_once() -> None:
    inner = b"held=" + base64.b64encode(b"a=1")
    assert unfolded(b"held=" + base64.b64encode(inner).replace(b"=", b"%3D")) == inner
    assert unfolded(b"a=1&held=x") == b"a=1&held=x"


def test_the_card_opens_nothing_and_goes_when_the_person_goes(portal: PortalDesk, clerk: Visitor) -> None:
    card = clerk.client.get_cookie(CARD)
    assert card is not None
    assert card.http_only
    with pytest.raises(Problem) as refused:
        verify(card.value, portal.services.keys)
    assert refused.value.code == "token-invalid"
    clerk.send("/sign-out")
    assert clerk.client.get_cookie(CARD) is None


def test_a_download_that_finds_no_place_is_a_waiting_page(portal: PortalDesk, clerk: Visitor) -> None:
    portal.services.away = {"/findings"}
    answer = clerk.get(f"{PAGE}/uploads/{UPLOAD}/findings.csv")
    assert (answer.status_code, answer.content_type) == (503, "text/html; charset=utf-8")
