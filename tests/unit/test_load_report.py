"""The report of a day with planted answers: the figures are right, and the page needs nothing but itself."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser

import pytest

from deploy.rehearsal.checker import Verdict
from deploy.rehearsal.load.caller import Answer
from deploy.rehearsal.load.flood import Flooded
from deploy.rehearsal.load.report import Day, charts, figures, html
from deploy.rehearsal.load.sampler import Sample
from deploy.rehearsal.load.schedule import plan_of
from deploy.rehearsal.load.school_day import Record
from deploy.rehearsal.load.series import series

MACHINE = {"cores": 2, "processor": "<a machine>"}
EMPTY = {"br", "meta", "path", "use", "rect"}


def record(kind: str, due: float, waited: float, status: int = 200, tries: int = 1) -> Record:
    return Record("1066350177", kind, Answer(due, due, due + waited, status, tries, waited / tries))


RECORDS = [
    record("upload", 0.5, 0.1, 202),
    record("look", 1.5, 0.1),
    *(record("confirm", 2 + n / 100, 0.1 * (n + 1)) for n in range(10)),
    record("certify", 2.5, 8.0, 409, tries=4),
    record("certify", 11.0, 0.5),
]
SAMPLES = [
    Sample(0.0, {"intake-api": 0, "portal": 0}, 0, {"intake": 0, "dedup": 0}),
    Sample(1.0, {"intake-api": 7, "portal": 0}, 3, {"intake": 4, "dedup": 1}),
]


def day(**other: object) -> Day:
    plan = plan_of("last-minute", 10, 1, minutes=0.2, factor=10)
    told = {
        "plan": plan,
        "machine": MACHINE,
        "records": RECORDS,
        "samples": SAMPLES,
        "unserved": [],
        "verdict": Verdict(),
    }
    return Day(**(told | other))  # type: ignore[arg-type]


class _Page(HTMLParser):
    """The page's elements, each closed where it should be; titles and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.labels += [value or "" for name, value in attrs if name == "aria-labelledby"]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag


def test_arrivals_are_when_calls_were_due_and_goodput_when_they_were_answered_well() -> None:
    over = series(RECORDS, SAMPLES)
    assert over.edges[:3] == [0, 1, 2]
    assert over.arrivals["acts"] == [0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert over.goodput["acts"] == [0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert over.arrivals["uploads"][0] == over.goodput["uploads"][0] == 1


def test_percentiles_are_of_the_acts_due_in_the_bucket() -> None:
    over = series(RECORDS, SAMPLES)
    assert over.latency[50][2] == pytest.approx(0.6)
    assert over.latency[99][2] == pytest.approx(7.3)
    assert over.latency[50][11] == pytest.approx(0.5)
    assert math.isnan(over.latency[50][5])


def test_the_figures_are_json_and_right() -> None:
    got = json.loads(json.dumps(figures(day(unserved=["1066350177"])), allow_nan=False))
    assert got["calls"]["confirm"]["answers"] == 10
    assert got["calls"]["certify"]["statuses"] == {"200": 1, "409": 1}
    assert got["calls"]["certify"]["tried_again"] == 1
    assert got["wait_without_answer_max_s"] == 2.0
    assert got["acts_goodput_ratio"] is None
    assert (got["lost"], got["doubled"], got["unserved"]) == (0, 0, ["1066350177"])
    assert got["series"]["edge_queue"] == {"intake-api": [0, 7]}
    assert got["series"]["uploads_waiting"] == [0, 3]
    assert got["series"]["outbox_waiting"] == [0, 5]


def test_of_an_overload_it_is_told_how_many_acts_were_done_when_the_last_was_due() -> None:
    plan = plan_of("overload", 10, 1, minutes=1, rate=20 / 9)
    assert plan.seconds == pytest.approx(9.9), "the last certification comes after it"
    assert figures(day(plan=plan))["acts_goodput_ratio"] == 10 / 20
    assert "50.0 %" in html(day(plan=plan))


def test_a_day_is_sound_when_nothing_was_lost_and_all_were_served() -> None:
    assert day().sound
    assert not day(verdict=Verdict(lost=["an act"])).sound
    assert not day(unserved=["1066350177"]).sound


def test_the_page_is_whole_and_asks_nobody_for_anything() -> None:
    page = html(day(flooded=Flooded(100, 25.0, {"412": 90, "503": 10}, 0)))
    parsed = _Page()
    parsed.feed(page)
    assert parsed.open == []
    assert set(re.findall(r"https?://[^\"' >]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not {"script", "link", "img", "iframe", "image"} & set(parsed.tags)
    assert not re.search(r"@import|url\((?!#)", page)


def test_every_chart_has_a_title_of_its_own_for_who_cannot_see_it() -> None:
    parsed = _Page()
    page = html(day())
    parsed.feed(page)
    assert parsed.tags.count("svg") == len(charts(day())) == 6
    assert sorted(parsed.labels) == [f"chart-{n}" for n in range(1, 7)]
    assert set(parsed.labels) <= set(parsed.ids)
    assert '<title id="chart-1">มาถึง · arrivals</title>' in page


def test_what_was_found_wrong_stands_in_the_page() -> None:
    page = html(day(verdict=Verdict(lost=["an act", "another"]), unserved=["1066350177"]))
    assert re.search(r'class="bad"><dt>สูญหาย · lost</dt><dd>2</dd>', page)
    assert "<p>1066350177</p>" in page
    assert "&lt;a machine&gt;" in page


@pytest.mark.parametrize("samples", [[], SAMPLES[:1]])
def test_where_nobody_waited_there_is_no_chart(samples: list[Sample]) -> None:
    page = html(day(samples=samples))
    assert page.count("<svg") == 3
    assert page.count("ไม่มี · none") == 3
