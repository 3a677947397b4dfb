"""The day of confirming as a whole: the round, what people meet, and what is told onwards. What the portal's operations page shows
too is told there (`gateway.portal.day`)."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import Panel, dashboard, graph, number, picture
from gateway.portal import day


def board() -> Dashboard:
    return dashboard(
        "วันยืนยันข้อมูล · Deadline day",
        "From left to right and down: how far the schools are, how they are served, whether all of it is told onwards.",
        {
            "รอบ · The round": _the_round(),
            "สิ่งที่ผู้ใช้พบ · What people meet": [*_answers(), *_queues()],
            "การส่งต่อ · Told onwards": _told(),
        },
    )


def _the_round() -> list[Panel]:
    return [
        number(
            "เวลาที่เหลือ · Time left", {"{{round}}": "max by (round) (tabian_window_seconds_left)"}, unit="s"
        ),
        number(
            "ยืนยันแล้ว ยังไม่รับรอง · One act short",
            {"{{round}}": 'sum by (round) (max by (round, state) (tabian_submissions{state="confirmed"}))'},
            about="Confirmed by the clerk, not yet certified by the director.",
        ),
        picture(day.SCHOOLS),
        picture(day.ACTS),
    ]


def _answers() -> list[Panel]:
    return [
        picture(day.ANSWERS),
        picture(day.TIMES),
        graph(
            "ผิดสัญญา · Acts failed and late",
            {
                "ล้มเหลว · failed": "tabian:acts_failed:ratio_rate5m",
                "ช้า · late": "tabian:acts_late:ratio_rate5m",
            },
            unit="percentunit",
            about="Promised: of a day's acts 0.1 % at most fail and 1 % at most take longer than a second.",
        ),
    ]


def _queues() -> list[Panel]:
    return [
        picture(day.QUEUES),
        graph(
            "รอที่ขอบ p99 · Wait at the edge, p99",
            {
                "{{class}}": "histogram_quantile(0.99, "
                "sum by (class, le) (rate(tabian_edge_wait_seconds_bucket[5m])))"
            },
            unit="s",
            about="From the arrival at the edge until a service begins: queue, and the body's arrival.",
        ),
        graph(
            "ไฟล์รอตรวจ · Files waiting to be checked",
            {
                "ไฟล์ · files": "max(tabian_uploads_waiting)",
                "วินาที · oldest, s": "max(tabian_uploads_oldest_seconds)",
            },
        ),
    ]


def _told() -> list[Panel]:
    return [
        graph(
            "ไม่ตรงกัน · Conservation: rows missing",
            {"{{type}} → {{consumer}}": "tabian:conservation:missing"},
            about="Nought, always: what is applied was handled, and what was handled was published.",
        ),
        picture(day.OUTBOX),
        graph(
            "เก่าสุดที่ยังไม่ส่ง · Oldest unsent",
            {"{{service}}": "max by (service) (tabian_outbox_oldest_seconds)"},
            unit="s",
        ),
        picture(day.LAG),
        graph("ถูกพักไว้ · Parked", {"{{service}}": "max by (service) (tabian_outbox_parked)"}),
        graph(
            "กรณีซ้ำซ้อน · Duplicate cases",
            {"{{state}} {{age}}": "max by (state, age) (tabian_cases)"},
        ),
    ]
