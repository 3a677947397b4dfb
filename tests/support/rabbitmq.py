"""A RabbitMQ node of the tests' own: free ports, a temporary folder, its own epmd; and ways of hurting it.

The server's processes are children of the test run. Nothing of a RabbitMQ that the machine runs is touched.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pika
import psutil

from services.contracts.topology import topology

PLACES = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin")
START_SECONDS = 60
CONFIGURATION = """
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users = none
log.file.level = warning
vm_memory_high_watermark.relative = 0.6
disk_free_limit.absolute = 20MB
"""


def _program(name: str) -> str:
    """Debian's own script refuses any user but root and its own: the one behind it does not."""
    for place in PLACES:
        if (Path(place) / name).exists():
            return str(Path(place) / name)
    found = shutil.which(name)
    assert found, f"{name} is not installed: run deploy/setup/rabbitmq"
    return found


def _epmd() -> str:
    found = shutil.which("epmd")
    if found is None:
        found = str(next(Path("/usr/lib/erlang").glob("erts-*/bin/epmd")))
    return found


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class _Guard:
    """Kills a process group as soon as this process is gone, however it went."""

    def __init__(self, group: int) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; kill -9 "-$1" 2>/dev/null', "guard", str(group)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def strike(self) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(10)


class Given:
    """A broker that runs already, named by an URL whose user may do everything there. What kills it cannot be tried."""

    def __init__(self, url: str) -> None:
        self.url = url

    def waiting(self, queue: str) -> int:
        """Messages in a queue that no consumer has in hand."""
        with self._channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def empty(self) -> None:
        """Throw away what lies in the declared queues."""
        with self._channel() as channel:
            for queue in topology().queues:
                channel.queue_purge(queue.name)

    def wipe(self) -> None:
        """Every queue is gone with what lay in it."""
        with self._channel() as channel:
            for queue in topology().queues:
                channel.queue_delete(queue.name)

    def stop(self) -> None:
        """It is not ours to stop."""

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            yield connection.channel()


class Node(Given):
    """A running node of our own below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._epmd_port, self._dist_port = _free_ports(3)
        super().__init__(f"amqp://guest:guest@127.0.0.1:{self.port}/%2F")
        (folder / "home").mkdir(parents=True)
        (folder / "rabbitmq.conf").write_text(CONFIGURATION.format(port=self.port))
        (folder / "plugins").write_text("[].")
        (folder / "env.conf").touch()
        self._environment = os.environ | {
            "HOME": str(folder / "home"),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"tabian{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2",
        }
        self._names = subprocess.Popen(
            [_epmd(), "-port", str(self._epmd_port), "-address", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._names_guard = _Guard(self._names.pid)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: _Guard | None = None

    def start(self) -> None:
        """Returns when the AMQP port answers."""
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                [_program("rabbitmq-server")],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._guard = _Guard(self._process.pid)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.answers():
                return
            assert self._process.poll() is None, self.output
            time.sleep(0.1)
        raise TimeoutError(f"RabbitMQ did not start:\n{self.output}")

    def answers(self) -> bool:
        """Whether the AMQP port speaks AMQP."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                probe.settimeout(5)
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                return probe.recv(1) == b"\x01"
        except OSError:
            return False

    @property
    def output(self) -> str:
        return (self.folder / "output.log").read_text(errors="replace")[-4000:]

    def kill(self) -> None:
        """SIGKILL of every process of the node."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        assert self._guard is not None
        self._process.wait(10)
        self._guard.strike()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Kill it, lose all it stored, and start it empty."""
        self.kill()
        shutil.rmtree(self.folder / "data")
        self.start()

    def control(self, *arguments: str) -> str:
        """rabbitmqctl; takes a second or two."""
        command = [_program("rabbitmqctl"), "--quiet", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.resume()
            self.kill()
        self._names_guard.strike()
        self._names.wait(10)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._family():
            with suppress(psutil.NoSuchProcess):  # a helper of the node that lived for a moment
                process.send_signal(number)

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        return [*parent.children(recursive=True), parent]
