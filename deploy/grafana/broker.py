"""RabbitMQ: what lies in it, who takes it, what it has room for."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import Panel, dashboard, graph, number


def board() -> Dashboard:
    return dashboard(
        "ตัวกลางข้อความ · Broker",
        "It may lose everything: the outboxes send again. It must not be full.",
        {
            "คิว · Queues": _queues(),
            "ทั้งหมด · As a whole": _whole(),
            "จากโพรเซส · As the processes see it": _seen(),
        },
    )


def _queues() -> list[Panel]:
    return [
        graph(
            "ข้อความรออยู่ · Messages",
            {"{{queue}}": 'rabbitmq_detailed_queue_messages{queue!~".+[.]dead|unrouted"}'},
        ),
        graph(
            "ค้างตาย · Dead letters and unrouted",
            {"{{queue}}": 'rabbitmq_detailed_queue_messages{queue=~".+[.]dead|unrouted"}'},
        ),
        graph(
            "ผู้รับ · Consumers",
            {"{{queue}}": 'rabbitmq_detailed_queue_consumers{queue!~".+[.]dead|unrouted"}'},
        ),
    ]


def _whole() -> list[Panel]:
    return [
        number(
            "สัญญาณเตือน · Alarms",
            {
                "memory": "max(rabbitmq_alarms_memory_used_watermark)",
                "disk": "max(rabbitmq_alarms_free_disk_space_watermark)",
            },
            about="1: it takes nothing more from anybody.",
        ),
        number("การเชื่อมต่อ · Connections", {"": "rabbitmq_connections"}),
        graph(
            "ผ่านต่อวินาที · Messages a second",
            {
                "เข้า · received": "sum(rate(rabbitmq_global_messages_received_total[1m]))",
                "รับรอง · confirmed": "sum(rate(rabbitmq_global_messages_confirmed_total[1m]))",
                "ส่งต่อ · delivered": "sum(rate(rabbitmq_global_messages_delivered_total[1m]))",
                "ส่งซ้ำ · redelivered": "sum(rate(rabbitmq_global_messages_redelivered_total[1m]))",
            },
        ),
        graph(
            "หน่วยความจำ · Memory",
            {
                "ใช้ · used": "rabbitmq_process_resident_memory_bytes",
                "เพดาน · alarm at": "rabbitmq_resident_memory_limit_bytes",
            },
            unit="bytes",
        ),
        graph(
            "พื้นที่ดิสก์ · Disk",
            {
                "ว่าง · free": "rabbitmq_disk_space_available_bytes",
                "เพดาน · alarm below": "rabbitmq_disk_space_available_limit_bytes",
            },
            unit="bytes",
        ),
    ]


def _seen() -> list[Panel]:
    return [
        graph(
            "เชื่อมต่ออยู่ · Connected",
            {"{{process}} {{role}}": "sum by (process, role) (tabian_broker_connected)"},
        ),
        graph(
            "ไม่รับรองต่อวินาที · Refused a second",
            {"{{process}} {{outcome}}": "sum by (process, outcome) (rate(tabian_broker_refused_total[1m]))"},
        ),
        graph(
            "มาซ้ำต่อวินาที · Came again, a second",
            {"{{service}} {{type}}": "sum by (service, type) (rate(tabian_redeliveries_total[1m]))"},
        ),
    ]
