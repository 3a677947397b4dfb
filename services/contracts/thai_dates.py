"""Dates and times as people read them: Thai in the Buddhist era, English in the common era with the other beside it.

For messages, receipts and pages; stored and sent dates are ISO. Not here: reading dates that people typed
(services/contracts/roster/dates.py).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from services.contracts.calendar import BANGKOK, Window
from services.contracts.roster.dates import BUDDHIST_ERA

_TH = ("ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.")
_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def thai_date(day: date) -> str:
    """`10 พ.ย. 2564`; a datetime is taken as its day in Bangkok."""
    day = _local(day)
    return f"{day.day} {_TH[day.month - 1]} {day.year + BUDDHIST_ERA}"


def english_date(day: date) -> str:
    """`10 Nov 2021 (2564)`."""
    day = _local(day)
    return f"{day.day} {_EN[day.month - 1]} {day.year} ({day.year + BUDDHIST_ERA})"


def thai_time(at: time | datetime) -> str:
    """`08.30 น.`; a datetime is taken as its time in Bangkok."""
    return f"{_clock(at):%H.%M} น."


def english_time(at: time | datetime) -> str:
    """`08:30`."""
    return f"{_clock(at):%H:%M}"


def thai_moment(at: datetime) -> str:
    """`10 พ.ย. 2564 เวลา 08.30 น.`."""
    return f"{thai_date(at)} เวลา {thai_time(at)}"


def english_moment(at: datetime) -> str:
    """`10 Nov 2021 (2564), 08:30`."""
    return f"{english_date(at)}, {english_time(at)}"


def window_words(window: Window) -> tuple[str, str]:
    """A window in Thai and in English; midnights are left out where it is made of whole days."""
    first, last = window.opens, window.closes
    if _midnight(first) and _midnight(last):
        final = last - timedelta(days=1)
        if first.date() == final.date():
            return thai_date(first), english_date(first)
        return f"{thai_date(first)} - {thai_date(final)}", f"{english_date(first)} to {english_date(final)}"
    if first.date() == last.date():
        return (
            f"{thai_date(first)} เวลา {thai_time(first)} - {thai_time(last)}",
            f"{english_date(first)}, {english_time(first)} to {english_time(last)}",
        )
    return f"{thai_moment(first)} - {thai_moment(last)}", f"{english_moment(first)} to {english_moment(last)}"


def _local(day: date) -> date:
    return day.astimezone(BANGKOK).date() if isinstance(day, datetime) else day


def _clock(at: time | datetime) -> time:
    return at.astimezone(BANGKOK).time() if isinstance(at, datetime) else at


def _midnight(at: datetime) -> bool:
    return at.time() == time(0)
