"""Services on the bench, set up for their tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.portal.app import SERVICE as PORTAL
from services.intake.app import SERVICE as INTAKE
from services.snapshot.app import SERVICE as SNAPSHOT
from tests.support.bench import Bench
from tests.support.fake_api import FakeServices
from tests.support.intake_desk import IntakeDesk
from tests.support.portal_desk import PortalDesk
from tests.support.snapshot_desk import SnapshotDesk


@pytest.fixture
def intake(bench: Callable[..., Bench]) -> IntakeDesk:
    return IntakeDesk(bench(INTAKE))


@pytest.fixture
def snapshot(bench: Callable[..., Bench]) -> SnapshotDesk:
    """With round 2564-2 open."""
    desk = SnapshotDesk(bench(SNAPSHOT))
    assert desk.open().status_code == 201
    return desk


@pytest.fixture
def portal(bench: Callable[..., Bench], keys: Path) -> PortalDesk:
    services = FakeServices(keys)
    desk = PortalDesk(bench(PORTAL, parts={"api": services.client()}), services)
    desk.bench.set_time("2021-11-10T10:00:00+07:00")
    desk.enrol("somchai", "malee", "prayut.area", "obec", "both", "watch")
    return desk
