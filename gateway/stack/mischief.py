"""What can go wrong with a stack of containers, done to it on purpose: processes killed, frozen and restarted, their
network cut, the broker put under a memory alarm, gone for a minute, and come back with nothing of what it held. Every
mischief ends by itself; recovery is measured.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.rehearsal.scenario import wait_for
from gateway.stack.compose import WATCH, Container, Stack, StackFault, docker, runs

FROZEN_SECONDS = 5.0
CUT_SECONDS = 4.0
OUTAGE_SECONDS = 60.0
RECOVERY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Mischief:
    """`kind` done to one container of `service`."""

    kind: str
    service: str

    @property
    def name(self) -> str:
        return f"{self.kind} {self.service}"


def kill(target: Container) -> None:
    """SIGKILL to the container's first process from outside, so that the restart policy sees a crash."""
    process = int(docker("inspect", "--format", "{{.State.Pid}}", target.id))
    if not process:
        raise StackFault(f"{target.service} does not run")
    os.kill(process, signal.SIGKILL)


def freeze(target: Container) -> None:
    """Every process of the container stands still for some seconds (SIGSTOP by the kernel's freezer)."""
    docker("pause", target.id)
    time.sleep(FROZEN_SECONDS)
    docker("unpause", target.id)


def restart(target: Container) -> None:
    """An orderly stop and start."""
    docker("restart", "--time", "15", target.id)


def cut(target: Container) -> None:
    """No network to broker and database for some seconds."""
    networks = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", target.id))
    network = next(name for name in networks if name.endswith("_back"))
    docker("network", "disconnect", network, target.id)
    time.sleep(CUT_SECONDS)
    docker("network", "connect", "--alias", target.service, network, target.id)


def alarm(target: Container) -> None:
    """The broker's memory alarm is on for some seconds."""
    with alarmed(target):
        time.sleep(FROZEN_SECONDS)


@contextmanager
def alarmed(target: Container) -> Iterator[None]:
    """The broker believes that it has no memory left and blocks every publisher meanwhile."""
    docker("exec", target.id, "rabbitmqctl", "-q", "set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        yield
    finally:
        docker("exec", target.id, "rabbitmqctl", "-q", "set_vm_memory_high_watermark", "0.6")


def outage(target: Container) -> None:
    """Gone for a minute."""
    docker("stop", "--time", "15", target.id)
    time.sleep(OUTAGE_SECONDS)
    docker("start", target.id)


def wipe(target: Container) -> None:
    """Killed, and everything its volumes held is gone; what it is told at its start is all it has then."""
    about = json.loads(docker("inspect", target.id))[0]
    volumes = [mount["Destination"] for mount in about["Mounts"] if mount["Type"] == "volume"]
    empty = ["find", *volumes, "-mindepth", "1", "-delete"]
    docker("kill", target.id)
    docker(
        "run",
        "--rm",
        "--user",
        "0",
        "--volumes-from",
        target.id,
        "--entrypoint",
        *empty[:1],
        about["Image"],
        *empty[1:],
    )
    docker("start", target.id)


KINDS: dict[str, Callable[[Container], None]] = {
    "kill": kill,
    "freeze": freeze,
    "restart": restart,
    "cut": cut,
    "alarm": alarm,
    "outage": outage,
    "wipe": wipe,
}


def every_mischief(services: Sequence[str]) -> list[Mischief]:
    """All that can be done to these services: one-shots and what watches are left alone, the broker alone has a memory alarm,
    is gone for long and forgets, and broker and database are the network that is cut for the others."""
    once = ("-migrate", "-declare", "broker-topology")
    running = [name for name in services if not name.endswith(once) and name not in WATCH]
    plain = [Mischief(kind, name) for name in running for kind in ("kill", "freeze", "restart")]
    cuts = [Mischief("cut", n) for n in running if n.endswith(("-api", "-uploads", "-worker", "-relay"))]
    return [*plain, *cuts, *(Mischief(kind, "rabbitmq") for kind in ("alarm", "outage", "wipe"))]


def commit(stack: Stack, mischief: Mischief) -> float:
    """Do it, and wait until the stack is whole again; returns the seconds that took from the mischief's end."""
    target = _standing(stack, mischief.service)
    KINDS[mischief.kind](target)
    began = time.monotonic()
    wait_for(lambda: runs(target), f"{mischief.name}: back again", RECOVERY_SECONDS)
    return time.monotonic() - began


def _standing(stack: Stack, service: str) -> Container:
    """A container of the service that is up: what just crashed at a crash point is waited for."""

    def look() -> Container | None:
        return next((c for c in stack.containers() if c.service == service and runs(c)), None)

    return wait_for(look, f"a running container of {service}", RECOVERY_SECONDS)


def whole(stack: Stack) -> bool:
    """Whether every container runs and passes its health check now, and every one-shot ended well."""
    return all(c.exit_code == 0 if c.state == "exited" else runs(c) for c in stack.containers())
