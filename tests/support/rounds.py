"""Playing a whole round against a supervised system, and the checker's verdict on it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from deploy.rehearsal.checker import ByUrl, Verdict, check, settled
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.play import play
from deploy.rehearsal.scenario import Stage, usernames, wait_for
from deploy.rehearsal.summary import Summary
from deploy.rehearsal.truth import areas, load
from services.kit.clock import set_clock
from tests.support.supervised import Supervised

PASSWORD = "a-password-for-tests"


def played(system: Supervised, nation: Path) -> Summary:
    truth = load(nation / "truth.json")
    people = usernames(sorted(truth.schools), areas(truth.schools.values()))
    passwords = system.enrol(people, PASSWORD)
    clock = system.folder / "clock.json"
    book = Journal(system.folder / "journal.jsonl")
    with book as journal, httpx.Client(base_url=system.address, timeout=30) as client:
        stage = Stage(
            client, nation, passwords, lambda at: set_clock(clock, at), str, journal=journal, patience=3
        )
        return play(stage)


def verdict_of(system: Supervised) -> Verdict:
    """The checker's: every answer given held against all databases."""
    urls = json.loads((system.folder / "databases.json").read_text())
    databases = ByUrl(urls)
    wait_for(lambda: settled(databases), "every event applied")
    return check(system.folder / "journal.jsonl", databases)
