"""A server that is not ours, run for a test and ended after it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 30.0


@contextmanager
def running(command: Sequence[str], address: str, log: Path) -> Iterator[None]:
    """Until the block ends, from when it says at `address` (http://…) that it is ready, as Prometheus' programs do."""
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            _wait(address, process, log)
            yield
        finally:
            process.terminate()
            process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=address) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get("/-/ready").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
    raise RuntimeError(f"it did not start; see {log}")
