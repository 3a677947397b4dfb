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

from deploy.rehearsal import collecting, register
from deploy.rehearsal.nation import Order, make_nation
from deploy.rehearsal.scenario import Stage, cast, usernames
from deploy.rehearsal.truth import SchoolTruth, load
from services.kit.clock import set_clock
from tests.support.browsing import Window, browser
from tests.support.supervised import Supervised

ESA = "6602"
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


# Playwright keeps an event loop running in the thread: gone with the module, so that others may run theirs.
@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with tempfile.TemporaryDirectory(prefix="tabian-browser-", ignore_cleanup_errors=True) as made:
        nation, school = _nation(Path(made))
        system = Supervised(Path(made) / "system")
        system.start()
        try:
            _prepare(system, nation, school.code)
            with browser() as chromium:
                yield Theatre(system, nation, school, chromium)
        finally:
            system.stop()


def _nation(folder: Path) -> tuple[Path, SchoolTruth]:
    """Four made-up schools, one of them with a file to be refused, findings to fix and to explain, and two duplicates."""
    schools = folder / "schools.tsv"
    register.write(register.make(1), schools)
    for seed in range(1, 60):
        nation = folder / f"nation-{seed}"
        make_nation(Order(seed=seed, out=nation, esa=ESA, schools=schools, limit=4))
        told = load(nation / "truth.json")
        for code, school in told.schools.items():
            duplicates = sum(code in (one.true_school, one.false_school) for one in told.duplicates)
            purposes = {upload.purpose for upload in school.uploads}
            explained = any(one.then == "explain" for one in school.last.findings)
            if duplicates == 2 and purposes >= {"wrong", "first", "fixed"} and explained:
                return nation, school
    raise AssertionError("no seed gives a school that has everything to show")


def _prepare(system: Supervised, nation: Path, school: str) -> None:
    told = load(nation / "truth.json")
    passwords = system.enrol(usernames(sorted(told.schools), [ESA]), PASSWORD)
    clock = system.folder / "clock.json"
    with httpx.Client(base_url=system.address, timeout=30) as client:
        stage = Stage(client, nation, passwords, lambda at: set_clock(clock, at), lambda _: None)
        people = cast(stage)
        collecting.open_rounds(stage, people)
        del people.clerks[school]
        collecting.upload_all(stage, people)
        assert stage.summary.faults == []
