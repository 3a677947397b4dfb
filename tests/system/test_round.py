"""An undisturbed round: the checker finds nothing wrong with it and everything that is planted into it; its log follows one
id through all services and names nobody, whatever goes wrong."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support import hostile
from tests.support.hostile import go_wrong, personal_words
from tests.support.rounds import PASSWORD, played, verdict_of
from tests.support.supervised import Supervised

pytestmark = [pytest.mark.xdist_group("round"), pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def finished(nation: Path) -> Iterator[Supervised]:
    """A system after a round that nobody disturbed; still running."""
    with tempfile.TemporaryDirectory(prefix="tabian-round-", ignore_cleanup_errors=True) as made:
        system = Supervised(Path(made) / "system", level="DEBUG")
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


@pytest.fixture(scope="module")
def logged(nation: Path, finished: Supervised) -> list[dict[str, Any]]:
    """Every line of the log, of the round and of what then went wrong on purpose."""
    go_wrong(finished, nation)
    return [json.loads(line) for line in finished.output.splitlines()]


def test_every_line_of_the_log_is_json_with_a_correlation_id(logged: list[dict[str, Any]]) -> None:
    failed = {"unexpected error", "handler failed", "job failed"}
    of_work = {"request answered", "upload checked", "event handled", *failed}
    assert of_work <= {line["message"] for line in logged}
    for line in logged:
        assert {"time", "level", "logger", "message", "correlation_id"} <= line.keys(), line
        assert line["correlation_id"] or line["message"] not in of_work, line


def test_the_log_of_a_round_follows_one_id(logged: list[dict[str, Any]]) -> None:
    followed: dict[str, set[str]] = {}
    for line in logged:
        step = line.get("type") or line["message"]
        followed.setdefault(line["correlation_id"], set()).add(step)
    whole_way = {
        "request answered",
        "upload checked",
        "intake.roster.accepted.v1",
        "intake.roster.identified.v1",
        "dedup.roster.screened.v1",
    }
    schools = [steps for steps in followed.values() if whole_way <= steps]
    assert len(schools) >= 3, "also those that were handled with others"


def test_nothing_that_was_written_names_anybody(
    nation: Path, finished: Supervised, logged: list[dict[str, Any]]
) -> None:
    """Not in the log at its most talkative, nor on the terminal, nor in the log of PostgreSQL."""
    written = finished.output + finished.printed + (finished.folder / "postgres" / "log").read_text()
    assert re.findall(r"[\u0e00-\u0e7f]+", finished.output) == [], "every name and every title is Thai"
    assert re.findall(r"eyJ[\w-]+\.[\w-]+", written) == [], "tokens"
    words = personal_words(nation)
    assert len(words) > 1000
    words |= {*hostile.SECRETS, PASSWORD}
    assert sorted(word for word in words if not word.isdigit() and word in written) == []
    assert words & set(re.findall(r"\w+", written)) == set(), "a number, and not a part of a longer one"
    digits = {re.sub(r"\D", "", found) for found in re.findall(r"\d(?:[ -]?\d){12}", written)}
    assert digits & words == set(), "IDs with dashes"
