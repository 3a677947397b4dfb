"""The report of a deadline day: what was played, how it was answered, how full the system was, what a checker found. As
plain figures for JSON, and as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deploy.rehearsal.checker import Verdict
from deploy.rehearsal.load.charts import Chart, Line, svg
from deploy.rehearsal.load.flood import Flooded
from deploy.rehearsal.load.sampler import Sample
from deploy.rehearsal.load.schedule import Plan
from deploy.rehearsal.load.school_day import Record
from deploy.rehearsal.load.series import ACTS, by_kind, series, statuses

NAMES: Final = {
    "acts": "ยืนยัน รับรอง · confirm, certify",
    "uploads": "ส่งแฟ้ม · uploads",
    "reads": "เปิดดู · reads",
    "mends": "ชี้แจง · explanations",
    "upload": "ส่งแฟ้ม · upload a roll",
    "poll": "ถามผลตรวจ · ask how far it is",
    "look": "เปิดหน้าโรงเรียน · open the school's page",
    "mend": "ชี้แจง · explain, claim a pupil",
    "confirm": "ยืนยัน · confirm",
    "certify": "รับรอง · certify",
    "progress": "ความคืบหน้าของเขต · an area's progress",
}
_PERCENTILE_NAMES: Final = {
    50: "ครึ่งหนึ่งเร็วกว่านี้ · p50",
    95: "95 ใน 100 · p95",
    99: "99 ใน 100 · p99",
}
_WAITED: Final = "เวลารอของการยืนยันและรับรอง · how long acts waited, from when they were due"
_NOT_APPLIED: Final = "เหตุการณ์ที่ยังส่งไม่ครบ · events not applied by everybody yet"


@dataclass(frozen=True)
class Day:
    """All that is known of a day that was played. `unserved`: schools whose certification was never answered well;
    `verdict`: the checker's."""

    plan: Plan
    machine: dict[str, Any]
    records: Sequence[Record]
    samples: Sequence[Sample]
    unserved: Sequence[str]
    verdict: Verdict
    flooded: Flooded | None = None

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing twice, everybody served."""
        return self.verdict.sound and not self.unserved


def figures(day: Day) -> dict[str, Any]:
    """The day as JSON holds it."""
    return {
        "plan": asdict(day.plan),
        "machine": day.machine,
        **{name: len(getattr(day.verdict, name)) for name in ("lost", "doubled", "unexpected")},
        "unserved": list(day.unserved),
        "calls": by_kind(day.records),
        "acts_goodput_ratio": _goodput(day),
        "wait_without_answer_max_s": _silent(day),
        "flood": asdict(day.flooded) if day.flooded else None,
        "series": series(day.records, day.samples).plain(),
    }


def html(day: Day) -> str:
    """The report as one HTML page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counted = statuses(day.records)
    return environment.get_template("report.html").render(
        day=day,
        names=NAMES,
        kinds=_in_order(by_kind(day.records)),
        counted=counted,
        statuses=sorted({status for _, status in counted}),
        silent=_silent(day),
        goodput=_goodput(day),
        charts=[(chart, svg(chart, f"chart-{n}")) for n, chart in enumerate(charts(day), 1)],
    )


def charts(day: Day) -> list[Chart]:
    """Arrivals, goodput, how long acts waited, who waits at the edge, what waits inside."""
    over = series(day.records, day.samples)
    waited = [Line(_PERCENTILE_NAMES[p], values) for p, values in over.latency.items()]
    queues = [Line(pool, waiting) for pool, waiting in over.queues.items()]
    drawn: list[tuple[str, str, list[float], list[Line]]] = [
        ("มาถึง · arrivals", "1/s", over.edges, _named(over.arrivals)),
        ("สำเร็จ · answered well", "1/s", over.edges, _named(over.goodput)),
        (_WAITED, "s", over.edges, waited),
        ("คิวที่ประตู · waiting at the edge", "", over.sampled, queues),
        ("แฟ้มรอตรวจ · files to be checked", "", over.sampled, [Line("แฟ้ม · files", over.uploads)]),
        (_NOT_APPLIED, "", over.sampled, [Line("เหตุการณ์ · events", over.outbox)]),
    ]
    until, crowd = over.edges[-1], _crowd(day.plan)
    return [
        Chart(title, unit, at, [line for line in lines if any(line.values)], until, crowd, log=unit == "s")
        for title, unit, at, lines in drawn
    ]


def _named(values: dict[str, list[float]]) -> list[Line]:
    return [Line(NAMES[group], rates) for group, rates in values.items()]


def _in_order(kinds: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """As a school comes to them."""
    return {kind: kinds[kind] for kind in NAMES if kind in kinds}


def _crowd(plan: Plan) -> tuple[float, float] | None:
    return (plan.seconds - plan.crowd, plan.seconds) if plan.crowd else None


def _silent(day: Day) -> float:
    """The longest that anybody's act was left without any answer, be it that there is no room yet."""
    return round(max((r.answer.silent for r in day.records if r.kind in ACTS), default=0.0), 3)


def _goodput(day: Day) -> float | None:
    """Of an overload: the part of all schools' acts that was answered well by the time the last was due."""
    if not day.plan.rate:
        return None
    good = sum(r.kind in ACTS and r.answer.good and r.answer.done <= day.plan.seconds for r in day.records)
    return round(good / (len(ACTS) * day.plan.schools), 4)
