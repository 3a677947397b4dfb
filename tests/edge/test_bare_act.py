"""The bare act behind a real edge: it does what it answers, the search for the knee is Tabian's own, and a table that says
something else than was told gives no figure."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

import deploy
from deploy.rehearsal.bench.bare_act.table import DATABASE, compare, make
from deploy.rehearsal.bench.database import own_database
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.load import knee
from deploy.rehearsal.load.caller import Caller
from deploy.rehearsal.load.calls import confirmation, undoing
from deploy.rehearsal.load.knee import Knee, find_knee
from deploy.rehearsal.scenario import ROUND, wait_for
from gateway.cli.bench.bare import BareAct
from gateway.cli.bench.yardsticks import acts_vs_bare
from gateway.embedded import free_port
from services.kit.postgres import EmbeddedPostgres
from tests.support.edge import Edge, running_edge
from tests.support.tokens import bearer

VERSIONS = {f"10663501{n}": f"{n:064x}" for n in range(70, 90)}
ONE, OTHER, *_ = VERSIONS
THREADS = 10


@dataclass
class Place:
    """The running bare act behind its edge, and where its table is."""

    edge: Edge
    folder: Path
    url: str

    def passes(self, username: str, role: str, scope: str) -> dict[str, str]:
        return bearer(self.edge.keys, username, (role, scope))

    def confirm(self, code: str, sha256: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
        call = confirmation(code, sha256 or VERSIONS[code], self.passes)
        return self.edge.public.post(call.path, headers={**call.headers, **(headers or {})})

    def undo(self, code: str) -> httpx.Response:
        call = undoing(code, self.passes)
        return self.edge.public.delete(call.path, headers=call.headers)

    def knee(self) -> Knee:
        """Search it; every answer is in the journal."""

        async def run() -> Knee:
            address, certificate = str(self.edge.public.base_url), self.folder / "secrets" / "edge.crt"
            with Journal(self.journal) as notes:
                async with Caller(address, certificate, notes, lines=40) as caller:
                    return await find_knee(caller, VERSIONS, self.passes, seconds=0.5)

        return asyncio.run(run())

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    def write(self, statement: bytes) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)


@pytest.fixture(scope="module")
def place(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, port = tmp_path_factory.mktemp("bare"), free_port()
    server = postgres.url("postgres", "postgres")
    (folder / "database-url").write_text(server)
    settings = {
        "TABIAN_DATABASE_URL_FILE": str(folder / "database-url"),
        "TABIAN_THREADS": str(THREADS),
        "TABIAN_PORT": str(port),
        "TABIAN_METRICS_PORT": "0",
    }
    conf = Path(deploy.__file__).with_name("gunicorn.conf.py")
    command = [sys.executable, "-m", "gunicorn", "--config", str(conf), "--log-level", "warning"]
    command.append("deploy.rehearsal.bench.bare_act.app:application()")
    with (
        own_database(server.replace("+psycopg", ""), DATABASE) as url,
        subprocess.Popen(command, env={**os.environ, **settings}) as running,
    ):
        try:
            wait_for(lambda: answers(port), "the bare act's start")
            with running_edge(folder, others={"intake-api": port}) as edge:
                yield Place(edge, folder, url)
        finally:
            running.terminate()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").is_success
    except httpx.TransportError:
        return False


@pytest.fixture(autouse=True)
def everybody_ready(place: Place) -> None:
    place.write(b"DROP TABLE IF EXISTS submission")
    make(place.url, ROUND, VERSIONS)
    place.journal.unlink(missing_ok=True)


def test_an_act_is_one_update_of_the_schools_row(place: Place) -> None:
    assert place.confirm(ONE).json() == {"school": ONE, "state": "confirmed", "number": 1}
    with psycopg.connect(place.url) as connection:
        done = connection.execute("SELECT school, state, who, number FROM submission WHERE at IS NOT NULL")
        assert done.fetchall() == [(ONE, "confirmed", f"clerk-{ONE}", 1)]
    assert place.undo(ONE).json() == {"school": ONE, "state": "ready", "number": 2}


def test_what_does_not_fit_changes_nothing(place: Place) -> None:
    assert place.confirm(ONE, VERSIONS[OTHER]).status_code == 409, "another version"
    assert place.confirm(ONE, headers=place.passes("clerk", "clerk", OTHER)).status_code == 403
    assert place.confirm(ONE, headers={"Authorization": "Bearer a.b.c"}).status_code == 401, "the edge's word"
    assert place.confirm(ONE).json()["number"] == 1
    assert place.confirm(ONE).json()["number"] == 2, "the same again is answered well"


def test_its_knee_is_searched_like_tabians_and_the_table_says_what_was_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knee, "_GROWTH", 4.0)
    monkeypatch.setattr(knee, "_HALVINGS", 1)
    found = place.knee()
    assert found.steps[0]["rate"] == 40
    well = sum(step["statuses"].get("200", 0) for step in found.steps)
    told = compare(place.url, place.journal)
    assert told >= well > 0
    with psycopg.connect(place.url) as connection:
        states = connection.execute("SELECT DISTINCT state FROM submission").fetchall()
    assert states == [("ready",)], "all was taken back"


@pytest.mark.parametrize(
    "spoil",
    [
        b"UPDATE submission SET number = number - 1 WHERE school = '1066350170'",
        b"UPDATE submission SET number = number + 1 WHERE school = '1066350171'",
        b"UPDATE submission SET state = 'ready' WHERE school = '1066350170'",
    ],
    ids=["lost", "doubled", "other"],
)
def test_a_table_that_says_something_else_gives_no_figure(place: Place, spoil: bytes) -> None:
    note_all(place.journal, place.confirm, *VERSIONS)
    assert compare(place.url, place.journal) == len(VERSIONS)
    place.write(spoil)
    with pytest.raises(RuntimeError, match=r"not what was told: 106635017[01]$"):
        compare(place.url, place.journal)


def test_what_nobody_was_told_may_have_been_done(place: Place) -> None:
    note_all(place.journal, place.confirm, ONE)
    place.undo(ONE)
    with pytest.raises(RuntimeError):
        compare(place.url, place.journal)
    with Journal(place.journal) as notes:
        notes.maybe("clerk", "DELETE", undoing(ONE, place.passes).path)
    assert compare(place.url, place.journal) == 1


def note_all(journal: Path, act: Callable[[str], httpx.Response], *codes: str) -> None:
    with Journal(journal) as notes:
        for code in codes:
            notes.answer(f"clerk-{code}", act(code).raise_for_status())


def test_the_ratio_is_of_the_two_knees() -> None:
    assert acts_vs_bare(150.0, BareAct(600.0, [], {})) == 0.25
    assert acts_vs_bare(0.0, BareAct(600.0, [], {})) == 0.0
    assert acts_vs_bare(150.0, BareAct(0.0, [], {})) is None
