"""Whether one JSON Schema of an event only extends another."""

from __future__ import annotations

from typing import Any


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
