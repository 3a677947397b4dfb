"""The monolith measured: it is started under gunicorn, sent every roll, asked what it holds, and stopped."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import psycopg
import sqlalchemy as sa

from deploy.rehearsal.bench.database import own_database
from deploy.rehearsal.bench.monolith.app import COUNT_DAY, DATABASE, YEAR
from deploy.rehearsal.bench.monolith.models import Base

START_SECONDS = 30
ANSWER_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Roll:
    """One school's file, and the codes the register has of the school."""

    school: str
    smis8: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Year:
    """What the rolls are judged by; the academic year is of the Buddhist era."""

    count_day: date
    academic: int


@dataclass(frozen=True, slots=True)
class Monolith:
    """Pupils stored, pupils a second from the first request to the last answer, findings by rule, and pupils on two rolls
    as far as it saw them: of two rolls that come at the same moment neither sees the other."""

    pupils: int
    students_per_s: float
    findings: dict[str, int]
    duplicates: int
    processes: int


def monolith(server: str, rolls: Sequence[Roll], year: Year, processes: int) -> Monolith:
    """Measure with these rolls, twice as many senders as processes. Raises RuntimeError if one is not taken."""
    with own_database(server, "yardstick_monolith") as url:
        engine = "postgresql+psycopg" + url.partition("postgresql")[2]
        _fill(engine, rolls)
        with _running(engine, year, processes) as port:
            seconds = _send(port, rolls, 2 * processes)
        with psycopg.connect(url) as connection:
            counted = connection.execute("SELECT rule, count(*) FROM finding GROUP BY rule ORDER BY rule")
            findings = dict(counted.fetchall())
            pupils, duplicates = (_count(connection, table) for table in (b"pupil", b"duplicate"))
    return Monolith(pupils, pupils / seconds, findings, duplicates, processes)


def _fill(engine_url: str, rolls: Sequence[Roll]) -> None:
    """The tables and the register."""
    engine = sa.create_engine(engine_url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        rows = [{"code": roll.school, "smis8": roll.smis8} for roll in rolls]
        connection.execute(sa.insert(Base.metadata.tables["school"]), rows)
    engine.dispose()


@contextmanager
def _running(engine_url: str, year: Year, processes: int) -> Iterator[int]:
    """gunicorn with the application, on a free port, which is told."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        listening.set_inheritable(True)
        port = int(listening.getsockname()[1])
        settings = {DATABASE: engine_url, COUNT_DAY: year.count_day.isoformat(), YEAR: str(year.academic)}
        command = [sys.executable, "-m", "gunicorn", "--workers", str(processes)]
        command += ["--bind", f"fd://{listening.fileno()}", "--timeout", "300", "--log-level", "warning"]
        command += ["--no-control-socket", "deploy.rehearsal.bench.monolith.app:application()"]
        running = subprocess.Popen(command, env={**os.environ, **settings}, pass_fds=[listening.fileno()])
    try:
        _await(port)
        yield port
    finally:
        running.terminate()
        running.wait(30)


def _await(port: int) -> None:
    """Until it answers; the socket listens before any process does."""
    deadline = time.monotonic() + START_SECONDS
    while _ask(port, "GET", "/") != http.client.OK:
        if time.monotonic() > deadline:
            raise RuntimeError("the monolith does not start")
        time.sleep(0.1)


def _send(port: int, rolls: Sequence[Roll], senders: int) -> float:
    """Seconds until every roll is taken."""
    left = iter(rolls)
    lock = threading.Lock()
    refused: list[int] = []

    def person() -> None:
        while True:
            with lock:
                roll = next(left, None)
            if roll is None:
                return
            status = _ask(port, "PUT", f"/schools/{roll.school}/roster", roll.data)
            if status != http.client.CREATED:
                refused.append(status)

    threads = [threading.Thread(target=person) for _ in range(senders)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if refused:
        raise RuntimeError(f"the monolith did not take {len(refused)} rolls: {refused[0]}")
    return seconds


def _ask(port: int, method: str, path: str, body: bytes | None = None) -> int:
    """The status of an answer; 0 without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, body)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _count(connection: psycopg.Connection, table: bytes) -> int:
    row = connection.execute(b"SELECT count(*) FROM " + table).fetchone()
    assert row is not None
    return int(row[0])
