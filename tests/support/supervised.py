"""The embedded system as a process of its own, started again whenever it dies; and ways of killing it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil

from gateway.embedded import free_port
from gateway.portal.app import SERVICE as PORTAL
from gateway.portal.enrolment import Entry, store
from services.contracts.access import Grant
from services.kit.clock import Clock
from services.kit.crash import noted
from services.kit.database import Database

START_SECONDS = 60


class Supervised:
    """`tabian up` in `folder`. `points`: crash points it shall die at, each once (see services/kit/crash.py); `level`: of its
    log, in `output`. What it prints for people is in `printed`."""

    def __init__(self, folder: Path, points: tuple[str, ...] = (), level: str = "INFO") -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.deaths = 0
        self._points, self._level = points, level
        self._log = folder / "crashes.log"
        self._stopping = threading.Event()
        folder.mkdir(parents=True, exist_ok=True)
        self._process = self._start()
        self._watch = threading.Thread(target=self._keep_running, daemon=True)

    @property
    def crashed_at(self) -> list[str]:
        """The crash points the system died at so far, in order."""
        return noted(self._log)

    def start(self) -> None:
        self._watch.start()
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.address}/healthz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError("the embedded system did not start:\n" + self.output[-4000:])

    @property
    def output(self) -> str:
        """Everything the system logged in all its lives."""
        return (self.folder / "output.log").read_text()

    @property
    def printed(self) -> str:
        return (self.folder / "printed.log").read_text()

    def enrol(self, people: list[tuple[str, str, str, str]], password: str) -> dict[str, str]:
        """Accounts straight into the portal's database; returns username → password."""
        url = json.loads((self.folder / "databases.json").read_text())["portal"]
        database = Database(url, PORTAL, Clock(), pool_size=1)
        entries = [
            Entry(username, name, [Grant(role, scope)], password) for username, name, role, scope in people
        ]
        store(database, entries, replace=False)
        database.close()
        return {entry.username: password for entry in entries}

    def kill(self, *, postgres: bool = False) -> None:
        """SIGKILL, and with `postgres` every process of its PostgreSQL as well."""
        victims = [psutil.Process(self._process.pid)]
        if postgres:
            pid = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
            postmaster = psutil.Process(pid)
            victims += [postmaster, *postmaster.children(recursive=True)]
        for victim in victims:
            try:
                victim.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue

    def stop(self) -> None:
        self._stopping.set()
        self._watch.join(timeout=START_SECONDS)
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill(postgres=True)

    def _keep_running(self) -> None:
        while not self._stopping.wait(0.05):
            if self._process.poll() is not None:
                self.deaths += 1
                self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "TABIAN_CRASH_AT": ",".join(self._points),
            "TABIAN_CRASH_LOG": str(self._log),
        }
        with (
            (self.folder / "output.log").open("ab") as output,
            (self.folder / "printed.log").open("ab") as printed,
        ):
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gateway.cli",
                    "up",
                    "--log-level",
                    self._level,
                    "--folder",
                    str(self.folder),
                    "--port",
                    str(self.port),
                ],
                stdout=printed,
                stderr=output,
                env=environment,
            )
