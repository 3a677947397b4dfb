"""One compose project: its commands, its containers, and waiting until all of it is up.

Not here: what the containers are (docker-compose.yml).
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
SOCKET = Path("/var/run/docker.sock")
WATCH_PORTS = ("TABIAN_PROMETHEUS_PORT", "TABIAN_ALERTMANAGER_PORT", "TABIAN_GRAFANA_PORT")
WATCH = ("prometheus", "alertmanager", "grafana")
"""What looks at the others; the system does without."""


class StackFault(RuntimeError):
    """Docker or a container did not do what was asked; the text says which."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container as compose tells of it. `health`: "", starting, healthy or unhealthy."""

    id: str
    service: str
    state: str
    health: str
    exit_code: int

    @property
    def settled(self) -> bool:
        """Up and healthy, or a one-shot that ended well."""
        if self.state == "exited":
            return self.exit_code == 0
        return self.state == "running" and self.health in ("", "healthy")


@dataclass(frozen=True, slots=True)
class Stack:
    """The project `name` with its secrets and clock below `folder`; the edge answers on `port` of this machine.
    `over`: files that compose lays over docker-compose.yml. `beside`: it may run beside another, so Prometheus and
    Alertmanager take ports that are free; else those of docker-compose.yml."""

    name: str
    folder: Path
    port: int
    over: tuple[Path, ...] = ()
    beside: bool = True

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def clock(self) -> Path:
        return self.folder / "clock" / "clock.json"

    @property
    def archive(self) -> Path:
        """Where backups are: where TABIAN_ARCHIVE says, if it is this machine's own stack; else beside the stack's folder, and left
        alone when that is cleared away."""
        named = "" if self.beside else os.environ.get("TABIAN_ARCHIVE", "")
        return Path(named) if named else self.folder.with_name(f"{self.folder.name}-archive")

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def published(self, service: str, port: int) -> str:
        """Where the one process of a service answers on this machine, as http://host:port. Raises StackFault."""
        where = self.compose("port", service, str(port)).strip()
        return f"http://{where}"

    def compose(self, *words: str, text: str | None = None, quiet: bool = True) -> str:
        """Run `docker compose …`; returns what it printed. Raises StackFault with its last lines."""
        environ = {
            **os.environ,
            "TABIAN_SECRETS": str(self.secrets.resolve()),
            "TABIAN_CLOCK": str(self.clock.parent.resolve()),
            "TABIAN_ARCHIVE": str(self.archive.resolve()),
            "TABIAN_EDGE_PORT": str(self.port),
            **(dict.fromkeys(WATCH_PORTS, "") if self.beside else {}),
        }
        files = [word for file in (COMPOSE_FILE, *self.over) for word in ("--file", str(file.resolve()))]
        done = subprocess.run(
            ["docker", "compose", *files, "--project-name", self.name, *words],
            cwd=ROOT,
            env=environ,
            input=text,
            capture_output=quiet,
            text=True,
            check=False,
        )
        if done.returncode:
            said = "\n".join((done.stderr or "").splitlines()[-15:])
            raise StackFault(f"docker compose {' '.join(words)}: exit {done.returncode}\n{said}")
        return done.stdout or ""

    def containers(self) -> list[Container]:
        """Every container of the project, one-shots that ended included."""
        lines = self.compose("ps", "--all", "--format", "json").strip().splitlines()
        rows = [row for line in lines for row in _rows(json.loads(line))]
        return [Container(r["ID"], r["Service"], r["State"], r["Health"], int(r["ExitCode"])) for r in rows]

    def running(self, *services: str) -> list[Container]:
        """The containers that run, of these services or of all."""
        return [
            c for c in self.containers() if c.state == "running" and (not services or c.service in services)
        ]

    def wait(self, seconds: float = 240) -> None:
        """Until every container is settled and the edge answers; StackFault names those that are not."""
        deadline = time.monotonic() + seconds
        while True:
            missing = [c for c in self.containers() if not c.settled]
            if not missing and self._answers():
                return
            broken = [c for c in missing if c.state == "exited" and c.service.endswith("-migrate")]
            if broken or time.monotonic() > deadline:
                names = ", ".join(sorted({f"{c.service} ({c.state} {c.health})" for c in missing})) or "edge"
                raise StackFault(
                    f"not up: {names}\n{self.compose('logs', '--tail', '20', '--no-color')[-4000:]}"
                )
            time.sleep(1)

    def client(self) -> httpx.Client:
        """A client that knows the stack's own certificate."""
        trusted = ssl.create_default_context(cafile=self.secrets / "edge.crt")
        return httpx.Client(base_url=self.address, verify=trusted, timeout=60)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return client.get("/.well-known/jwks.json").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def _rows(said: Any) -> list[dict[str, Any]]:
    """Compose prints one object a line, older ones a list of all."""
    return said if isinstance(said, list) else [said]


def docker(*words: str) -> str:
    """Run docker; returns what it printed. Raises StackFault."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackFault(f"docker {' '.join(words)}: {done.stderr.strip()[-400:]}")
    return done.stdout


def runs(target: Container) -> bool:
    """Whether the container runs and passes its own health check now. Docker itself asks only every other minute, and calls
    unhealthy meanwhile whatever was paused."""
    about = json.loads(docker("inspect", target.id))[0]
    state = about["State"]
    if not state["Running"] or state["Paused"] or state["Restarting"]:
        return False
    _, *check = about["Config"]["Healthcheck"]["Test"]
    done = subprocess.run(["docker", "exec", target.id, *check], capture_output=True, check=False)
    return done.returncode == 0


def cpu_share(containers: list[Container], seconds: float) -> dict[str, float]:
    """Share of one core that each service's containers use over some seconds; {} where Docker's socket is elsewhere."""
    before = cpu_seconds(containers)
    time.sleep(seconds)
    return {name: (spent - before[name]) / seconds for name, spent in cpu_seconds(containers).items()}


def cpu_seconds(containers: list[Container]) -> dict[str, float]:
    """CPU seconds each service's containers have used since they started; {} where Docker's socket is elsewhere."""
    if not SOCKET.exists():
        return {}
    spent: dict[str, float] = {}
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(SOCKET)), base_url="http://docker") as client:
        for container in containers:
            asked = {"stream": "false", "one-shot": "true"}
            answer = client.get(f"/containers/{container.id}/stats", params=asked).json()
            used = float(answer["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9
            spent[container.service] = spent.get(container.service, 0.0) + used
    return spent


def memory_peaks(containers: list[Container]) -> dict[str, float]:
    """MiB of memory that the largest process of each service has had resident at once since it started."""
    peaks: dict[str, float] = {}
    for container in containers:
        for pid in docker("top", container.id, "-o", "pid").split()[1:]:
            peaks[container.service] = max(peaks.get(container.service, 0.0), _peak_mib(pid))
    return peaks


def _peak_mib(pid: str) -> float:
    """0 for a process that has ended, and for one whose host's table is elsewhere."""
    status = Path("/proc", pid, "status")
    said = status.read_text() if status.exists() else ""
    kib = next((line.split()[1] for line in said.splitlines() if line.startswith("VmHWM:")), "0")
    return round(int(kib) / 1024, 1)
