"""Every service and the portal, asked on every route by every role: those decided in tests/architecture/access.toml
enter, all others are refused, and nobody enters another's school or area.

Refused is 401, 403, or 404 as for what one may not know of; in the scenes asked about everything is there to be found.
Whoever enters may still be told that it is not the day, or not the state for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from services.contracts.access import AREA, CLERK, DIRECTOR, ROLES, Grant
from tests.architecture.tree import FIVE
from tests.support import access
from tests.support.bench import Bench
from tests.support.fake_api import ESA, ROUND, SCHOOL
from tests.support.portal_desk import PortalDesk
from tests.support.scenes import Scene, scene
from tests.support.tokens import bearer
from tests.support.visitor import Visitor, enrol

SCOPED = {CLERK, DIRECTOR, AREA}
"""Roles of one school or one area."""
SAYING_WHERE = re.compile("<school>|<code>|<upload_id>|<uuid:case>")
"""Places of an address that name a school, or what is one school's."""


@pytest.fixture(params=FIVE)
def asked(request: pytest.FixtureRequest, bench: Callable[..., Bench], keys: Path) -> tuple[str, Scene]:
    return request.param, scene(request.param, bench, keys)


def _routes(name: str, app: Flask) -> Iterator[tuple[str, frozenset[str]]]:
    decided = access.decisions(name)
    for *_, route in access.views(app):
        if access.PUBLIC not in decided[route]:
            yield route, decided[route]


def _ask(there: Scene, route: str, headers: dict[str, str], query: str = "") -> TestResponse:
    method, _, rule = route.partition(" ")
    if method != "GET":
        headers = headers | {"If-Match": f'"{there.tag}"'}
    sent = there.sent.get(route, {} if method in ("GET", "DELETE") else {"json": {}})
    with there.bench.client.open(
        access.address(rule, there.values) + query, method=method, headers=headers, **sent
    ) as answer:
        return answer


def _person(there: Scene, role: str) -> dict[str, str]:
    """Another person in every role; they have just proved who they are."""
    grant = access.grants(there.school, there.esa)[role]
    return bearer(there.bench.keys, role, grant, stepped_up=True)


def _refused(answer: TestResponse) -> bool:
    if answer.status_code == 404:
        return bool(answer.get_json()["type"] == "/problems/not-found")
    return answer.status_code in (401, 403)


def _entered(answer: TestResponse) -> bool:
    return answer.status_code < 500 and not _refused(answer)


def test_the_roles_decided_enter_and_no_others(asked: tuple[str, Scene]) -> None:
    name, there = asked
    wrong = []
    # Who is refused changes nothing, so that those who enter find everything as it was.
    for allowed in (False, True):
        for route, roles in _routes(name, there.bench.app):
            for role in access.ASKING:
                if (role in roles) == allowed:
                    answer = _ask(there, route, _person(there, role))
                    if not (_entered if allowed else _refused)(answer):
                        wrong.append(f"{role}: {route}: {answer.status_code} {answer.text[:80]!r}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_nobody_enters_anothers_school_or_area(asked: tuple[str, Scene]) -> None:
    name, there = asked
    wrong = []
    for route, roles in _routes(name, there.bench.app):
        if roles == {*access.ASKING}:
            continue
        query = "" if SAYING_WHERE.search(route) else f"?esa={there.esa}"
        for who, grants in access.strangers(there.school, there.esa).items():
            answer = _ask(there, route, bearer(there.bench.keys, "stranger", *grants, stepped_up=True), query)
            hidden = bool(roles & SCOPED)  # of a school that is not theirs they may not even know
            if not _refused(answer) or (hidden and answer.status_code != 404):
                wrong.append(f"{who}: {route}: {answer.status_code} {answer.text[:80]!r}")
    assert not wrong, "\n" + "\n".join(wrong)


def _page(portal: PortalDesk, browser: Visitor, route: str, form: dict[str, str]) -> TestResponse:
    method, _, rule = route.partition(" ")
    values = {"round": ROUND, "school": SCHOOL, "esa": ESA, "case": "c-1", "upload": "u", "key": "k"}
    sent = {} if method == "GET" else {"data": form}
    with browser.client.open(access.address(rule, values), method=method, **sent) as answer:
        return answer


def _page_entered(answer: TestResponse) -> bool:
    elsewhere = answer.headers.get("Location", "").startswith("/sign-in")
    return answer.status_code < 500 and answer.status_code not in (401, 403, 404) and not elsewhere


def test_the_roles_decided_enter_the_pages_and_no_others(portal: PortalDesk) -> None:
    """A refused page asks no service anything; an entered one asks with this person's one grant."""
    wrong = []
    for role in ROLES:
        grant = access.grants(SCHOOL, ESA)[role]
        enrol(portal.bench.database, role, grant)
        browser = portal.person(role)
        form = {"csrf_token": browser.csrf(), "really": ROUND}
        for route, roles in _routes("portal", portal.bench.app):
            portal.services.tokens.clear()
            answer = _page(portal, browser, route, form)
            asked = [token.grants for token in portal.services.tokens]
            expected = _page_entered(answer) if role in roles else answer.status_code == 404 and not asked
            if not expected or any(grants != (Grant(*grant),) for grants in asked):
                wrong.append(f"{role}: {route}: {answer.status_code}, asked the services {len(asked)} times")
    assert not wrong, "\n" + "\n".join(wrong)
