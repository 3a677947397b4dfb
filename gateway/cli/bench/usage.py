"""What the stack's processes used: CPU, memory, and room in their databases."""

from __future__ import annotations

from typing import Any

from gateway.cli.yard import Yard
from gateway.stack.compose import Stack, cpu_seconds, memory_peaks
from gateway.stack.secrets import SERVICES


def measure_usage(yard: Yard) -> dict[str, Any]:
    """After all that: the largest process of each service, CPU seconds of each since it started, MiB of each database."""
    peaks = memory_peaks(yard.stack.running())
    return {
        "rss_mib": peaks,
        "rss_max_mib": max(peaks.values()),
        "cpu_seconds": spent_since({}, yard.stack),
        "database_mib": {name: _database_mib(yard, name) for name in SERVICES},
    }


def _database_mib(yard: Yard, service: str) -> int:
    return int(yard.databases.ask(service, "SELECT pg_database_size(current_database()) / 1048576")[0][0])


def spent_since(before: dict[str, float], stack: Stack) -> dict[str, float]:
    """CPU seconds of each service since `before`, the most first."""
    after = cpu_seconds(stack.running())
    spent = {name: round(after[name] - before.get(name, 0.0), 1) for name in after}
    return dict(sorted(spent.items(), key=lambda item: -item[1]))
