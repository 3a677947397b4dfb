"""Events declared once: the registry, and turning an event into JSON and back.

An event is a frozen, keyword-only dataclass decorated with its type name and its consumers. The type
`<service>.<noun>.<past verb>.v<n>` is also the routing key. Compatibility rule: a new field has a default;
removing or retyping a field needs v<n+1>. Not here: the envelope around an event, and how it is delivered.
"""

from __future__ import annotations

import builtins
import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, dataclass_transform

TYPE_NAME = re.compile(r"[a-z]+\.[a-z-]+\.[a-z]+\.v[1-9][0-9]*")
E = TypeVar("E")


class EventMismatch(ValueError):
    """The body is not what the event's declaration says; the text names the field, never a value."""


@dataclasses.dataclass(frozen=True, slots=True)
class Declaration:
    """What is known of an event type: its class, who consumes it, and whether a document rides as the body."""

    type: str
    cls: builtins.type[Any]
    consumers: tuple[str, ...]
    document: bool

    @property
    def producer(self) -> str:
        return self.type.split(".", 1)[0]


REGISTRY: dict[str, Declaration] = {}
_BY_CLASS: dict[type[Any], Declaration] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(
    type_name: str, *, consumers: tuple[str, ...], document: bool = False
) -> Callable[[type[E]], type[E]]:
    """Declare an event. `document=True`: the body is a stored document named by the field `sha256`
    (text/csv, zstd) and the fields ride in the header `about`."""
    if not TYPE_NAME.fullmatch(type_name):
        raise ValueError(f"{type_name} is not <service>.<noun>.<past verb>.v<n>")

    def declare(cls: type[E]) -> type[E]:
        made = dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)
        declaration = Declaration(type_name, made, consumers, document)
        if type_name in REGISTRY:
            raise ValueError(f"{type_name} is declared twice")
        if document and "sha256" not in typing.get_type_hints(made):
            raise ValueError(f"{type_name} carries a document but has no field sha256")
        REGISTRY[type_name] = declaration
        _BY_CLASS[made] = declaration
        return made

    return declare


def declaration_of(body: object) -> Declaration:
    """The declaration of an event instance or class; KeyError if it is none."""
    return _BY_CLASS[body if isinstance(body, type) else type(body)]


def to_plain(value: Any) -> Any:
    """An event (or part of one) as JSON-able dicts, lists and scalars."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def from_plain(cls: type[E], data: object) -> E:
    """Rebuild a declared event or nested dataclass from `to_plain`'s output.

    Unknown fields are ignored (a newer producer may send them); a missing field without a default or a
    wrong type raises EventMismatch.
    """
    built: E = _build(cls, data, cls.__name__)
    return built


def _build(kind: Any, data: Any, where: str) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None and type(None) in args:
            return None
        return _build(next(a for a in args if a is not type(None)), data, where)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _build_dataclass(kind, data, where)
    if origin is tuple:
        _expect(isinstance(data, (list, tuple)), where, "a list")
        return tuple(_build(args[0], item, f"{where}[]") for item in data)
    if origin is dict or kind is dict:
        _expect(isinstance(data, dict), where, "an object")
        return dict(data)
    if kind is Any:
        return data
    return _build_scalar(kind, data, where)


def _build_scalar(kind: Any, data: Any, where: str) -> Any:
    if kind is float and type(data) is int:
        return float(data)
    _expect(type(data) is kind, where, kind.__name__)
    return data


def _build_dataclass(cls: type[Any], data: Any, where: str) -> Any:
    _expect(isinstance(data, dict), where, "an object")
    hints = _hints(cls)
    given: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.name in data:
            given[field.name] = _build(hints[field.name], data[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise EventMismatch(f"{where}.{field.name} is missing")
    return cls(**given)


_HINTS: dict[type[Any], dict[str, Any]] = {}


def _hints(cls: type[Any]) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def _expect(condition: bool, where: str, what: str) -> None:
    if not condition:
        raise EventMismatch(f"{where} should be {what}")
