"""The rates of an academic year's subsidy per head, read from `deploy/rates/<year>.toml`; each says how sure it is.

Whole baht only. Not here: multiplying them with pupils (`budget.py`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.contracts.roster.codes import grade as grade_of
from services.contracts.roster.codes import grades
from services.contracts.typed_table import TypedTable

Certainty = Literal["verified", "derived", "recall"]
CERTAINTIES: tuple[Certainty, ...] = ("verified", "derived", "recall")
"""Read in a document of the year; computed from a document; general knowledge that needs checking."""

LEVELS = ("K", "P", "M1_3", "M4_6", "V")
PER = ("term", "year")


class RatesFault(ValueError):
    """A file of rates that cannot be used; the text names the item and the field."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Baht per counted pupil, each time the item is paid; `source` is the text of the source, not its key."""

    baht: int
    certainty: Certainty
    source: str


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of money. `per` term: paid on both terms' counts; year: once, on the count of term 1. `by_grade` has
    a rate for every grade."""

    key: str
    th: str
    en: str
    per: str
    by_grade: Mapping[str, Rate]


@dataclass(frozen=True, slots=True)
class TopUp:
    """More for each pupil of `levels` where the school counts at most `up_to` of them; applied only if `enabled`."""

    key: str
    th: str
    en: str
    per: str
    levels: tuple[str, ...]
    up_to: int
    rate: Rate
    enabled: bool


@dataclass(frozen=True, slots=True)
class Rates:
    """All rates of one academic year (Buddhist era), and the notes on how each term is paid out."""

    academic_year: int
    items: tuple[Item, ...]
    top_ups: tuple[TopUp, ...]
    payment: Mapping[int, str]


def load_rates(path: Path) -> Rates:
    """The rates of one file. Raises RatesFault for what cannot be used (also a grade without a rate), and OSError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise RatesFault(f"{path.name}: not readable as TOML ({problem})") from None
    file = TypedTable(raw, path.name, RatesFault)
    file.only(("academic_year", "payment", "source", "item", "top_up"))
    sources = file.table("source")
    rates = Rates(
        academic_year=file.number("academic_year", least=2400),
        items=tuple(_item(given, sources) for given in file.tables("item")),
        top_ups=tuple(_top_up(given, sources) for given in file.tables("top_up"))
        if file.has("top_up")
        else (),
        payment={term: file.table("payment").text(f"term_{term}") for term in (1, 2)},
    )
    keys = [*(item.key for item in rates.items), *(top_up.key for top_up in rates.top_ups)]
    if len(set(keys)) != len(keys):
        raise file.wrong("two items have the same key")
    return rates


def _item(given: TypedTable, sources: TypedTable) -> Item:
    given.only(("key", "th", "en", "per", "rates"))
    key = given.text("key")
    given = given.within(key)
    by_grade: dict[str, Rate] = {}
    for entry in given.tables("rates"):
        entry.only(("level", "grade", "baht", "certainty", "source"))
        for label in _grades_meant(entry):
            if label in by_grade:
                raise given.wrong(f"two rates for {label}")
            by_grade[label] = _rate(entry, sources)
    missing = [grade.label for grade in grades() if grade.label not in by_grade]
    if missing:
        raise given.wrong(f"no rate for {', '.join(missing)}")
    return Item(key, given.text("th"), given.text("en"), given.one_of("per", PER), by_grade)


def _grades_meant(entry: TypedTable) -> Iterator[str]:
    if entry.has("level") == entry.has("grade"):
        raise entry.wrong("should have either level or grade")
    if entry.has("level"):
        level = entry.one_of("level", LEVELS)
        yield from (grade.label for grade in grades() if grade.level == level)
        return
    label = entry.text("grade")
    if grade_of(label) is None:
        raise entry.wrong("grade is no grade of the code table")
    yield label


def _top_up(given: TypedTable, sources: TypedTable) -> TopUp:
    given.only(
        ("key", "th", "en", "per", "levels", "up_to", "baht", "certainty", "source", "enabled"),
    )
    levels = given.texts("levels")
    if not set(levels) <= set(LEVELS):
        raise given.wrong(f"levels should be of {', '.join(LEVELS)}")
    return TopUp(
        key=given.text("key"),
        th=given.text("th"),
        en=given.text("en"),
        per=given.one_of("per", PER),
        levels=levels,
        up_to=given.number("up_to", least=1),
        rate=_rate(given, sources),
        enabled=given.flag("enabled"),
    )


def _rate(given: TypedTable, sources: TypedTable) -> Rate:
    chosen = given.one_of("certainty", CERTAINTIES)
    certainty = next(known for known in CERTAINTIES if known == chosen)
    return Rate(given.number("baht", least=1), certainty, sources.text(given.text("source")))
