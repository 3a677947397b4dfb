"""The bare act's one table: made, filled, and held against the answers that were given."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

DATABASE = "yardstick_bare_act"
READY, CONFIRMED = "ready", "confirmed"
_MAKE = """
    CREATE TABLE submission (
        round text, school text, sha256 text NOT NULL, state text NOT NULL DEFAULT 'ready',
        who text NOT NULL DEFAULT '', at timestamptz, number integer NOT NULL DEFAULT 0, PRIMARY KEY (round, school)
    ) WITH (fillfactor = 50)
"""
"""`number` counts a school's acts. Half of a page is left free: a new row finds its place beside the old one."""
_FILL = "INSERT INTO submission (round, school, sha256) VALUES (%s, %s, %s)"


def make(url: str, round_name: str, versions: Mapping[str, str]) -> None:
    """Every school (→ sha256 of its version) is ready to confirm. Who may enter the database may act."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_MAKE)
        cursor.execute("GRANT SELECT, UPDATE ON submission TO PUBLIC")
        cursor.executemany(_FILL, [(round_name, school, sha256) for school, sha256 in versions.items()])


@dataclass
class _Told:
    """What a school was told: the state under each number; how many requests may or may not have been done besides."""

    states: dict[int, str] = field(default_factory=dict)
    again: int = 0
    unanswered: int = 0

    def agrees(self, state: str, number: int) -> bool:
        """Whether the table's row is what was told last, with nothing lost, doubled or done unasked."""
        if self.again or any(told > number for told in self.states):
            return False
        return number - len(self.states) <= self.unanswered and self.states.get(number, state) == state


def compare(url: str, journal: Path) -> int:
    """How many acts were answered well, when the table says of each school what it was told last. Raises RuntimeError where
    it says something else."""
    told = _told(journal)
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT school, state, number FROM submission").fetchall()
    unlike = [school for school, state, number in rows if not told[school].agrees(state, number)]
    if unlike:
        raise RuntimeError(f"the bare act's table is not what was told: {', '.join(sorted(unlike))}")
    return sum(len(school.states) for school in told.values())


def _told(journal: Path) -> defaultdict[str, _Told]:
    told: defaultdict[str, _Told] = defaultdict(_Told)
    for line in journal.read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        if note["status"] is None:
            told[note["path"].split("/")[-2]].unanswered += 1
        elif note["status"] == 200:
            school = told[note["got"]["school"]]
            school.again += note["got"]["number"] in school.states
            school.states[note["got"]["number"]] = note["got"]["state"]
    return told
