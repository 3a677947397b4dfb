"""Putting one service's document together, with apispec, from its application and its own words."""

from __future__ import annotations

import inspect
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from apispec import APISpec
from flask import Flask
from werkzeug.routing import Rule

from deploy.documents.openapi.bodies import Bodies, name_of
from deploy.documents.openapi.refusals import PROBLEM, REQUEST_ID, RESPONSES, component, expected
from deploy.documents.openapi.vocabulary import JSON, Asked, Bytes, Gives, Interface, Operation, Shape
from gateway.cli.service import declared
from gateway.routes import ROUTES, Route
from services.buildings.site import MOST_NUMBER
from services.kit.http import build_app
from services.kit.keys import make_keys
from services.kit.runtime import build_runtime
from services.kit.settings import Settings

_ACCESS: Final = Path(__file__).parents[3] / "tests/architecture/access.toml"
_PLACE: Final = re.compile(r"<(?:([^<>:]+):)?([^<>:]+)>")
_NAMES: Final = {"round_name": "round", "code": "school", "upload_id": "upload", "export_id": "export"}
"""What a place of an address is called in the code → for people."""
_KINDS: Final[Mapping[str, Shape]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER},
}
_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "round": ("a round by its name, as 2564-2 or bobec-2564", r"^[a-z0-9-]{1,20}$"),
    "school": ("a school's 10-digit code", r"^[0-9]{1,10}$"),
    "upload": ("an upload's id", r"^[0-9a-f-]{36}$"),
    "key": ("a pupil's key, as in findings: a keyed hash and no national ID", r"^[0-9a-f-]{1,64}$"),
    "name": ("a file's name", r"^[\w.-]{1,100}$"),
}
PROCESS: Final = ("/healthz", "/readyz")
"""Every process has these; from outside they are the portal's."""


def application(name: str, folder: Path) -> Flask:
    """A service's web application, to look at: it has keys in that folder, and a database that is never asked."""
    make_keys(folder)
    settings = Settings(database_url="postgresql+psycopg://nobody@/none", keys=folder, data=folder / "data")
    return build_app(build_runtime(declared(name), settings, parts={}))


def views(app: Flask, name: str) -> Iterator[tuple[Rule, str, str]]:
    """(rule, method, "METHOD rule") of everything that belongs to the service's interface: pages do not."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        ours = rule.rule.startswith(("/api/v1/", "/internal/v1/", "/.well-known/"))
        if ours or (name == "portal" and rule.rule in PROCESS):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, f"{method} {rule.rule}"


def built(name: str, interface: Interface) -> Shape:
    """The document. Raises KeyError for a route that the interface says nothing of."""
    with tempfile.TemporaryDirectory() as folder:
        app = application(name, Path(folder))
    spec = APISpec(
        title=interface.title,
        version=version("tabian"),
        openapi_version="3.1.0",
        plugins=[Bodies(schema_name_resolver=name_of)],
        info={"description": interface.about, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        servers=[{"url": "/", "description": "the one origin of all services"}],
        security=[{"token": []}],
        tags=[{"name": name, "description": interface.about}],
    )
    for shape, of in {**interface.shapes, "Problem": PROBLEM}.items():
        spec.components.schema(shape, of)
    spec.components.security_scheme("token", _TOKEN)
    roles = _roles(name)
    for rule, method, told in views(app, name):
        operation = interface.operations[told]
        spec.path(
            path=path_of(rule.rule),
            operations={method.lower(): _operation(app, name, (rule, method), operation, roles[told])},
        )
    document: Shape = _plain(spec.to_dict())
    document["components"]["responses"] = {
        name: component(name) for name in RESPONSES if name in _named(document)
    }
    return document


def _named(document: Shape) -> set[str]:
    """The responses that its operations name."""
    operations = (one for item in document["paths"].values() for one in item.values())
    said = (answer.get("$ref", "") for one in operations for answer in one["responses"].values())
    return {ref.rpartition("/")[2] for ref in said}


_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "From POST /api/v1/tokens; ES256, for a quarter of an hour.",
}


def _operation(app: Flask, name: str, asked: tuple[Rule, str], told: Operation, roles: str) -> Shape:
    rule, method = asked
    view = app.view_functions[rule.endpoint]
    public = bool(getattr(view, "is_public", False))
    route = next((route for route in ROUTES if route.matches(method, _sample(rule))), None)
    words = " ".join(inspect.cleandoc(view.__doc__ or "").split())
    refusals: Shape = {**expected(told, route, rule.rule, public=public)}
    answers = {str(status): _gives(one) for status, one in told.gives.items()}
    said: Shape = {
        "operationId": f"{name}-{rule.endpoint.replace('.', '-')}",
        "tags": [name],
        "summary": words.partition(". ")[0].removesuffix("."),
        "description": f"{words}\n\n{_who(roles)}",
        "parameters": [*_places(rule), *_parameters(told)],
        "responses": dict(sorted((refusals | answers).items())),
    }
    body = _body(told, route)
    return said | ({"security": []} if public else {}) | ({"requestBody": body} if body else {})


def _who(roles: str) -> str:
    if roles == "public":
        return "No token is asked for."
    return (
        "Any sound token."
        if roles == "signed-in"
        else f"For: {', '.join(roles.split())}, each in their scope."
    )


def _roles(name: str) -> dict[str, str]:
    """ "METHOD rule" → the roles decided for it."""
    table = tomllib.loads(_ACCESS.read_text(encoding="utf-8"))
    decided: dict[str, str] = table["every"] | table[name]
    return decided


def _places(rule: Rule) -> list[Shape]:
    return [_parameter(kind, place(name)) for kind, name in _PLACE.findall(rule.rule)]


def path_of(rule: str) -> str:
    """A route's rule as the document writes it."""
    return _PLACE.sub(lambda found: "{" + place(found[2]) + "}", rule)


def place(name: str) -> str:
    """What the document calls a place of an address."""
    return _NAMES.get(name, name)


def _parameter(kind: str, name: str) -> Shape:
    about, pattern = _PLACES.get(name, ("", ""))
    shape = _KINDS.get(kind, {"type": "string", "pattern": pattern})
    said = {"name": name, "in": "path", "required": True, "schema": dict(shape)}
    return said | ({"description": about} if about else {})


def _sample(rule: Rule) -> str:
    """An address of the rule, to find its row in the table of routes."""
    return _PLACE.sub("1", rule.rule)


def _parameters(told: Operation) -> list[Shape]:
    return [
        one.parameter() if isinstance(one, Asked) else {"in": "query", "schema": one} for one in told.asks
    ]


def _gives(one: Gives) -> Shape:
    content = {media: {"schema": dict(shape)} for media, shape in one.content.items()}
    return {"description": one.about, "headers": REQUEST_ID | dict(one.headers)} | (
        {"content": content} if content else {}
    )


def _body(told: Operation, route: Route | None) -> Shape | None:
    if told.takes is None:
        return None
    most = f"At most {route.body // 1024} KiB." if route else ""
    if isinstance(told.takes, Bytes):
        content = {media: {"schema": dict(shape)} for media, shape in told.takes.media.items()}
        return {"description": f"{told.takes.about} {most}", "required": True, "content": content}
    return {"description": most, "content": {JSON: {"schema": told.takes}}}


def _plain(value: Any) -> Any:
    """Nothing but dicts, lists and scalars, so that YAML and JSON say the same."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
