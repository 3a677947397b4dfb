"""Who gets at which page: every route is guarded, forms need their token, and nothing leads elsewhere."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gateway.portal.tables import session
from tests.support.fake_api import ESA, ROUND, SCHOOL
from tests.support.portal_desk import PortalDesk
from tests.support.visitor import PASSWORD

OPEN_TO_ALL = {
    "api.issue_token",
    "api.interface",
    "api.public_keys",
    "bootstrap.static",
    "health.healthz",
    "health.readyz",
    "people.enter",
    "people.leave",
    "people.sign_in",
    "portal.asset",
}
PAGE = f"/rounds/{ROUND}/schools/{SCHOOL}"


def test_every_route_is_listed_as_open_or_guarded(portal: PortalDesk) -> None:
    app = portal.bench.app
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        guarded = getattr(view, "is_guarded", False) or not getattr(view, "is_public", False)
        assert guarded != (rule.endpoint in OPEN_TO_ALL), rule.endpoint


def test_every_guarded_page_sends_a_stranger_to_sign_in(portal: PortalDesk) -> None:
    stranger, app = portal.visitor(), portal.bench.app
    values = {"round": ROUND, "school": SCHOOL, "esa": ESA, "upload": "u", "key": "k", "case": "c"}
    values |= {"export": "e", "name": "n"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN_TO_ALL:
            continue
        _, address = rule.build({name: values[name] for name in rule.arguments})  # type: ignore[misc]
        address = address.removeprefix("|")
        method = "GET" if "GET" in rule.methods else "POST"  # type: ignore[operator]
        fields = {} if method == "GET" else {"data": {"csrf_token": stranger.csrf()}}
        answer = stranger.client.open(address, method=method, **fields)  # type: ignore[arg-type]
        assert answer.status_code == 302, (rule.endpoint, answer.status)
        assert answer.headers["Location"].startswith("/sign-in"), rule.endpoint
    assert portal.services.calls == []


def test_a_form_without_its_token_changes_nothing(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    for address in (f"{PAGE}/confirmation", f"{PAGE}/upload", "/role", "/sign-out"):
        answer = clerk.client.post(address, data={"sha256": "x"})
        assert answer.status_code == 400
        assert "โหลดหน้าใหม่" in answer.text
    assert portal.services.calls == []
    assert clerk.get("/rounds").status_code == 200


def test_a_token_of_another_browser_does_not_fit(portal: PortalDesk) -> None:
    theirs, mine = portal.person("malee").csrf(), portal.person("somchai")
    assert mine.client.post("/role", data={"csrf_token": theirs, "grant": "0"}).status_code == 400


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb"]
)
def test_signing_in_never_leads_to_another_site(portal: PortalDesk, where: str) -> None:
    answer = portal.visitor().sign_in("somchai", follow=False, next=where)
    assert answer.headers["Location"] == "/"


def test_signing_in_leads_back_to_where_one_was(portal: PortalDesk) -> None:
    browser = portal.visitor()
    sent = browser.get(f"{PAGE}?lang=en")
    assert sent.status_code == 302
    answer = browser.get(sent.headers["Location"])
    assert 'value="/rounds/2564-2/schools/1066350177?lang=en"' in answer.text
    assert browser.sign_in("somchai", follow=False, next=PAGE).headers["Location"] == PAGE


def test_the_cookie_names_a_session_and_says_nothing_else(portal: PortalDesk) -> None:
    answer = portal.visitor().sign_in("somchai", follow=False)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    with portal.bench.database.transaction() as tx:
        row = tx.execute(sa.select(session)).one()
    assert row.id not in cookie
    assert "somchai" not in cookie


def test_the_cookie_is_secure_over_https(portal: PortalDesk) -> None:
    browser = portal.visitor()
    answer = browser.client.get("/sign-in", base_url="https://tabian.test")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_signing_in_makes_a_new_session_and_signing_out_ends_it(portal: PortalDesk) -> None:
    browser = portal.visitor()
    browser.get("/sign-in")
    before = browser.client.get_cookie("tabian")
    browser.sign_in("somchai")
    held = browser.client.get_cookie("tabian")
    assert before is not None
    assert held is not None
    assert held.value != before.value
    assert browser.send("/sign-out", follow=False).status_code == 303
    browser.client.set_cookie("tabian", held.value)
    assert browser.get("/rounds").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("column", ["expires_at", "seen_at"])
def test_a_session_ends_when_old_or_unused(portal: PortalDesk, column: str) -> None:
    browser = portal.person("somchai")
    with portal.bench.database.transaction() as tx:
        tx.execute(sa.update(session).values({column: sa.func.now() - sa.text("interval '11 hours'")}))
    assert browser.get("/rounds").status_code == 302


def test_a_forged_cookie_is_nobody(portal: PortalDesk) -> None:
    browser = portal.visitor()
    browser.client.set_cookie("tabian", "eyJzaWQiOiJ4In0.aaaaaa.bbbbbb")
    assert browser.get("/rounds").status_code == 302


def test_roles_see_their_own_pages_only(portal: PortalDesk) -> None:
    clerk, watch = portal.person("somchai"), portal.person("watch")
    for address in (f"/rounds/{ROUND}/nation", f"/rounds/{ROUND}/areas/{ESA}", f"/rounds/{ROUND}/duplicates"):
        assert clerk.get(address).status_code == 404
    assert watch.get(PAGE).status_code == 404
    assert watch.send(f"/rounds/{ROUND}/nation/closure", really=ROUND).status_code == 404
    assert portal.services.calls == []


def test_a_person_with_two_roles_chooses_one_and_asks_as_that(portal: PortalDesk) -> None:
    both = portal.person("both")
    assert "บ้านทุ่งทดสอบ" in both.page("/")
    assert portal.services.tokens[-1].grants[0].role == "clerk"
    assert "โรงเรียนในเขต" in both.send("/role", grant="1").text
    assert [grant.role for grant in portal.services.tokens[-1].grants] == ["area"]
    for nonsense in ("7", "-1", "²", ""):
        both.send("/role", grant=nonsense)
    assert "โรงเรียนในเขต" in both.page("/")


def test_wrong_and_throttled_sign_ins_say_so_on_the_page(portal: PortalDesk) -> None:
    browser = portal.visitor()
    wrong = browser.sign_in("somchai", "wrong password")
    assert wrong.status_code == 401
    assert "ชื่อผู้ใช้หรือรหัสผ่านไม่ถูกต้อง" in wrong.text
    for _ in range(5):
        last = browser.sign_in("somchai", "wrong password")
    assert last.status_code == 429
    assert "โปรดรอ 15 นาที" in last.text
    assert PASSWORD not in last.text


def test_pages_forbid_what_they_do_not_need(portal: PortalDesk) -> None:
    headers = portal.visitor().get("/sign-in").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_everything_a_page_loads_comes_from_here(portal: PortalDesk) -> None:
    browser = portal.visitor()
    text = browser.page("/sign-in")
    addresses = [part.split('"')[0] for kind in ('href="', 'src="') for part in text.split(kind)[1:]]
    files = [address for address in addresses if "static" in address]
    assert len(files) >= 4
    for address in files:
        assert address.startswith("/")
        with browser.get(address) as answer:
            assert answer.status_code == 200
    assert browser.get("/static/../app.py").status_code == 404
    assert browser.get("/static/%2e%2e/app.py").status_code == 404


def test_unknown_addresses_are_a_page_or_a_problem(portal: PortalDesk) -> None:
    browser = portal.visitor()
    assert "ไม่พบ" in browser.get("/nowhere").text
    assert "There is no such page" in browser.get("/nowhere?lang=en").text
    api = browser.get("/api/v1/nowhere")
    assert (api.status_code, api.content_type) == (404, "application/problem+json")
    assert browser.client.delete("/rounds").status_code == 405
