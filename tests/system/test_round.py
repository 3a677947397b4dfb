"""An undisturbed round: the checker finds nothing wrong with it and everything that is planted into it, and its log
follows one id through all services and names nobody."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.rounds import played, verdict_of
from tests.support.supervised import Supervised

pytestmark = [pytest.mark.xdist_group("round"), pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def finished(nation: Path) -> Iterator[Supervised]:
    """A system after a round that nobody disturbed; still running."""
    with tempfile.TemporaryDirectory(prefix="tabian-round-", ignore_cleanup_errors=True) as made:
        system = Supervised(Path(made) / "system")
        system.start()
        assert played(system, nation).faults == []
        yield system
        system.stop()


def test_the_checker_finds_nothing_wrong_with_an_undisturbed_round(finished: Supervised) -> None:
    verdict = verdict_of(finished)
    assert verdict.sound
    assert verdict.applied > 30


@pytest.mark.parametrize(
    ("service", "planted", "found"),
    [
        ("intake", "DELETE FROM act WHERE act = 'certify'", "lost"),
        ("intake", "INSERT INTO act SELECT round, school, revision + 1, act, subject, by, role, at, sha256, pupils,"
         " reason, receipt FROM act WHERE act = 'confirm'", "doubled"),
        ("intake", "UPDATE act SET receipt = jsonb_set(receipt, '{signature}', '\"never given\"')"
         " WHERE act = 'acknowledge'", "unexpected"),
        ("intake", "UPDATE version SET upload = (SELECT upload FROM version LIMIT 1)", "doubled"),
        ("snapshot", "DELETE FROM inbox WHERE event_id = (SELECT min(event_id::text)::uuid FROM inbox)", "lost"),
        ("snapshot", "UPDATE document SET body = (SELECT body FROM document ORDER BY sha256 LIMIT 1)", "lost"),
        ("dedup", "INSERT INTO inbox (event_id, type) VALUES (gen_random_uuid(), 'from nobody')", "unexpected"),
        ("dedup", "UPDATE screened SET sha256 = repeat('0', 64)", "lost"),
    ],
)  # fmt: skip
def test_the_checker_catches_what_is_planted(
    finished: Supervised, service: str, planted: str, found: str
) -> None:
    urls = json.loads((finished.folder / "databases.json").read_text())
    before = len(getattr(verdict_of(finished), found))
    with psycopg.connect(urls[service].replace("+psycopg", "")) as connection:
        assert connection.execute(planted.encode()).rowcount > 0
    assert len(getattr(verdict_of(finished), found)) > before


def test_the_log_of_a_round_follows_one_id_and_names_nobody(nation: Path, finished: Supervised) -> None:
    system = finished
    lines = [json.loads(line) for line in system.output.splitlines() if line.startswith("{")]
    followed: dict[str, set[str]] = {}
    for line in lines:
        step = line.get("type") or line["message"]
        followed.setdefault(line["correlation_id"], set()).add(step)
    whole_way = {
        "request answered",
        "upload checked",
        "intake.roster.accepted.v1",
        "intake.roster.identified.v1",
        "dedup.roster.screened.v1",
    }
    assert any(whole_way <= steps for steps in followed.values())
    people = json.loads((nation / "truth.json").read_text())["duplicates"]
    ids = {duplicate["national_id"] for duplicate in people} | set(_ids_in_files(nation))
    assert len(ids) > 100
    assert [number for number in ids if number in system.output] == []
    assert re.findall(r"เด็กชาย|เด็กหญิง|นางสาว", system.output) == []


def _ids_in_files(nation: Path) -> Iterator[str]:
    for file in (nation / "rosters").glob("*.csv"):
        for word in re.findall(rb"[0-9]{13}", file.read_bytes()):
            yield word.decode()
