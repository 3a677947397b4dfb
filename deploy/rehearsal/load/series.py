"""A day's answers and samples as figures: over time in buckets of equal length, and by kind of call and status."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from deploy.rehearsal.load.caller import Answer
from deploy.rehearsal.load.figures import outcome
from deploy.rehearsal.load.sampler import Sample
from deploy.rehearsal.load.school_day import Record

ACTS: Final = ("confirm", "certify")
GROUPS: Final = {
    "acts": ACTS,
    "uploads": ("upload",),
    "reads": ("look", "poll", "progress"),
    "mends": ("mend",),
}
"""What a person would put together → kinds of call."""
PERCENTILES: Final = (50, 95, 99)
_BUCKETS = 120


@dataclass(frozen=True, slots=True)
class Series:
    """Figures of a day over time. `edges`: seconds at which the buckets begin, and the last ends; every list of `arrivals`
    (due, a second) and `goodput` (answered well, a second), by group, has one value a bucket; `latency`: percentile
    → seconds that the acts due in the bucket waited until they were answered (NaN: none was due). `sampled`: seconds
    of the samples; `queues`, by process pool, those that ever had anybody waiting, `uploads` and `outbox` have one
    value a sample."""

    edges: list[float]
    arrivals: dict[str, list[float]]
    goodput: dict[str, list[float]]
    latency: dict[int, list[float]]
    sampled: list[float]
    queues: dict[str, list[int]]
    uploads: list[int]
    outbox: list[int]

    def plain(self) -> dict[str, Any]:
        """As JSON holds it: NaN is null."""
        latency = {
            f"p{p}_s": [None if math.isnan(v) else round(v, 4) for v in values]
            for p, values in self.latency.items()
        }
        return {
            "bucket_edges_s": [round(edge, 3) for edge in self.edges],
            "arrivals_per_s": {name: [round(v, 2) for v in values] for name, values in self.arrivals.items()},
            "goodput_per_s": {name: [round(v, 2) for v in values] for name, values in self.goodput.items()},
            "acts_latency": latency,
            "sampled_s": [round(second, 2) for second in self.sampled],
            "edge_queue": self.queues,
            "uploads_waiting": self.uploads,
            "outbox_waiting": self.outbox,
        }


def series(records: Sequence[Record], samples: Sequence[Sample]) -> Series:
    """The figures over time. There is at least one record."""
    last = max(record.answer.done for record in records)
    width = max(1, math.ceil(last / _BUCKETS))
    edges = np.arange(0, last + width, width, dtype=float)
    grouped = {
        group: [record.answer for record in records if record.kind in kinds]
        for group, kinds in GROUPS.items()
    }
    arrived = {group: [a.due for a in answers] for group, answers in grouped.items()}
    done = {group: [a.done for a in answers if a.good] for group, answers in grouped.items()}
    pools = sorted({pool for sample in samples for pool, waiting in sample.queues.items() if waiting})
    return Series(
        edges=edges.tolist(),
        arrivals=_rates(arrived, edges),
        goodput=_rates(done, edges),
        latency=_percentiles(grouped["acts"], edges),
        sampled=[sample.second for sample in samples],
        queues={pool: [sample.queues.get(pool, 0) for sample in samples] for pool in pools},
        uploads=[sample.uploads for sample in samples],
        outbox=[sum(sample.outbox.values()) for sample in samples],
    )


def by_kind(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """Kind of call → how many, how fast, with which statuses, how they waited, the longest without any answer."""
    kinds: dict[str, list[Answer]] = defaultdict(list)
    for record in records:
        kinds[record.kind].append(record.answer)
    return {
        kind: {**outcome(answers), "silent_max_s": round(max(a.silent for a in answers), 4)}
        for kind, answers in sorted(kinds.items())
    }


def statuses(records: Iterable[Record]) -> Counter[tuple[str, int]]:
    """(kind, status) → how many."""
    return Counter((record.kind, record.answer.status) for record in records)


def _rates(moments: dict[str, list[float]], edges: np.ndarray[Any, Any]) -> dict[str, list[float]]:
    """Group → so many a second, by bucket; groups of which there is none are left out."""
    width = edges[1] - edges[0]
    return {
        group: (np.histogram(seconds, edges)[0] / width).tolist()
        for group, seconds in moments.items()
        if seconds
    }


def _percentiles(acts: Sequence[Answer], edges: np.ndarray[Any, Any]) -> dict[int, list[float]]:
    buckets: list[list[float]] = [[] for _ in edges[1:]]
    for place, act in zip(np.digitize([act.due for act in acts], edges) - 1, acts, strict=True):
        buckets[place].append(act.waited)
    return {
        p: [float(np.percentile(waited, p)) if waited else math.nan for waited in buckets]
        for p in PERCENTILES
    }
