"""Code tables: what a label of a roster file means and which code the exchange with EDC and ONEC wants for it. The
tables are data (`deploy/codes/*.toml`), since the ministry changes them from year to year."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

Level = Literal["K", "P", "M1_3", "M4_6", "V"]

_DIRECTORY = Path(__file__).parents[3] / "deploy" / "codes"


@dataclass(frozen=True, slots=True)
class CodeValue:
    """One value: `label` as rosters carry it, `code` for EDC and `onec` for ONEC (empty when none is known)."""

    label: str
    code: str = ""
    onec: str = ""
    sex: str = ""
    level: str = ""
    certainty: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One table in its own order; `labels` are the values a stored roster may hold."""

    name: str
    th: str
    en: str
    source: str
    certainty: str
    values: tuple[CodeValue, ...]
    labels: Mapping[str, CodeValue]
    spellings: Mapping[str, str]

    def code(self, label: str) -> str:
        """The EDC code of a label, empty where no code is known; KeyError for a label outside the table."""
        return self.labels[label].code

    def label(self, text: str) -> str | None:
        """The label meant by a spelling (label or alias; blanks and letter case do not matter), None if unknown."""
        return self.spellings.get(folded(text))


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade: `order` counts from 0 (อ.1) upward, `level` is the budget's level, `code` EDC's grade code."""

    label: str
    order: int
    level: Level
    code: str


def folded(text: str) -> str:
    """The form under which spellings are compared: no blanks, lower case."""
    return "".join(text.split()).lower()


def _value(raw: Mapping[str, Any], certainty: str) -> CodeValue:
    return CodeValue(
        label=raw["label"],
        code=raw.get("code", ""),
        onec=raw.get("onec", ""),
        sex=raw.get("sex", ""),
        level=raw.get("level", ""),
        certainty=raw.get("certainty", certainty),
        aliases=tuple(raw.get("aliases", ())),
    )


def _table(name: str, raw: Mapping[str, Any]) -> CodeTable:
    values = tuple(_value(value, raw["certainty"]) for value in raw["values"])
    spellings = {folded(alias): value.label for value in values for alias in value.aliases}
    spellings |= {folded(value.label): value.label for value in values}
    return CodeTable(
        name=name,
        th=raw["th"],
        en=raw["en"],
        source=raw["source"],
        certainty=raw["certainty"],
        values=values,
        labels=MappingProxyType({value.label: value for value in values}),
        spellings=MappingProxyType(spellings),
    )


@cache
def _tables() -> Mapping[str, CodeTable]:
    found: dict[str, CodeTable] = {}
    for path in sorted(_DIRECTORY.glob("*.toml")):
        for name, raw in tomllib.loads(path.read_text(encoding="utf-8")).items():
            found[name] = _table(name, raw)
    return MappingProxyType(found)


def tables() -> Mapping[str, CodeTable]:
    """All code tables by name, read once from `deploy/codes/`."""
    return _tables()


def table(name: str) -> CodeTable:
    """The code table called `name`; KeyError if there is none."""
    return _tables()[name]


@cache
def grades() -> tuple[Grade, ...]:
    """All grades from อ.1 to ปวช.3 in school order."""
    values = table("grade").values
    return tuple(Grade(value.label, order, value.level, value.code) for order, value in enumerate(values))  # type: ignore[arg-type]


@cache
def _grades_by_label() -> Mapping[str, Grade]:
    return MappingProxyType({grade.label: grade for grade in grades()})


def grade(label: str) -> Grade | None:
    """The grade with this label, None for a label that is no grade."""
    return _grades_by_label().get(label)
