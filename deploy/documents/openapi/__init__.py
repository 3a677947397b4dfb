"""The HTTP interfaces as OpenAPI 3.1: `docs/openapi/<service>.yaml` for each service, and all that is reachable from outside
as one document, which the portal shows at `/api/v1/openapi.json`.

Addresses, methods and who must show a token come from the Flask applications, bodies from their marshmallow schemas, limits
and queues from the table of routes, roles from the table of access; the rest stands in one module for each service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from deploy.documents.openapi import buildings, dedup, export, intake, portal, snapshot
from deploy.documents.openapi.building import built
from deploy.documents.openapi.vocabulary import Interface
from deploy.documents.text import yaml_of

INTERFACES: Final[Mapping[str, Interface]] = MappingProxyType(
    {
        "intake": intake.INTERFACE,
        "dedup": dedup.INTERFACE,
        "snapshot": snapshot.INTERFACE,
        "buildings": buildings.INTERFACE,
        "export": export.INTERFACE,
        "portal": portal.INTERFACE,
    }
)
NAMES: Final = tuple(INTERFACES)
_INTERNAL: Final = "/internal/"


def render(name: str) -> str:
    """One service's document as YAML."""
    return yaml_of(document(name))


def render_whole() -> str:
    """The document of everything reachable from outside, as JSON."""
    return json.dumps(whole(), ensure_ascii=False, separators=(",", ":")) + "\n"


def document(name: str) -> dict[str, Any]:
    """One service's document."""
    return built(name, INTERFACES[name])


def whole() -> dict[str, Any]:
    """Every service's addresses but the internal ones, in one document."""
    parts = [document(name) for name in NAMES]
    return {
        "openapi": parts[0]["openapi"],
        "info": parts[0]["info"] | {"title": "Tabian", "description": _WHOLE},
        "servers": parts[0]["servers"],
        "security": parts[0]["security"],
        "tags": [tag for part in parts for tag in part["tags"]],
        "paths": {
            path: item
            for part in parts
            for path, item in part["paths"].items()
            if not path.startswith(_INTERNAL)
        },
        "components": {
            kind: _together([part["components"][kind] for part in parts]) for kind in parts[0]["components"]
        },
    }


_WHOLE: Final = (
    "ระบบรอบจัดเก็บข้อมูลการศึกษาขั้นพื้นฐาน / the data rounds of basic education. Refusals are problem+json with words in Thai"
    " and English. An act that finds no room is answered 503 with a ticket; shown with the same act it counts as arrived"
    " at the first time."
)


def _together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The components of one kind. Raises ValueError where two services mean different things by one name."""
    found: dict[str, Any] = {}
    for part in parts:
        for name, shape in part.items():
            if found.setdefault(name, shape) != shape:
                raise ValueError(f"two services have a {name}, and not the same")
    return found
