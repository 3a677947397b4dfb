"""The calendars of the deployment: which rounds can be opened. The files are read when asked, so that a corrected one
needs no restart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.contracts.calendar import CalendarFault, RoundPlan, load
from services.kit.errors import Problem
from services.snapshot import settings


def plans(parts: Mapping[str, Any]) -> dict[str, RoundPlan]:
    """Every round of every calendar, by name. Raises Problem 500 naming the fault of a file."""
    folder: Path = parts.get("calendars", settings.CALENDARS)
    try:
        found = [plan for file in sorted(folder.glob("*.toml")) for plan in load(file)]
    except (CalendarFault, OSError) as fault:
        raise Problem(
            500, "calendar-unreadable", f"ปฏิทินใช้ไม่ได้: {fault}", f"A calendar cannot be used: {fault}"
        ) from fault
    return {plan.name: plan for plan in found}


def plan_of(parts: Mapping[str, Any], name: str) -> RoundPlan:
    """Raises Problem 422 for a round no calendar has."""
    found = plans(parts)
    if name not in found:
        known = ", ".join(found) or "-"
        raise Problem(
            422,
            "round-not-in-calendar",
            f"ไม่มีรอบนี้ในปฏิทิน รอบที่เปิดได้คือ {known}",
            f"No calendar has this round; those that can be opened are {known}",
            rounds=list(found),
        )
    return found[name]
