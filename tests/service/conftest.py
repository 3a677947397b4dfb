"""Services on the bench, set up for their tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.intake.app import SERVICE as INTAKE
from tests.support.bench import Bench
from tests.support.intake_desk import IntakeDesk


@pytest.fixture
def intake(bench: Callable[..., Bench]) -> IntakeDesk:
    return IntakeDesk(bench(INTAKE))
