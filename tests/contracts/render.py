"""An event's declaration as JSON Schema (draft 2020-12), and whether one schema only extends another.

Unknown properties are allowed: a newer producer may send more than an older consumer knows.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from typing import Any

from services.contracts.event import Declaration

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(declaration: Declaration) -> dict[str, Any]:
    """The schema of an event's fields, titled by its type."""
    about = " ".join(inspect.cleandoc(declaration.cls.__doc__ or "").split())
    return {
        "$schema": DIALECT,
        "title": declaration.type,
        "description": about,
        **_object(declaration.cls),
    }


def _object(cls: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    required = [
        f.name
        for f in fields
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    properties = {f.name: _of(hints[f.name]) for f in fields}
    return {"type": "object", "properties": properties, "required": required}


def _of(kind: Any) -> dict[str, Any]:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [{"type": "null"} if one is type(None) else _of(one) for one in args]}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _object(kind)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return {"type": "array", "items": _of(args[0])}
    if origin is dict or kind is dict:
        return {"type": "object"}
    if kind in SCALARS:
        return {"type": SCALARS[kind]}
    raise TypeError(f"{kind} is not a type an event's field may have")


def broken_by(stored: dict[str, Any], rendered: dict[str, Any], where: str = "") -> list[str]:
    """What of `rendered` would break a consumer or a message of the time of `stored`; [] for a compatible extension."""
    faults = [f"{where or 'the event'} was {stored.get('type')}, is {rendered.get('type')}"]
    if stored.get("type") != rendered.get("type"):
        return faults
    if "anyOf" in stored or "anyOf" in rendered:
        same = stored.get("anyOf") == rendered.get("anyOf")
        return [] if same else [f"{where} was retyped"]
    if "items" in stored:
        return broken_by(stored["items"], rendered["items"], f"{where}[]")
    return _properties_broken(stored, rendered, where)


def _properties_broken(stored: dict[str, Any], rendered: dict[str, Any], where: str) -> list[str]:
    before, now = stored.get("properties", {}), rendered.get("properties", {})
    faults = [f"{where}.{name} was removed" for name in before if name not in now]
    stricter = set(rendered.get("required", ())) - set(stored.get("required", ()))
    faults += [f"{where}.{name} has no default" for name in sorted(stricter)]
    for name in before.keys() & now.keys():
        faults += broken_by(before[name], now[name], f"{where}.{name}")
    return faults
