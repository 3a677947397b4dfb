"""The dedup service declared: what it consumes, publishes, serves and does on its own."""

from __future__ import annotations

from pathlib import Path

from services.contracts.dedup import CaseChanged, IdentifiedRequested, RosterScreened, RoundSettled
from services.contracts.intake import AreaRegistered, ManifestSent, RosterIdentified, RoundFenced
from services.contracts.snapshot import ClosingAborted, ClosingAnnounced, RoundOpened, RoundSealed
from services.dedup import api, events, readings, settling
from services.dedup.tables import METADATA
from services.kit.service import Job, Service, Together

SERVICE = Service(
    name="dedup",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    blueprints=api.blueprints,
    consumes={
        AreaRegistered: events.on_area_registered,
        RosterIdentified: Together(events.on_rosters_identified),
        RoundOpened: events.on_round_opened,
        ClosingAnnounced: events.on_closing_announced,
        ClosingAborted: events.on_closing_aborted,
        RoundFenced: events.on_round_fenced,
        ManifestSent: events.on_manifest_sent,
        RoundSealed: events.on_round_sealed,
    },
    publishes=(RosterScreened, CaseChanged, IdentifiedRequested, RoundSettled),
    jobs=(Job("fence", settling.fence), Job("settle", settling.settle)),
    readings=readings.READINGS,
)
