"""Events that buildings produces."""

from __future__ import annotations

from services.contracts.event import event


@event("buildings.inventory.confirmed.v1", consumers=("export",))
class InventoryConfirmed:
    """A school's inventory of buildings was confirmed by the school or its area, or a confirmation taken back; the
    state travels whole.

    level: school | area | none (taken back); `sha256` names the list (canonical JSON of its records); `buildings`
    counts what is not demolished."""

    round: str
    school: str
    esa: str
    revision: int
    level: str
    buildings: int
    sha256: str
    at: str
