"""Every address has one owner, the table of routes sends it there, and nobody reaches it without saying who they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.routing import Rule

from deploy.documents.openapi.building import application as build
from gateway.routes import ROUTES, owner_of
from tests.architecture import tree
from tests.support import access
from tests.support.access import views

PROCESS = {"/healthz", "/readyz"}
"""Asked of each process by whoever runs it; from outside they are the portal's."""
CASE = "6b1f7d0e-6f57-4c8e-9d7e-0a1b2c3d4e5f"
SAMPLES = {
    "school": "1066350177",
    "code": "1066350177",
    "round": "2564-2",
    "round_name": "2564-2",
    "esa": "6602",
    "number": "7",
    "case": CASE,
    "export_id": CASE,
}


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Flask]:
    made: dict[str, Flask] = {}

    def of(name: str) -> Flask:
        if name not in made:
            made[name] = build(name, tmp_path_factory.mktemp("routes"))
        return made[name]

    return of


def _address(rule: Rule) -> str:
    """The rule's pattern with something plausible in each place."""
    return access.address(rule.rule, SAMPLES)


def _public(name: str) -> set[str]:
    """The rules that answer to a stranger."""
    return {
        route.partition(" ")[2] for route, roles in access.decisions(name).items() if access.PUBLIC in roles
    }


@pytest.mark.parametrize("name", tree.ALL)
def test_every_route_has_a_decision_who_may_enter(application: Callable[[str], Flask], name: str) -> None:
    there, decided = {route for *_, route in views(application(name))}, access.decisions(name)
    assert not there - set(decided), "say in access.toml who may enter"
    assert not set(decided) - there, "access.toml decides on what is not there"
    odd = [r for r, roles in decided.items() if roles != {access.PUBLIC} and not roles <= {*access.ASKING}]
    assert not odd, "no such role"
    assert all(decided.values()), "a route that nobody may enter needs no route"


@pytest.mark.parametrize("name", tree.ALL)
def test_the_table_of_routes_sends_every_address_to_its_service(
    application: Callable[[str], Flask], name: str
) -> None:
    astray = {
        f"{method} {rule.rule}": owner
        for rule, method, _ in views(application(name))
        if rule.rule not in PROCESS
        and (owner := owner_of(method, _address(rule))) != (None if _internal(rule) else name)
    }
    assert not astray, "gateway/routes.py sends these elsewhere"


def _internal(rule: Rule) -> bool:
    return rule.rule.startswith("/internal/")


@pytest.mark.parametrize("name", tree.ALL)
def test_every_view_asks_who_is_there(application: Callable[[str], Flask], name: str) -> None:
    app = application(name)
    open_to_all = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "is_public", False)
        and not getattr(app.view_functions[rule.endpoint], "is_guarded", False)
    }
    assert open_to_all == _public(name), "make public only what must answer to a stranger"


@pytest.mark.parametrize("name", tree.ALL)
def test_a_stranger_gets_nothing_from_a_guarded_view(application: Callable[[str], Flask], name: str) -> None:
    app = application(name)
    client, public = app.test_client(), _public(name)
    for rule, method, _ in views(app):
        if rule.rule in public:
            continue
        answer = client.open(_address(rule), method=method)
        if name == "portal":
            assert answer.status_code in (302, 400), f"{method} {rule.rule}: to sign-in, or no form of ours"
        else:
            assert answer.status_code == 401, f"{method} {rule.rule}"
            assert answer.get_json()["type"] == "/problems/token-missing"
            forged = client.open(_address(rule), method=method, headers={"Authorization": "Bearer x.y.z"})
            assert forged.status_code == 401, f"{method} {rule.rule}"


def test_nothing_internal_is_reachable_from_outside() -> None:
    assert owner_of("GET", "/internal/v1/rounds/2564-2/extracts") is None
    assert owner_of("POST", "/internal/") is None


def test_every_row_of_the_table_is_used(application: Callable[[str], Flask]) -> None:
    asked = [
        (method, _address(rule))
        for name in tree.ALL
        for rule, method, _ in views(application(name))
        if rule.rule not in PROCESS
    ]
    first = {next((r for r in ROUTES if r.matches(method, address)), None) for method, address in asked}
    idle = [f"{route.pattern} {sorted(route.methods)}" for route in ROUTES if route not in first]
    assert not idle, "rows that no service answers, or that an earlier row hides"


@pytest.mark.parametrize("name", tree.ALL)
def test_the_edge_asks_for_a_token_wherever_the_service_does(
    application: Callable[[str], Flask], name: str
) -> None:
    public = _public(name)
    apart = [
        what
        for rule, method, what in views(application(name))
        for route in [next((r for r in ROUTES if r.matches(method, _address(rule))), None)]
        if route is not None and route.guarded == (rule.rule in public)
    ]
    assert not apart, "gateway/routes.py and access.toml do not agree"


def test_uploads_queue_apart_from_acts_and_reads() -> None:
    roster = "/api/v1/rounds/2564-2/schools/1066350177/roster"
    classes = {
        method: next(r for r in ROUTES if r.matches(method, roster)).queue for method in ("GET", "PUT")
    }
    assert classes == {"GET": "read", "PUT": "upload"}


@pytest.mark.parametrize("act", ["confirmation", "certification", "acknowledgement", "cancellation"])
def test_acts_have_a_class_of_their_own(act: str) -> None:
    path = f"/api/v1/rounds/2564-2/schools/1066350177/{act}"
    assert next(r for r in ROUTES if r.matches("POST", path)).queue == "act"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/rounds/2564-2/schools/1066350177/roster/../../../../../internal/v1/x",
        "//internal/v1/rounds",
        "/api/v1/uploads",
        "/api/v1/nothing-here",
    ],
)
def test_a_crooked_address_finds_no_inner_door(path: str, application: Callable[[str], Flask]) -> None:
    owner = owner_of("GET", path)
    assert owner is not None
    answer = application(owner).test_client().get(path)
    assert answer.status_code in (302, 308, 401, 404)


def test_every_row_is_an_address_of_the_interface() -> None:
    odd = [route.pattern for route in ROUTES if not route.pattern.startswith(("/api/v1/", "/.well-known/"))]
    assert not odd
