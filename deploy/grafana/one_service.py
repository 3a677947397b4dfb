"""One service, chosen above: its answers, its events, its processes."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableRefresh, VariableSort

from deploy.grafana.panels import PROMETHEUS, Panel, dashboard, graph

_CHOSEN = 'service=~"$service"'


def board() -> Dashboard:
    choice = (
        QueryVariable("service")
        .label("service")
        .datasource(PROMETHEUS)
        .query("label_values(tabian_http_request_seconds_count, service)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
    return dashboard(
        "บริการหนึ่ง · One service",
        "What one of the services answers, takes, sends and uses.",
        {
            "คำตอบ · Answers": _answers(),
            "เหตุการณ์ · Events": _events(),
            "โพรเซส · Processes": _processes(),
        },
        choice,
    )


def _answers() -> list[Panel]:
    by_route = "sum by (method, route)"
    count, bucket = "tabian_http_request_seconds_count", "tabian_http_request_seconds_bucket"
    return [
        graph(
            "คำขอต่อวินาที · Requests a second",
            {"{{method}} {{route}}": f"{by_route} (rate({count}{{{_CHOSEN}}}[1m]))"},
            unit="reqps",
        ),
        graph(
            "ผิดพลาดต่อวินาที · Errors a second",
            {"{{status}}": f'sum by (status) (rate({count}{{{_CHOSEN}, status=~"[45].."}}[1m]))'},
            unit="reqps",
        ),
        graph(
            "p99",
            {
                "{{method}} {{route}}": "histogram_quantile(0.99, sum by (le, method, route) "
                f"(rate({bucket}{{{_CHOSEN}}}[5m])))"
            },
            unit="s",
        ),
    ]


def _events() -> list[Panel]:
    return [
        graph(
            "ส่งต่อวินาที · Published a second",
            {"{{type}}": f"sum by (type) (rate(tabian_events_published_total{{{_CHOSEN}}}[1m]))"},
        ),
        graph(
            "รับต่อวินาที · Handled a second",
            {
                "{{type}} {{outcome}}": "sum by (type, outcome) "
                f"(rate(tabian_events_handled_total{{{_CHOSEN}}}[1m]))"
            },
        ),
        graph(
            "เวลาต่อธุรกรรม · Time of a transaction",
            {
                "{{type}}": f"sum by (type) (rate(tabian_handler_seconds_sum{{{_CHOSEN}}}[5m])) "
                f"/ sum by (type) (rate(tabian_handler_seconds_count{{{_CHOSEN}}}[5m]))"
            },
            unit="s",
        ),
        graph(
            "ในกล่องออก · Outbox rows",
            {
                "{{consumer}} {{state}}": f"sum by (consumer, state) (max by (type, consumer, state) (tabian_outbox_rows{{{_CHOSEN}}}))"
            },
        ),
        graph(
            "งานเบื้องหลังต่อนาที · Job runs a minute",
            {
                "{{exported_job}} {{outcome}}": "60 * sum by (exported_job, outcome) "
                f"(rate(tabian_job_runs_total{{{_CHOSEN}}}[5m]))"
            },
        ),
    ]


def _processes() -> list[Panel]:
    own = 'job="process", process=~"$service.*"'
    return [
        graph("ทำงานอยู่ · Processes up", {"{{process}}": f"sum by (process) (up{{{own}}})"}),
        graph("ผู้รับข้อความ · Workers", {"": f"sum(tabian_worker_running{{{_CHOSEN}}})"}),
        graph(
            "หน่วยประมวลผล · Processor",
            {"{{process}}": f"sum by (process) (rate(process_cpu_seconds_total{{{own}}}[1m]))"},
            unit="percentunit",
        ),
        graph(
            "หน่วยความจำ · Memory",
            {"{{process}}": f"sum by (process) (process_resident_memory_bytes{{{own}}})"},
            unit="bytes",
        ),
        graph(
            "การเชื่อมต่อฐานข้อมูล · Database connections",
            {"{{process}} {{state}}": f"sum by (process, state) (tabian_pool_connections{{{_CHOSEN}}})"},
        ),
    ]
