"""Typed reading of tables that people write (TOML) or other services send (JSON), with faults that name the place.

Dates and times may be TOML's own or ISO texts, so that a file and an event are read by the same code. Not here: what
the values mean.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any


class TypedTable:
    """One table, `where` it stands, and the exception its faults are raised as."""

    def __init__(self, data: object, where: str, fault: type[ValueError]) -> None:
        self.where, self._fault = where, fault
        if not isinstance(data, Mapping):
            raise fault(f"{where}: should be a table")
        self._data: Mapping[str, Any] = data

    def within(self, where: str) -> TypedTable:
        """The same table under a more telling name."""
        return TypedTable(self._data, where, self._fault)

    def wrong(self, text: str) -> ValueError:
        """The exception to raise for this table."""
        return self._fault(f"{self.where}: {text}")

    def has(self, key: str) -> bool:
        return self._data.get(key) is not None

    def only(self, keys: Iterable[str]) -> None:
        """Refuse fields nobody reads: they are misspelt."""
        unknown = sorted(set(self._data) - set(keys))
        if unknown:
            raise self.wrong(f"unknown field {', '.join(unknown)}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there and not be empty."""
        if default is not None and key not in self._data:
            return default
        value = self._data.get(key)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.wrong(f"{key} should be a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._data.get(key)
        if not isinstance(value, (list, tuple)) or not value or not all(isinstance(v, str) for v in value):
            raise self.wrong(f"{key} should be a list of texts")
        return tuple(value)

    def number(self, key: str, *, least: int = 0) -> int:
        value = self._data.get(key)
        if type(value) is not int or value < least:
            raise self.wrong(f"{key} should be a whole number from {least}")
        return value

    def flag(self, key: str) -> bool:
        value = self._data.get(key)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} should be true or false")
        return value

    def one_of(self, key: str, choices: Iterable[str]) -> str:
        allowed = tuple(choices)
        value = self._data.get(key)
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(f"{key} should be one of {', '.join(allowed)}")
        return value

    def date(self, key: str) -> dt.date:
        value = self._data.get(key)
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        try:
            return dt.date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            raise self.wrong(f"{key} should be a date like 2021-11-10") from None

    def time(self, key: str) -> dt.time | None:
        """A time of day without zone, or None where the field is not given."""
        value = self._data.get(key)
        if value is None:
            return None
        try:
            found = value if isinstance(value, dt.time) else dt.time.fromisoformat(value)
        except (TypeError, ValueError):
            raise self.wrong(f"{key} should be a time of day like 08:30:00") from None
        if found.tzinfo is not None:
            raise self.wrong(f"{key} is a time of day in Asia/Bangkok and carries no zone")
        return found

    def moment(self, key: str) -> dt.datetime:
        """A point in time with its offset."""
        value = self._data.get(key)
        try:
            found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value or "")
        except (TypeError, ValueError):
            raise self.wrong(f"{key} should be a time like 2021-11-12T16:30:00+07:00") from None
        if found.tzinfo is None:
            raise self.wrong(f"{key} should carry its offset, like +07:00")
        return found

    def table(self, key: str) -> TypedTable:
        return TypedTable(self._data.get(key), f"{self.where}.{key}", self._fault)

    def tables(self, key: str) -> tuple[TypedTable, ...]:
        """The tables of a non-empty list, numbered from 1 until they get a better name."""
        value = self._data.get(key)
        if not isinstance(value, (list, tuple)) or not value:
            raise self.wrong(f"{key} should be a list of tables")
        return tuple(
            TypedTable(item, f"{self.where}.{key}[{number}]", self._fault)
            for number, item in enumerate(value, start=1)
        )
