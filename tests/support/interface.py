"""Requests that schemathesis makes of the documents of the interface, with what is really there put into some of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
"""No answer 5xx, none that the document does not tell of: status, kind of content, headers, shape of the body."""
PARTLY = [checks.response_schema_conformance]
"""Not asked of a part of a document: it has no shape."""
SEED = 2564


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is really there: `values` for the places of an address, `tag` of a version, `bodies` by operation:
    kind of content, content."""

    values: Mapping[str, str]
    tag: str
    bodies: Mapping[str, tuple[str, Any]] = field(default_factory=dict)


def operations(document: dict[str, Any]) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Every operation of an OpenAPI document, as schemathesis reads it."""
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        yield result.ok()


def ask(
    operation: APIOperation[Any, Any, Any, Any],
    known: Known,
    examples: int,
    send: Callable[[Case, int], None],
) -> None:
    """Send so many requests, the same every time, as the document allows them and as it does not, to what is there and
    to what is not; `send` also gets each one's number, from 0."""
    numbers = itertools.count()

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_cases(operation, known))
    def every(case: Case) -> None:
        send(case, next(numbers))

    every()


def faults_of(case: Case, answer: Any) -> list[str]:
    """What of an answer the document does not tell of, and whether it is 5xx; [] for a sound one."""
    try:
        case.validate_response(
            answer, checks=CHECKS, excluded_checks=PARTLY if answer.status_code == 206 else []
        )
    except FailureGroup as found:
        shown = {name: value for name, value in case.headers.items() if name != "Authorization"}
        asked = f"{case.method} {case.formatted_path} {case.query} {shown} {str(case.body)[:200]!r}"
        return [
            f"{answer.status_code} to {asked}: {' '.join(str(one).split())[:400]}" for one in found.exceptions
        ]
    return []


def _cases(operation: APIOperation[Any, Any, Any, Any], known: Known) -> st.SearchStrategy[Case]:
    names = {one.name for one in operation.path_parameters} & set(known.values)
    there: dict[str, Any] = {"path_parameters": {name: known.values[name] for name in names}} if names else {}
    tagged = there | ({"headers": {"If-Match": f'"{known.tag}"'}} if "If-Match" in operation.headers else {})
    kinds = [operation.as_strategy(**tagged), operation.as_strategy(**there), operation.as_strategy()]
    if operation.label in known.bodies:
        media, body = known.bodies[operation.label]
        kinds.append(operation.as_strategy(**tagged, body=body, media_type=media))
    if any((operation.path_parameters, operation.query, operation.body)):
        kinds.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    return st.one_of(kinds)
