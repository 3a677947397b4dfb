"""Whatever comes from outside, no series has a school, a person or an invented word in its labels."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY, generate_latest

from services.intake.app import SERVICE
from services.kit.broker import Delivery
from services.kit.catalogue import LABELS
from services.kit.http import CLASS_HEADER, RECEIVED_HEADER
from tests.support.bench import Bench
from tests.support.intake_desk import CONFIRM_DAY, SCHOOL, IntakeDesk

HOSTILE = "1103700000XX1"
"""Stands for a national ID, and is no word of ours."""


def scrape() -> str:
    return generate_latest().decode()


@pytest.fixture
def day(intake: IntakeDesk) -> IntakeDesk:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    return intake


def test_a_day_at_school_leaves_its_code_in_no_series(day: IntakeDesk) -> None:
    assert day.confirm().status_code == 200
    assert day.certify().status_code == 200
    for reading in SERVICE.readings:
        list(reading.read(day.bench.runtime))
    text = scrape()
    assert SCHOOL not in text
    assert "clerk" not in text
    assert not re.search(r'="[^"]*\d{8}', text), "nothing that could be a number of somebody"


@pytest.mark.parametrize("path", [f"/api/v1/{HOSTILE}", f"/api/v1/rounds/{HOSTILE}/schools/{HOSTILE}"])
@pytest.mark.parametrize("method", ["GET", HOSTILE, "PROPFIND"])
def test_a_request_puts_no_word_of_its_own_into_a_label(day: IntakeDesk, method: str, path: str) -> None:
    stamp = str(int(time.time() * 1000))
    headers = {CLASS_HEADER: HOSTILE, RECEIVED_HEADER: stamp, "X-Request-Id": HOSTILE}
    day.bench.client.open(path, method=method, headers=headers)
    text = scrape()
    assert HOSTILE not in text
    assert "PROPFIND" not in text
    assert 'tabian_edge_wait_seconds_count{class="unknown",service="intake"}' in text


@pytest.mark.parametrize("stamp", ["", "-1", "1.5", "²", "9" * 5000, "soon", "0x10"])
def test_a_stamp_that_no_edge_would_set_is_none(day: IntakeDesk, stamp: str) -> None:
    def seen() -> float:
        labels = {"service": "intake", "class": "report"}
        return REGISTRY.get_sample_value("tabian_edge_wait_seconds_count", labels) or 0

    before = seen()
    headers = {CLASS_HEADER: "report", RECEIVED_HEADER: stamp}
    answer = day.bench.client.get(day.url(), headers=day.clerk | headers)
    assert answer.status_code == 200
    assert seen() == before


@pytest.mark.parametrize("attempt", [1, 2, 9])
def test_a_message_puts_no_word_of_its_own_into_a_label(bench: Callable[..., Bench], attempt: int) -> None:
    made = bench(SERVICE)
    headers = {
        "cloudEvents:id": "0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a",
        "cloudEvents:type": HOSTILE,
        "cloudEvents:time": "2021-11-10T09:00:00+07:00",
    }
    made.broker.put("intake", Delivery(headers, b"{}", "application/json", attempt))
    made.broker.put("intake", Delivery({"cloudEvents:type": HOSTILE}, b"\xff", "application/json", attempt))
    made.work()
    text = scrape()
    assert HOSTILE not in text
    assert 'tabian_events_handled_total{outcome="parked",service="intake",type="unknown"}' in text
    assert 'tabian_events_handled_total{outcome="unreadable",service="intake",type="unknown"}' in text
    again = 'tabian_redeliveries_total{service="intake",type="unknown"}'
    assert attempt == 1 or again in text


def test_every_label_that_is_served_is_in_the_vocabulary(day: IntakeDesk) -> None:
    ours = re.findall(r"^tabian_\w+\{([^}]*)\}", scrape(), re.MULTILINE)
    names = {name for labels in ours for name in re.findall(r'(\w+)="', labels)}
    assert names - {"le"} <= set(LABELS)
