"""The operations page: the day as a real Prometheus tells it, and what stands there when it does not."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from deploy.rehearsal.scenario import wait_for
from gateway.embedded import free_port
from gateway.portal import day
from gateway.portal.app import SERVICE as PORTAL
from gateway.portal.prometheus import Prometheus
from tests.support.bench import Bench
from tests.support.fake_api import FakeServices
from tests.support.portal_desk import PortalDesk
from tests.support.prometheus import running_prometheus

STEP, MINUTES = 15, 20
SCHOOLS = {"ready": 7, "confirmed": 3, "certified": 90}
HOSTILE = '<script>alert(\\"1\\")</script>'
RULES = """
groups:
  - name: on
    rules:
      - alert: OutboxOld
        expr: vector(1)
        labels: {severity: page, process: intake-relay}
        annotations: {summary: An event waits, summary_th: มีเหตุการณ์ค้าง, runbook_url: "docs/runbook.md#outboxold"}
      - {alert: Watchdog, expr: vector(1), annotations: {summary: always, summary_th: เสมอ, runbook_url: x}}
"""


def _past() -> dict[str, list[tuple[float, float]]]:
    """Twenty minutes until now; the queue's figures lack seven in the middle, since Prometheus answers with a figure
    until it is five minutes old."""
    now = int(time.time())
    times = [float(now - STEP * n) for n in range(MINUTES * 60 // STEP, -1, -1)]
    lacking = times[len(times) // 2 - 14 : len(times) // 2 + 14]
    past = {
        f'tabian_submissions{{round="2564-2",state="{state}"}}': [(at, number) for at in times]
        for state, number in SCHOOLS.items()
    }
    past['tabian_acts_total{act="confirm"}'] = [(at, 2.0 * n) for n, at in enumerate(times)]
    past["tabian_window_seconds_left"] = [(at, 5400.0) for at in times]
    past['tabian:conservation:missing{type="t",consumer="c"}'] = [(at, 2.0) for at in times]
    past['haproxy_backend_current_queue{proxy="intake-api"}'] = [
        (at, 4.0) for at in times if at not in lacking
    ]
    past |= {
        f'tabian_outbox_waiting{{service="s{n:02}"}}': [(at, float(n)) for at in times] for n in range(11)
    }
    past[f'tabian_outbox_waiting{{service="{HOSTILE}"}}'] = [(at, 99.0) for at in times]
    return past


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), _past(), RULES) as address:
        wait_for(lambda: len(_alerts(address)) == 2, "both alerts on")
        yield address


def _alerts(address: str) -> list[object]:
    found: list[object] = httpx.get(f"{address}/api/v1/alerts").json()["data"]["alerts"]
    return found


@pytest.fixture
def desk(bench: Callable[..., Bench], keys: Path) -> Iterator[Callable[[str], PortalDesk]]:
    asked: list[Prometheus] = []

    def at(address: str) -> PortalDesk:
        services = FakeServices(keys)
        asked.append(Prometheus(address))
        parts = {"api": services.client(), "prometheus": asked[-1]}
        made = PortalDesk(bench(PORTAL, parts=parts), services)
        made.enrol("watch", "obec", "somchai")
        return made

    yield at
    for one in asked:
        one.close()


def _pictures(text: str) -> dict[str, ElementTree.Element]:
    """Name → the SVG, read as a browser would."""
    found = re.findall(
        r'id="operations-(\w+)" data-renewed><img [^>]*src="data:image/svg\+xml;base64,([^"]+)', text
    )
    return {name: ElementTree.fromstring(base64.b64decode(svg)) for name, svg in found}


def test_operations_come_to_the_day_in_figures_pictures_and_alerts(
    desk: Callable[[str], PortalDesk], prometheus: str
) -> None:
    text = desk(prometheus).person("watch").page("/?lang=en")
    assert re.search(r"Schools not certified</dt><dd>10<", text)
    assert re.search(r"One act short</dt><dd>3<", text)
    assert re.search(r"Acts a minute</dt><dd>8<", text)
    assert re.search(r"Time left</dt><dd>1 h 30 min<", text)
    assert re.search(r'figure-trouble"><dt>Events missing</dt><dd>2<', text)
    assert re.search(r'"figure "><dt>Waiting at the edge</dt><dd>4<', text)
    assert "Alerts (1)" in text
    assert "An event waits" in text
    assert "docs/runbook.md#outboxold" in text
    assert "Watchdog" not in text
    assert [*_pictures(text)] == [picture.name for picture in day.PICTURES]
    assert 'alt="Acts a minute. Now: Confirmed 8"' in text


def test_it_speaks_thai_and_headquarters_sees_it_too(
    desk: Callable[[str], PortalDesk], prometheus: str
) -> None:
    text = desk(prometheus).person("obec").page("/operations?span=15m")
    assert "มีเหตุการณ์ค้าง" in text
    assert "โรงเรียนที่ยังไม่รับรอง" in text
    assert "1 ชม. 30 นาที" in text
    assert "ผู้อำนวยการรับรองแล้ว" in text
    assert 'href="/operations"' in text


def test_where_prometheus_knew_nothing_a_line_is_broken(
    desk: Callable[[str], PortalDesk], prometheus: str
) -> None:
    pictures = _pictures(desk(prometheus).person("watch").page("/operations?span=15m"))
    assert (_strokes(pictures["queues"]), _strokes(pictures["schools"])) == (2, 3)


def _strokes(picture: ElementTree.Element) -> int:
    """How many pieces all lines together are drawn in."""
    paths = picture.iter("{http://www.w3.org/2000/svg}path")
    return sum("line" in path.get("class", "").split() and "L" in path.get("d", "") for path in paths)


def test_of_many_lines_the_highest_are_drawn_and_it_says_how_many_are_not(
    desk: Callable[[str], PortalDesk], prometheus: str
) -> None:
    text = desk(prometheus).person("watch").page("/operations?lang=en")
    outbox = text.split('id="operations-outbox"')[1]
    assert "left out: 4" in outbox
    assert "s04" in outbox
    assert "s03" not in outbox


def test_a_name_that_is_markup_stays_a_name(desk: Callable[[str], PortalDesk], prometheus: str) -> None:
    text = desk(prometheus).person("watch").page("/operations")
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert not list(_pictures(text)["outbox"].iter("{http://www.w3.org/2000/svg}script"))


@pytest.mark.parametrize(
    ("address", "said"), [("", "TABIAN_PROMETHEUS_URL"), ("http://127.0.0.1:{port}", "docs/runbook.md")]
)
def test_without_prometheus_the_page_says_so(
    desk: Callable[[str], PortalDesk], address: str, said: str
) -> None:
    text = desk(address.format(port=free_port())).person("watch").page("/operations")
    assert said in text
    assert 'role="status"' in text
    assert "<img" not in text.split("</header>")[1]


def test_what_is_no_span_is_the_usual_one(desk: Callable[[str], PortalDesk]) -> None:
    text = desk("").person("watch").page("/operations?span=9999h")
    assert re.search(r'active"[^>]*aria-current="true" href="/operations\?span=1h"', text)
