"""The export service, declared. Its runtime needs the part `snapshot`: an httpx.Client with the base URL of snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from services.contracts.buildings import InventoryConfirmed
from services.contracts.export import PackageBuilt
from services.contracts.intake import AreaRegistered
from services.contracts.snapshot import RoundOpened, RoundSealed
from services.export import api, events, tables
from services.export.build import build_package
from services.export.settings import ExportSettings
from services.kit.service import Job, Service

SERVICE = Service(
    name="export",
    metadata=tables.METADATA,
    migrations=Path(__file__).parent / "migrations",
    blueprints=api.blueprints,
    consumes={
        AreaRegistered: events.on_area,
        RoundOpened: events.on_round,
        RoundSealed: events.on_sealed,
        InventoryConfirmed: events.on_inventory,
    },
    publishes=(PackageBuilt,),
    jobs=(Job("build-package", build_package),),
    take_back=tables.take_back,
)


def parts(settings: ExportSettings) -> dict[str, Any]:
    """The way to snapshot's extracts."""
    return {"snapshot": httpx.Client(base_url=settings.snapshot_url)}
