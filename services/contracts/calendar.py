"""The calendar of a round: what may be done, by whom, from when to when, and until when for schools given longer.

A plan is read from `deploy/calendars/<year>.toml` once, by the service that opens rounds, and travels to the others
inside an event as plain data. All times are Asia/Bangkok. Not here: what time it is, and what each act requires.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from services.contracts.roster.dates import BUDDHIST_ERA
from services.contracts.typed_table import TypedTable

BANGKOK = ZoneInfo("Asia/Bangkok")

Kind = Literal["roster", "buildings"]
Certainty = Literal["letter", "inferred"]

ACTIVITIES: Mapping[Kind, tuple[str, ...]] = {
    "roster": ("update", "confirm", "certify", "acknowledge", "follow-up", "close", "deliver"),
    "buildings": ("record",),
}
_REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    "roster": ("update", "confirm", "certify", "acknowledge", "close"),
    "buildings": ("record",),
}
ACTORS = ("school", "director", "area", "obec")
CERTAINTIES = ("letter", "inferred")
_NAME = re.compile(r"(?P<bobec>bobec-)?(?P<year>2[4-9][0-9]{2})(?(bobec)|-(?P<part>[12]|end))")


class CalendarFault(ValueError):
    """A calendar that cannot be used; the text names the round, the activity and the field."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` (inclusive) to `closes` (exclusive), both aware, Asia/Bangkok."""

    opens: datetime
    closes: datetime

    def is_open(self, at: datetime) -> bool:
        """Whether `at` (aware; ValueError if not) lies inside. 08:30:00 is inside, 16:30:00 is too late."""
        return self.phase(at) == "open"

    def phase(self, at: datetime) -> Literal["before", "open", "after"]:
        if at.tzinfo is None:
            raise ValueError("a time without its zone cannot be compared with a window")
        if at < self.opens:
            return "before"
        return "open" if at < self.closes else "after"


@dataclass(frozen=True, slots=True)
class Extension:
    """Headquarters gives one school (10-digit code) until `until` (aware) for an activity."""

    activity: str
    school: str
    until: datetime

    def to_plain(self) -> dict[str, str]:
        """JSON-able; `until` in ISO 8601 with its offset."""
        return {"activity": self.activity, "school": self.school, "until": self.until.isoformat()}

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Extension:
        """Raises CalendarFault where a field is missing or of the wrong kind, or `until` has no offset."""
        given = TypedTable(data, "extension", CalendarFault)
        return cls(given.text("activity"), given.text("school"), given.moment("until").astimezone(BANGKOK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One row of the calendar. `row` is its number in the letter's table (0: from the letter's text); `opens` and
    `closes` are times of day and stand only on rows of one day."""

    key: str
    row: int
    th: str
    en: str
    who: tuple[str, ...]
    starts: date
    ends: date
    certainty: Certainty
    opens: time | None = None
    closes: time | None = None
    channel: str = ""
    who_th: str = ""
    when_th: str = ""
    note: str = ""

    @property
    def window(self) -> Window:
        """The row's window before any extension: whole days from 00:00 to 24:00 unless times of day are given."""
        opens = datetime.combine(self.starts, self.opens or time(0), BANGKOK)
        if self.closes is None:
            return Window(opens, datetime.combine(self.ends + timedelta(days=1), time(0), BANGKOK))
        return Window(opens, datetime.combine(self.ends, self.closes, BANGKOK))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan:
    """One round: `name` as in addresses (`2564-2`), the academic year in the Buddhist era, the day that is counted."""

    name: str
    kind: Kind
    academic_year: int
    term: int | None
    count_day: date
    label_th: str
    label_en: str
    activities: tuple[Activity, ...]
    source: str = ""
    note: str = ""

    @property
    def age_day(self) -> date:
        """16 May of the academic year, to which full years of age are counted (domain: age against grade)."""
        return date(self.academic_year - BUDDHIST_ERA, 5, 16)

    @property
    def keys(self) -> tuple[str, ...]:
        """The activities this round has; a year-end round has no `deliver`."""
        return tuple(activity.key for activity in self.activities)

    def activity(self, key: str) -> Activity:
        """The row of this activity; KeyError if the round has none."""
        for activity in self.activities:
            if activity.key == key:
                return activity
        raise KeyError(key)

    def window(self, key: str, *, school: str = "", extensions: Iterable[Extension] = ()) -> Window:
        """When `key` may be done by `school`. Of its extensions, given in the order they were granted, the last
        counts, so that a wrong one can be put right; none closes a window before the calendar does."""
        window = self.activity(key).window
        granted = [e.until for e in extensions if e.activity == key and school and e.school == school]
        return Window(window.opens, max([window.closes, *granted[-1:]]))

    def to_plain(self) -> dict[str, Any]:
        """JSON-able form for events; `from_plain` reads it back equal."""
        return {
            "name": self.name,
            "kind": self.kind,
            "academic_year": self.academic_year,
            "term": self.term,
            "count_day": self.count_day.isoformat(),
            "label_th": self.label_th,
            "label_en": self.label_en,
            "source": self.source,
            "note": self.note,
            "activity": [_activity_plain(activity) for activity in self.activities],
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> RoundPlan:
        """Read `to_plain`'s form; fields it does not know (of a newer producer) are passed over. Raises CalendarFault."""
        return _plan(TypedTable(data, "round", CalendarFault), TypedTable(data, "round", CalendarFault))


def load(path: Path) -> tuple[RoundPlan, ...]:
    """The rounds of one calendar file in its order. Raises CalendarFault (also for misspelt fields) and OSError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise CalendarFault(f"{path.name}: not readable as TOML ({problem})") from None
    file = TypedTable(raw, path.name, CalendarFault)
    file.only(("academic_year", "source", "round"))
    plans: list[RoundPlan] = []
    for given in file.tables("round"):
        given.only(_ROUND_FIELDS)
        for activity in given.tables("activity"):
            activity.only(_ACTIVITY_FIELDS)
        plans.append(_plan(given, file))
    if len({plan.name for plan in plans}) != len(plans):
        raise file.wrong("two rounds have the same name")
    return tuple(plans)


_ROUND_FIELDS = ("name", "kind", "term", "count_day", "label_th", "label_en", "note", "activity")
_ACTIVITY_FIELDS = (
    *("key", "row", "th", "en", "who", "who_th", "when_th", "from", "to"),
    *("opens", "closes", "channel", "certainty", "note"),
)


def _plan(given: TypedTable, shared: TypedTable) -> RoundPlan:
    """`shared` gives the year and the source: the round itself in an event, the file's head in a file."""
    given = given.within(f"round {given.text('name')}")
    kind: Kind = "roster" if given.one_of("kind", ACTIVITIES) == "roster" else "buildings"
    plan = RoundPlan(
        name=given.text("name"),
        kind=kind,
        academic_year=shared.number("academic_year"),
        term=given.number("term") if given.has("term") else None,
        count_day=given.date("count_day"),
        label_th=given.text("label_th"),
        label_en=given.text("label_en"),
        source=shared.text("source", ""),
        note=given.text("note", ""),
        activities=tuple(_activity(row, given.where, kind) for row in given.tables("activity")),
    )
    _check_name(plan, given)
    _check_activities(plan, given)
    return plan


def _check_name(plan: RoundPlan, given: TypedTable) -> None:
    match = _NAME.fullmatch(plan.name)
    if match is None or bool(match["bobec"]) != (plan.kind == "buildings"):
        raise given.wrong("name should be like 2564-1, 2564-end or bobec-2564, and fit the kind")
    term = {"1": 1, "2": 2}.get(match["part"] or "")
    if int(match["year"]) != plan.academic_year or term != plan.term:
        raise given.wrong("name, academic_year and term disagree")


def _check_activities(plan: RoundPlan, given: TypedTable) -> None:
    if len(set(plan.keys)) != len(plan.keys):
        raise given.wrong("an activity stands there twice")
    missing = [key for key in _REQUIRED[plan.kind] if key not in plan.keys]
    if missing:
        raise given.wrong(f"the activity {', '.join(missing)} is missing")


def _activity(given: TypedTable, parent: str, kind: Kind) -> Activity:
    key = given.one_of("key", ACTIVITIES[kind])
    given = given.within(f"{parent}, {key}")
    activity = Activity(
        key=key,
        row=given.number("row"),
        th=given.text("th"),
        en=given.text("en"),
        who=given.texts("who"),
        starts=given.date("from"),
        ends=given.date("to"),
        certainty="letter" if given.one_of("certainty", CERTAINTIES) == "letter" else "inferred",
        opens=given.time("opens"),
        closes=given.time("closes"),
        channel=given.text("channel", ""),
        who_th=given.text("who_th", ""),
        when_th=given.text("when_th", ""),
        note=given.text("note", ""),
    )
    _check_activity(activity, given)
    return activity


def _check_activity(activity: Activity, given: TypedTable) -> None:
    if not set(activity.who) <= set(ACTORS):
        raise given.wrong(f"who should be of {', '.join(ACTORS)}")
    if activity.starts > activity.ends:
        raise given.wrong("from is after to")
    if (activity.opens is None) != (activity.closes is None):
        raise given.wrong("opens and closes stand together or not at all")
    if activity.opens is None or activity.closes is None:
        return
    # "daily from 08:30 to 16:30" is no row of the letter; read as one long window it would leave the nights open.
    if activity.starts != activity.ends:
        raise given.wrong("only an activity of one day has times of day")
    if activity.opens >= activity.closes:
        raise given.wrong("opens is not before closes")


def _activity_plain(activity: Activity) -> dict[str, Any]:
    return {
        "key": activity.key,
        "row": activity.row,
        "th": activity.th,
        "en": activity.en,
        "who": list(activity.who),
        "who_th": activity.who_th,
        "when_th": activity.when_th,
        "from": activity.starts.isoformat(),
        "to": activity.ends.isoformat(),
        "opens": activity.opens.isoformat() if activity.opens else None,
        "closes": activity.closes.isoformat() if activity.closes else None,
        "channel": activity.channel,
        "certainty": activity.certainty,
        "note": activity.note,
    }
