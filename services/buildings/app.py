"""The buildings service, declared."""

from __future__ import annotations

from pathlib import Path

from services.buildings import api, events, tables
from services.contracts.buildings import InventoryConfirmed
from services.contracts.intake import AreaRegistered
from services.contracts.snapshot import RoundOpened
from services.kit.service import Service

SERVICE = Service(
    name="buildings",
    metadata=tables.METADATA,
    migrations=Path(__file__).parent / "migrations",
    blueprints=api.blueprints,
    consumes={
        AreaRegistered: events.on_area,
        RoundOpened: events.on_round,
    },
    publishes=(InventoryConfirmed,),
)
