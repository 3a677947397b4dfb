"""The summary of a bench while it grows: each part's figures, what making its load cost this process, and which figures a
whole bench has. Not here: what they should be (docs/benchmarks.md).
"""

from __future__ import annotations

import math
import os
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gateway.cli.result import write_json

FIGURES: Final = (
    *("intake_students_per_s", "intake_vs_monolith", "intake_vs_copy", "intake_vs_copy_per_roster"),
    *("acts_rate", "acts_p99_s", "acts_knee_per_s", "acts_vs_bare"),
    *("overload_goodput_ratio", "overload_wait_max_s", "signin_flood_p99_ratio"),
    *("idle_visible_p95_s", "close_s", "export_vs_copy_to", "relay_vs_confirm_each"),
    *("rss_max_mib", "growth_ratio", "lost", "doubled", "cores"),
)
"""Numbers that every whole bench has, yardsticks included."""
PARTS: Final = ("machine", "growth", "acts_knee_steps", "cpu_seconds", "generator_cpu_seconds", "rss_mib")
"""What it tells beside them: none may be empty."""


class Summary:
    """Figures so far, in `figures`; written after each part, so that what breaks off later costs no earlier one."""

    def __init__(self, file: Path, first: Mapping[str, Any]) -> None:
        self.figures: dict[str, Any] = {**first, "generator_cpu_seconds": {}, "generator_rss_mib": {}}
        self._file = file

    def add(self, part: str, measure: Callable[[], Mapping[str, Any]]) -> None:
        """Measure a part. `generator_cpu_seconds`: by part what this process and the programs it ran to their end (wrk, the
        monolith of the yardsticks) spent; `generator_rss_mib`: its largest size by the end of the part."""
        before = _cpu_seconds()
        self.figures |= measure()
        self.figures["generator_cpu_seconds"][part] = round(_cpu_seconds() - before, 1)
        self.figures["generator_rss_mib"][part] = _peak_mib()
        write_json(self._file, self.figures)


def missing(figures: Mapping[str, Any]) -> list[str]:
    """Those of FIGURES that are no number here, and those of PARTS that are not here or empty."""
    return [
        *(name for name in FIGURES if not _number(figures.get(name))),
        *(name for name in PARTS if not figures.get(name)),
    ]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _cpu_seconds() -> float:
    """Of this process and of those it waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak_mib() -> int:
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
