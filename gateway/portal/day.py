"""What the operations page and Grafana's deadline day show alike: the questions to Prometheus, and what they are called.

Not here: how they are asked (`prometheus`), drawn (`pictures`), and what their metrics mean (docs/metrics.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["number", "seconds", "per-second"]


@dataclass(frozen=True, slots=True)
class Line:
    """One question, PromQL. `th` and `en` name what it finds, with {{label}} in it; without `en` the same in both."""

    query: str
    th: str
    en: str = ""

    @property
    def legend(self) -> str:
        """Both languages in one line."""
        return f"{self.th} · {self.en}" if self.en else self.th


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines over time. `about_th`, `about_en`: what healthy looks like."""

    name: str
    th: str
    en: str
    lines: tuple[Line, ...]
    about_th: str
    about_en: str
    unit: Unit = "number"

    @property
    def title(self) -> str:
        """Both languages in one line."""
        return f"{self.th} · {self.en}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number now. `most`: what is more than that is shown as trouble."""

    th: str
    en: str
    query: str
    unit: Unit = "number"
    most: float | None = None


SCHOOLS: Final = Picture(
    "schools",
    "โรงเรียนตามสถานะ",
    "Schools by state",
    (Line("max by (round, state) (tabian_submissions)", "{{state}} {{round}}"),),
    "ทุกโรงเรียนควรรับรองแล้วเมื่อหมดเวลา",
    "When the window ends every school has certified.",
)
ACTS: Final = Picture(
    "acts",
    "การยืนยัน/รับรองต่อนาที",
    "Acts a minute",
    (Line("60 * sum by (act) (rate(tabian_acts_total[5m]))", "{{act}}"),),
    "ขึ้นสูงในชั่วโมงสุดท้าย ถ้าตกขณะคิวยาวคือระบบไม่ทัน",
    "Grows in the last hour. Falling while the queue grows means that the system does not keep up.",
)
ANSWERS: Final = Picture(
    "answers",
    "คำขอที่ได้รับคำตอบต่อวินาที",
    "Answers a second",
    (Line('sum by (code) (rate(haproxy_frontend_http_responses_total{proxy="public"}[1m]))', "{{code}}"),),
    "ส่วนใหญ่เป็น 2xx และ 3xx ส่วน 5xx คือถูกขอให้รอหรือระบบขัดข้อง",
    "Mostly 2xx and 3xx. A 5xx was asked to wait, or something failed.",
    "per-second",
)
QUEUES: Final = Picture(
    "queues",
    "คิวที่ขอบ",
    "Waiting at the edge",
    (Line("haproxy_backend_current_queue", "{{proxy}}"),),
    "ปกติเป็นศูนย์ คิวของ intake-api คือผู้ที่กำลังยืนยันหรือรับรอง",
    "Nought on a calm day. Who waits for intake-api wants to confirm or certify.",
)
TIMES: Final = Picture(
    "times",
    "เวลาของการยืนยัน/รับรอง",
    "Acts' time",
    (
        Line("histogram_quantile(0.5, tabian:acts_seconds_bucket:rate5m)", "p50 ทำ", "doing"),
        Line("histogram_quantile(0.99, tabian:acts_seconds_bucket:rate5m)", "p99 ทำ", "doing"),
        Line("histogram_quantile(0.5, tabian:acts_wait_seconds_bucket:rate5m)", "p50 รอ", "waiting"),
        Line("histogram_quantile(0.99, tabian:acts_wait_seconds_bucket:rate5m)", "p99 รอ", "waiting"),
    ),
    "สัญญาไว้ไม่เกินหนึ่งวินาที",
    "Promised: no more than a second.",
    "seconds",
)
UPLOADS: Final = Picture(
    "uploads",
    "ไฟล์รอตรวจ",
    "Files waiting to be checked",
    (Line("max(tabian_uploads_waiting)", "ไฟล์", "files"),),
    "ลดลงเองเมื่อไม่มีใครส่ง ถ้าไม่ลดคือ intake-worker ไม่ทำงาน",
    "Falls by itself when nobody sends; if not, no intake-worker works.",
)
LAG: Final = Picture(
    "lag",
    "ผู้รับตามหลัง",
    "Consumers behind",
    (Line("max by (service, consumer) (tabian_applied_lag_seconds)", "{{service}} → {{consumer}}"),),
    "ต่ำกว่าไม่กี่วินาที ผู้รับที่ตามหลังไม่ทำให้ข้อมูลหาย",
    "A few seconds at most. Nothing is lost by a consumer that is behind.",
    "seconds",
)
OUTBOX: Final = Picture(
    "outbox",
    "เหตุการณ์ค้างส่ง",
    "Outbox waiting",
    (Line("max by (service) (tabian_outbox_waiting)", "{{service}}"),),
    "ขึ้นแล้วลง ถ้าขึ้นอย่างเดียวคือ RabbitMQ หรือ relay หยุด",
    "Up and down. Only up means that RabbitMQ or a relay has stopped.",
)
PICTURES: Final = (SCHOOLS, ACTS, ANSWERS, QUEUES, TIMES, UPLOADS, LAG, OUTBOX)
"""In the order of the operations page: how far the schools are, how they are served, whether all of it is told onwards."""

FIGURES: Final = (
    Figure("เวลาที่เหลือ", "Time left", "max(tabian_window_seconds_left)", "seconds"),
    Figure(
        "โรงเรียนที่ยังไม่รับรอง",
        "Schools not certified",
        'sum(max by (round, state) (tabian_submissions{state!~"certified|acknowledged|sealed"}))',
    ),
    Figure(
        "ยืนยันแล้ว ยังไม่รับรอง",
        "One act short",
        'sum(max by (round, state) (tabian_submissions{state="confirmed"}))',
    ),
    Figure("ยืนยัน/รับรองต่อนาที", "Acts a minute", "60 * sum(rate(tabian_acts_total[1m]))"),
    Figure("รอที่ขอบ", "Waiting at the edge", "sum(haproxy_backend_current_queue)", most=200),
    Figure("ตามหลังมากสุด", "Furthest behind", "max(tabian_applied_lag_seconds)", "seconds", most=60),
    Figure("เหตุการณ์ที่หายไป", "Events missing", "sum(tabian:conservation:missing)", most=0),
)
