"""A plausible value for each field an event may have, by the field's name; a new name needs a line here."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any

from services.contracts.calendar import load
from services.contracts.event import Declaration
from services.contracts.statements import Seal
from tests.architecture.tree import ROOT

SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
AT = "2021-11-10T09:12:30+07:00"
SAMPLES: dict[str, Any] = {
    "act": "confirm",
    "answer": "ours",
    "at": AT,
    "buildings": 7,
    "case": "6b1f7d0e-6f57-4c8e-9d7e-0a1b2c3d4e5f",
    "closure": "0d6f4f6e-58f4-4a52-8ad8-6d2f5f6e1c11",
    "code": "1066350177",
    "compared_with": 29578,
    "correlation": "request-of-a-clerk",
    "counted": 20113,
    "decision": "",
    "esa": "6602",
    "level": "school",
    "levels": "อ.1-ป.6",
    "line": 17,
    "manifest_sha256": SHA,
    "name": "โรงเรียนตัวอย่างวิทยา",
    "opened_at": AT,
    "package": "4f0f4c52-96f0-4cf9-9b0c-0b5c3f1d2e77",
    "part": 0,
    "parts": 1,
    "province": "พิจิตร",
    "pupils": 220,
    "reason": "duplicate-undecided",
    "revision": 1636510350123,
    "root": SHA,
    "round": "2564-2",
    "rows": 20113,
    "school": "1066350177",
    "schools": 123,
    "sentence": "เด็กมาเรียนทุกวันตั้งแต่เปิดภาคเรียน",
    "sha256": SHA,
    "smis8": "66020001",
    "state": "confirmed",
    "trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}
OVERRIDES: dict[tuple[str, str], Any] = {
    ("AreaRegistered", "name"): "สพป.พิจิตร เขต 2",
    ("CaseChanged", "state"): "open",
}
SEALED = Seal(
    round="2564-2",
    root=SHA,
    schools=123,
    pupils=20144,
    counted=20113,
    closed_at="2021-11-12T10:00:00+07:00",
    manifest_sha256=SHA,
    format=1,
    extracts=SHA,
)
SEAL = {"payload": SEALED.payload(), "kid": "0011223344556677", "alg": "EdDSA", "signature": "AA"}
EXTENSION = {"activity": "confirm", "school": "1066350177", "until": "2021-11-11T16:30:00+07:00"}


class NoSample(KeyError):
    """An event has a field whose name this module does not know."""


@functools.cache
def _plan() -> dict[str, Any]:
    plans = load(ROOT / "deploy/calendars/2564.toml")
    return next(plan for plan in plans if plan.name == "2564-2").to_plain()


def example_of(declaration: Declaration) -> dict[str, Any]:
    """The fields of an event of this type, as a producer would send them. Raises NoSample."""
    return _fields(declaration.cls)


def _fields(cls: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {
        field.name: OVERRIDES.get((cls.__name__, field.name)) or _value(field.name, hints[field.name])
        for field in dataclasses.fields(cls)
    }


def _value(name: str, kind: Any) -> Any:
    special = {"plan": _plan, "extensions": lambda: [EXTENSION], "seal": lambda: SEAL}
    if name in special:
        return special[name]()
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return _value(name, next(one for one in typing.get_args(kind) if one is not type(None)))
    if typing.get_origin(kind) is tuple:
        item = typing.get_args(kind)[0]
        return [_value("school" if item is str else name, item)]
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _fields(kind)
    if name not in SAMPLES or type(SAMPLES[name]) is not kind:
        raise NoSample(f"give the field {name} a sample in tests/contracts/samples.py")
    return SAMPLES[name]
