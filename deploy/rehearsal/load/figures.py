"""What a load came to, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from deploy.rehearsal.load.caller import Answer


def waits(answers: Sequence[Answer]) -> dict[str, float]:
    """Seconds from due to answered: p50, p95, p99 and the longest."""
    waited = [answer.waited for answer in answers]
    p50, p95, p99 = np.percentile(waited, [50, 95, 99])
    return {"p50_s": _r(p50), "p95_s": _r(p95), "p99_s": _r(p99), "max_s": _r(max(waited))}


def outcome(answers: Sequence[Answer]) -> dict[str, Any]:
    """How many, how fast, with which statuses, and how they waited."""
    seconds = max(a.done for a in answers) - min(a.due for a in answers)
    statuses = Counter(str(a.status) for a in answers)
    return {
        "answers": len(answers),
        "statuses": dict(sorted(statuses.items())),
        "per_s": round(sum(a.good for a in answers) / seconds, 1),
        "tried_again": sum(a.tries > 1 for a in answers),
        **waits(answers),
    }


def percentile(seconds: Sequence[float], part: float) -> float:
    """The value that `part` of 100 do not exceed."""
    return _r(np.percentile(seconds, part))


def _r(value: float) -> float:
    return round(float(value), 4)
