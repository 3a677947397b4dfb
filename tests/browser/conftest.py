"""A running embedded system with four schools: rounds opened and all but one school's files sent, over the API."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from deploy.rehearsal import collecting
from deploy.rehearsal.nation import Order, make_nation
from deploy.rehearsal.scenario import Stage, cast, usernames
from deploy.rehearsal.truth import SchoolTruth, load
from services.kit.clock import set_clock
from tests.support.browsing import Window, browser
from tests.support.supervised import Supervised

SEED, ESA, SCHOOL = 20, "6602", "1066350179"
"""With this seed the school has a file to be refused, findings to fix and to explain, and two duplicates."""
PASSWORD = "a-password-for-tests"
SHOTS = Path(".tabian/browser")


@dataclass(frozen=True, slots=True)
class Theatre:
    """The system, its nation and a browser; `school` is the one whose people use the pages."""

    system: Supervised
    nation: Path
    school: SchoolTruth
    browser: Browser

    def window(self, username: str, *, phone: bool = False) -> Window:
        """A window with that person signed in."""
        opened = Window(self.browser, self.system.address, SHOTS, phone=phone)
        opened.sign_in(username, PASSWORD)
        return opened

    def at(self, moment: str) -> None:
        """Set the round clock, Asia/Bangkok."""
        set_clock(self.system.folder / "clock.json", datetime.fromisoformat(f"{moment}+07:00"))

    def file(self, purpose: str) -> Path:
        (upload,) = (one for one in self.school.uploads if one.purpose == purpose)
        return self.nation / upload.file


@pytest.fixture(scope="session")
def theatre() -> Iterator[Theatre]:
    with tempfile.TemporaryDirectory(prefix="tabian-browser-", ignore_cleanup_errors=True) as made:
        nation = Path(made) / "nation"
        make_nation(Order(seed=SEED, out=nation, esa=ESA, limit=4))
        system = Supervised(Path(made) / "system")
        system.start()
        try:
            told = load(nation / "truth.json")
            _prepare(system, nation)
            with browser() as chromium:
                yield Theatre(system, nation, told.schools[SCHOOL], chromium)
        finally:
            system.stop()


def _prepare(system: Supervised, nation: Path) -> None:
    told = load(nation / "truth.json")
    passwords = system.enrol(usernames(sorted(told.schools), [ESA]), PASSWORD)
    clock = system.folder / "clock.json"
    with httpx.Client(base_url=system.address, timeout=30) as client:
        stage = Stage(client, nation, passwords, lambda at: set_clock(clock, at), lambda _: None)
        people = cast(stage)
        collecting.open_rounds(stage, people)
        del people.clerks[SCHOOL]
        collecting.upload_all(stage, people)
        assert stage.summary.faults == []
