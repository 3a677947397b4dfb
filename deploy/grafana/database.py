"""PostgreSQL: who is connected, what it does, how it finds room."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import Panel, dashboard, graph


def board() -> Dashboard:
    return dashboard(
        "ฐานข้อมูล · Database",
        "Each service's database as the server itself counts it.",
        {"การเชื่อมต่อ · Connections": _connections(), "งาน · Work": _work(), "ที่ว่าง · Room": _room()},
    )


def _connections() -> list[Panel]:
    return [
        graph(
            "ต่ออยู่ · Connected",
            {"{{service}} {{state}}": "max by (service, state) (tabian_database_connections)"},
        ),
        graph(
            "ของทั้งหมด · Of all there may be",
            {"": "max(tabian_database_connections_taken) / max(tabian_database_connections_max)"},
            unit="percentunit",
        ),
        graph(
            "พูลของโพรเซส · The processes' pools in use",
            {
                "{{process}}": 'sum by (process) (tabian_pool_connections{state="in_use"})'
                " / sum by (process) (tabian_pool_size)"
            },
            unit="percentunit",
        ),
    ]


def _work() -> list[Panel]:
    return [
        graph(
            "ธุรกรรมต่อวินาที · Commits a second",
            {"{{service}}": "max by (service) (rate(tabian_database_commits_total[1m]))"},
        ),
        graph(
            "ยกเลิกต่อวินาที · Rollbacks a second",
            {"{{service}}": "max by (service) (rate(tabian_database_rollbacks_total[1m]))"},
        ),
        graph(
            "ติดตาย · Deadlocks in five minutes",
            {"{{service}}": "max by (service) (increase(tabian_database_deadlocks_total[5m]))"},
        ),
        graph(
            "ธุรกรรมเก่าสุด · Oldest transaction",
            {"{{service}}": "max by (service) (tabian_database_oldest_transaction_seconds)"},
            unit="s",
        ),
    ]


def _room() -> list[Panel]:
    hit, read = "tabian_database_blocks_hit_total", "tabian_database_blocks_read_total"
    return [
        graph("ขนาด · Size", {"{{service}}": "max by (service) (tabian_database_size_bytes)"}, unit="bytes"),
        graph(
            "พบในหน่วยความจำ · Found in memory",
            {
                "{{service}}": f"max by (service) (rate({hit}[5m]))"
                f" / (max by (service) (rate({hit}[5m])) + max by (service) (rate({read}[5m])))"
            },
            unit="percentunit",
        ),
        graph(
            "แฟ้มชั่วคราวต่อวินาที · Temporary files",
            {"{{service}}": "max by (service) (rate(tabian_database_temporary_bytes_total[5m]))"},
            unit="Bps",
        ),
        graph(
            "ดิสก์ว่าง · Disk free",
            {"{{mount}}": "min by (mount) (tabian_disk_free_bytes / tabian_disk_size_bytes)"},
            unit="percentunit",
        ),
    ]
