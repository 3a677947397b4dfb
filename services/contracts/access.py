"""Who may see and do what: the roles, and a person's grants against a school, an area or the nation.

A grant is a role and a scope: a 10-digit school code, an ESA code, or NATION. Not here: tokens (kit) and the
rules of each act (the services).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CLERK, DIRECTOR, AREA, HQ, OPS, PARTNER = "clerk", "director", "area", "hq", "ops", "partner"
ROLES = (CLERK, DIRECTOR, AREA, HQ, OPS, PARTNER)
NATION = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role in one scope."""

    role: str
    scope: str


def holds(grants: Iterable[Grant], role: str, *, school: str = "", esa: str = "") -> bool:
    """Whether one of the grants is this role over this school (clerk, director), area (area) or nation (hq, ops)."""
    scopes = {CLERK: school, DIRECTOR: school, AREA: esa}
    wanted = scopes.get(role, NATION)
    return bool(wanted) and any(g.role == role and g.scope == wanted for g in grants)


def sees_school(grants: Iterable[Grant], school: str, esa: str) -> bool:
    """Whether this person may know of this school's submission at all (else it is 404 for them)."""
    granted = tuple(grants)
    return any(holds(granted, role, school=school, esa=esa) for role in (CLERK, DIRECTOR, AREA, HQ))


def sees_pupils(grants: Iterable[Grant], school: str) -> bool:
    """Whether this person may see single pupils: the school's own people only."""
    granted = tuple(grants)
    return any(holds(granted, role, school=school) for role in (CLERK, DIRECTOR))


def esas_seen(grants: Iterable[Grant]) -> tuple[str, ...] | None:
    """The ESAs whose schools an officer sees; None = all of them (headquarters)."""
    granted = tuple(grants)
    if holds(granted, HQ):
        return None
    return tuple(sorted({g.scope for g in granted if g.role == AREA}))
