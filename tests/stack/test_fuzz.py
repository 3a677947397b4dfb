"""Everything reachable from outside, asked through the edge at random, in every role: no answer is 5xx, and none is one
that the document of the interface does not tell of. Run by `make fuzz` only: it asks for whatever can be asked, closing the
round too.
"""

from __future__ import annotations

import os
from itertools import groupby
from typing import Any

import pytest
import requests
from schemathesis import Case

from deploy.documents import openapi
from tests.stack.conftest import Scene
from tests.support import interface

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(7200)]
EXAMPLES = int(os.environ.get("TABIAN_TEST_EXAMPLES", "200"))
ROUND = "2564-2"


def _known(scene: Scene, code: str) -> interface.Known:
    """A school that is ready to confirm."""
    shown = scene.ready(code)
    one = "/api/v1/rounds/{round}/schools/{school}"
    return interface.Known(
        values={"round": ROUND, "school": code, "upload": shown["current_upload"]},
        tag=shown["sha256"],
        bodies={
            f"PUT {one}/roster": ("text/csv", scene.roll(code)),
            f"POST {one}/certification": ("application/json", {"statement": shown["statement"]["th"]}),
            f"POST {one}/cancellation": ("application/json", {"reason": "ตรวจพบข้อผิดพลาด"}),
            "POST /api/v1/rounds": ("application/json", {"round": ROUND}),
        },
    )


def _tokens(scene: Scene, code: str) -> list[dict[str, str]]:
    """Headers of one person in each role, just signed in, of nobody, and of somebody with what is no token."""
    people = scene.people
    area = people.areas[people.truth.schools[code].esa]
    everybody = [people.clerks[code], people.directors[code], area, people.hq, scene.stage.person("ops")]
    for one in everybody:
        one.sign_in(step_up=True)
    return [*(one.bearer() for one in everybody), {}, {"Authorization": "Bearer x.y.z"}]


def _service(operation: Any) -> str:
    return str(operation.definition.raw["tags"][0])


def test_no_answer_through_the_edge_is_a_surprise(scene: Scene) -> None:
    (code,) = scene.take(1)
    known, faults, statuses = _known(scene, code), [], set()
    trusted = str(scene.stack.secrets / "edge.crt")
    with requests.Session() as session:
        for _, operations in groupby(interface.operations(openapi.whole()), _service):
            people = _tokens(scene, code)

            def send(case: Case, number: int, people: list[dict[str, str]] = people) -> None:
                case.headers.pop("Authorization", None)
                case.headers.update(people[number % len(people)])
                answer = case.call(base_url=scene.stack.address, session=session, verify=trusted)
                statuses.add(answer.status_code)
                faults.extend(interface.faults_of(case, answer))

            for operation in operations:
                interface.ask(operation, known, EXAMPLES, send)
    assert not faults, "\n" + "\n".join(faults)
    assert statuses >= {200, 202, 401, 403, 404, 409, 422}
