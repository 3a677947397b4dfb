"""The decisions of tests/architecture/access.toml, and people and addresses with which the applications are asked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

from services.contracts.access import AREA, CLERK, DIRECTOR, HQ, NATION, ROLES

TABLE = Path(__file__).parents[1] / "architecture" / "access.toml"
PUBLIC, SIGNED_IN, EXPORT = "public", "signed-in", "export"
ASKING = (*ROLES, EXPORT)
"""Every kind of token there is."""


def decisions(service: str) -> dict[str, frozenset[str]]:
    """ "METHOD rule" → the roles decided for it, all of ASKING for `signed-in`; {PUBLIC} where nobody is asked."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {route: _roles(text) for route, text in (table["every"] | table[service]).items()}


def _roles(text: str) -> frozenset[str]:
    return frozenset(ASKING if text == SIGNED_IN else text.split())


def views(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """(rule, method, "METHOD rule") of everything the application answers."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method, f"{method} {rule.rule}"


def address(rule: str, values: Mapping[str, str]) -> str:
    """The rule's pattern with these values in its places, "some-name" where there is none."""

    def value(place: re.Match[str]) -> str:
        return values.get(place[1].rpartition(":")[2], "some-name")

    return re.sub(r"<([^<>]+)>", value, rule)


def grants(school: str, esa: str) -> dict[str, tuple[str, str]]:
    """Role → its grant over this school, this area or the nation."""
    scopes = {CLERK: school, DIRECTOR: school, AREA: esa}
    return {role: (role, scopes.get(role, NATION)) for role in ROLES} | {EXPORT: ("service", EXPORT)}


def strangers(school: str, esa: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Who has nothing to do with the school and the area: those of others, and grants whose scope is not their role's."""
    far_school, far_esa = "1063400001", "6301"
    assert (school, esa) != (far_school, far_esa)
    return {
        "another school's clerk": ((CLERK, far_school),),
        "another school's director": ((DIRECTOR, far_school),),
        "another area's officer": ((AREA, far_esa),),
        "a clerk of the nation": ((CLERK, NATION),),
        "an officer of all areas": ((AREA, NATION),),
        "a clerk of the area": ((CLERK, esa),),
        "an officer of the school": ((AREA, school),),
        "headquarters of one area": ((HQ, esa),),
        "another service": (("service", "intake"),),
        "nobody in particular": (),
    }
