"""The rounds a synthetic nation can be made for: what of their calendar shapes a pupil's data.

Windows and deadlines are the calendars' business (`deploy/calendars`); here stand only the days that ages are told at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class Round:
    """A round of academic year `year` (CE); `count_day` is the day pupils are counted, `year_end` adds results."""

    name: str
    year: int
    count_day: date
    year_end: bool = False

    @property
    def term_opening(self) -> date:
        """16 May: the day full years of age are counted to for kindergarten and for funding."""
        return date(self.year, 5, 16)


ROUNDS: Final[dict[str, Round]] = {
    "2564-1": Round("2564-1", 2021, date(2021, 6, 25)),
    "2564-2": Round("2564-2", 2021, date(2021, 11, 10)),
    "2564-end": Round("2564-end", 2021, date(2022, 4, 30), year_end=True),
}


def day_number(day: date) -> int:
    """Days since 1970-01-01, the form in which dates are computed column-wise."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def years_before(day: date, years: int) -> date:
    """The same day some years earlier; 29 February becomes 28."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
