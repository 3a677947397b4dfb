"""The snapshot service: its declaration. `parts` is what its runtime needs beside a database, `{}` in the repository's
own layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.contracts.dedup import RoundSettled
from services.contracts.export import PackageBuilt
from services.contracts.intake import (
    AreaRegistered,
    ManifestSent,
    RosterAccepted,
    RoundFenced,
    SubmissionsChanged,
)
from services.contracts.snapshot import (
    ClosingAborted,
    ClosingAnnounced,
    RosterRequested,
    RoundOpened,
    RoundSealed,
)
from services.kit.service import Service, Together
from services.snapshot import api, events, jobs, tables
from services.snapshot.settings import SnapshotSettings

SERVICE = Service(
    name="snapshot",
    metadata=tables.METADATA,
    migrations=Path(__file__).parent / "migrations",
    blueprints=api.blueprints,
    consumes={
        AreaRegistered: events.on_area_registered,
        RosterAccepted: Together(events.on_rosters_accepted),
        SubmissionsChanged: Together(events.on_submissions_changed),
        RoundFenced: events.on_round_fenced,
        ManifestSent: events.on_manifest_sent,
        RoundSettled: events.on_round_settled,
        PackageBuilt: events.on_package_built,
    },
    publishes=(RoundOpened, ClosingAnnounced, ClosingAborted, RosterRequested, RoundSealed),
    jobs=jobs.JOBS,
)


def parts(settings: SnapshotSettings) -> dict[str, Any]:
    """Where the calendars and the rates lie."""
    return {"calendars": settings.calendars, "rates": settings.rates}
