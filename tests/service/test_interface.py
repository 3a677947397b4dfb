"""Every service and the portal, asked at random what their documents of the interface allow and what they do not, in every
role: no answer is 5xx, and none is one that the document does not tell of.

The same requests every time. Longer, and through the edge: tests/stack/test_interface.py (`make fuzz`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from schemathesis import Case

from deploy.documents import openapi
from deploy.documents.openapi.building import path_of, place
from gateway.portal.app import SERVICE as PORTAL
from tests.support import access, interface
from tests.support.bench import Bench
from tests.support.scenes import Scene, scene
from tests.support.tokens import bearer

EXAMPLES = 10
UNKNOWN = {"Authorization": "Bearer x.y.z"}


def _scene(name: str, bench: Callable[..., Bench], keys: Path) -> Scene:
    if name != "portal":
        return scene(name, bench, keys)
    return Scene(bench=bench(PORTAL, parts={"proxies": 0}), school="1066350177", esa="6602", values={})


def _known(there: Scene) -> interface.Known:
    bodies = {}
    for route, sent in there.sent.items():
        method, _, rule = route.partition(" ")
        bodies[f"{method} {path_of(rule)}"] = _body(sent)
    values = {place(name): value for name, value in there.values.items()}
    return interface.Known(values=values, tag=there.tag, bodies=bodies)


def _body(sent: Mapping[str, Any]) -> tuple[str, Any]:
    if "json" in sent:
        return "application/json", sent["json"]
    return sent.get("content_type", "text/tab-separated-values"), sent["data"]


def _people(there: Scene, entering: frozenset[str]) -> list[dict[str, str]]:
    """Whoever may enter, twice for each who may not, or shows nothing, or what is no token."""
    grants = access.grants(there.school, there.esa)
    tokens = {role: bearer(there.bench.keys, role, grants[role], stepped_up=True) for role in access.ASKING}
    inside = [tokens[role] for role in access.ASKING if role in entering]
    outside = [tokens[role] for role in access.ASKING if role not in entering]
    return [who for other in [*outside, {}, UNKNOWN] for who in (*inside, other)] or [{}]


@pytest.mark.parametrize("name", openapi.NAMES)
def test_no_answer_is_a_surprise(name: str, bench: Callable[..., Bench], keys: Path) -> None:
    there, decided = _scene(name, bench, keys), access.decisions(name)
    routes = {f"{route.partition(' ')[0]} {path_of(route.partition(' ')[2])}": route for route in decided}
    statuses: set[int] = set()
    faults: list[str] = []
    for operation in interface.operations(openapi.document(name)):
        people = _people(there, decided[routes[operation.label]])

        def send(case: Case, number: int, people: list[dict[str, str]] = people) -> None:
            case.headers.update(people[number % len(people)])
            answer = case.call(app=there.bench.app, buffered=True)
            statuses.add(answer.status_code)
            faults.extend(interface.faults_of(case, answer))

        interface.ask(operation, _known(there), EXAMPLES, send)
    assert not faults, "\n" + "\n".join(faults)
    assert 200 in statuses
    assert len(statuses) >= 3, "the requests reach nothing"


def test_an_answer_that_the_document_does_not_tell_of_is_a_fault(bench: Callable[..., Bench]) -> None:
    """Of a document that leaves out a status, and has a shape that is not the answer's."""
    app = bench(PORTAL, parts={"proxies": 0}).app
    document = openapi.document("portal")
    del document["paths"]["/api/v1/tokens"]["post"]["responses"]["422"]
    document["components"]["schemas"]["Keys"]["required"].append("more")
    told: dict[str, set[str]] = {}
    for operation in interface.operations(document):

        def send(case: Case, _: int, label: str = operation.label) -> None:
            faults = interface.faults_of(case, case.call(app=app, buffered=True))
            told.setdefault(label, set()).update(fault[:3] for fault in faults)

        interface.ask(operation, interface.Known(values={}, tag=""), EXAMPLES, send)
    assert told.pop("POST /api/v1/tokens") == {"422"}
    assert told.pop("GET /.well-known/jwks.json") == {"200"}
    assert not any(told.values())
