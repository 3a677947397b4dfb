"""The intake service: its declaration, and the application gunicorn runs."""

from __future__ import annotations

from pathlib import Path

from services.contracts.dedup import CaseChanged, IdentifiedRequested, RosterScreened
from services.contracts.intake import (
    AreaRegistered,
    ManifestSent,
    RosterAccepted,
    RosterIdentified,
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
from services.intake import api, checking, events, fencing, readings, tables
from services.intake.tables import documents, uploads
from services.kit.service import Job, Service, Together

SERVICE = Service(
    name="intake",
    metadata=tables.METADATA,
    migrations=Path(__file__).parent / "migrations",
    blueprints=api.blueprints,
    consumes={
        RoundOpened: events.on_round_opened,
        ClosingAnnounced: events.on_closing_announced,
        ClosingAborted: events.on_closing_aborted,
        RoundSealed: events.on_round_sealed,
        RosterRequested: events.on_roster_requested,
        RosterScreened: Together(events.on_rosters_screened),
        CaseChanged: Together(events.on_cases_changed),
        IdentifiedRequested: events.on_identified_requested,
    },
    publishes=(
        AreaRegistered,
        RosterAccepted,
        RosterIdentified,
        SubmissionsChanged,
        RoundFenced,
        ManifestSent,
    ),
    documents={RosterAccepted: documents.read_bodies, RosterIdentified: documents.read_identified},
    jobs=(Job("check-uploads", checking.check_uploads), Job("fence-rounds", fencing.fence_rounds)),
    readings=readings.READINGS,
    take_back=uploads.take_back,
)
