"""A declared event, or any dataclass of these contracts, as JSON Schema (draft 2020-12).

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
        **object_of(declaration.cls),
    }


def object_of(cls: type[Any]) -> dict[str, Any]:
    """The schema of a dataclass; a field without a default is required."""
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
        return object_of(kind)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return {"type": "array", "items": _of(args[0])}
    if origin is dict or kind is dict:
        return {"type": "object"}
    if kind in SCALARS:
        return {"type": SCALARS[kind]}
    raise TypeError(f"{kind} is not a type an event's field may have")
