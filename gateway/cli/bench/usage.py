"""What the stack's processes used: CPU and memory."""

from __future__ import annotations

from typing import Any

from gateway.cli.yard import Yard
from gateway.stack.compose import Stack, cpu_seconds, memory_peaks


def measure_memory(yard: Yard) -> dict[str, Any]:
    """The largest process of each service, after all that."""
    peaks = memory_peaks(yard.stack.running())
    return {"rss_mib": peaks, "rss_max_mib": max(peaks.values())}


def spent_since(before: dict[str, float], stack: Stack) -> dict[str, float]:
    """CPU seconds of each service since `before`, the most first."""
    after = cpu_seconds(stack.running())
    spent = {name: round(after[name] - before.get(name, 0.0), 1) for name in after}
    return dict(sorted(spent.items(), key=lambda item: -item[1]))
