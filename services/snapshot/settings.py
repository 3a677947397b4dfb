"""Snapshot's settings beside those of every service: where the data of each year lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.kit.settings import Settings, setting

_DEPLOY = Path(__file__).parents[2] / "deploy"
CALENDARS, RATES = _DEPLOY / "calendars", _DEPLOY / "rates"


@dataclass(frozen=True, kw_only=True)
class SnapshotSettings(Settings):
    """Calendars and rates are files named `<academic year>.toml`."""

    calendars: Path = setting("TABIAN_CALENDARS", "folder with the calendar of each academic year", CALENDARS)
    rates: Path = setting("TABIAN_RATES", "folder with the subsidy rates of each academic year", RATES)
