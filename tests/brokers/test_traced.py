"""One trace from a clerk's request to the last consumer: through the tables, either broker, and what is done together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from services.contracts.snapshot import RoundOpened
from services.dedup.app import SERVICE as DEDUP
from services.intake.app import SERVICE as INTAKE
from services.kit import tracing
from services.kit.broker import Subscription
from services.kit.worker import Worker
from tests.support.bench import Bench
from tests.support.brokers import Lab, LocalLab, until
from tests.support.collector import Collector, Seen
from tests.support.intake_desk import OTHER, SCHOOL, IntakeDesk
from tests.support.rosters import ROUND, csv_file, plan, roll
from tests.support.tokens import bearer

CAME = f"00-{'a' * 32}-{'b' * 16}-01"
ROUTE = "/api/v1/rounds/<round_name>/schools/<school>/roster"


class Travel:
    """Intake and dedup with a broker between them; rosters go there and what came of them comes back."""

    def __init__(self, intake: Bench, dedup: Bench, lab: Lab) -> None:
        self.desk, self.intake, self.dedup = IntakeDesk(intake), intake, dedup
        dedup.deliver(RoundOpened(round=ROUND, revision=1, plan=plan().to_plain()))
        for bench in (intake, dedup):
            object.__setattr__(bench.runtime, "broker", lab.broker)
        self._stop = threading.Event()
        self._to_dedup, self._to_intake = lab.subscribe("dedup"), lab.subscribe("intake")
        self._deliver(intake, dedup, self._to_dedup, 1)  # the register

    def send(self, school: str, smis8: str, first: int, came: str, **more: str) -> None:
        clerk = bearer(self.intake.keys, f"clerk-{school}", ("clerk", school))
        content = csv_file(roll(first, 3, smis8))
        headers = {"X-Request-Id": f"request-for-{first:03}", "traceparent": came, **more}
        assert self.desk.put(content, school=school, who=clerk, **headers).status_code == 202

    def go(self, rolls: int) -> None:
        """Check what was sent, screen it, and take the answer over."""
        self.intake.jobs()
        self._deliver(self.intake, self.dedup, self._to_dedup, rolls)
        self._deliver(self.dedup, self.intake, self._to_intake, rolls)
        tracing.stop()

    def _deliver(self, sender: Bench, taker: Bench, subscription: Subscription, count: int) -> None:
        sender.relay()
        worker, taken = Worker(taker.runtime), 0

        def all_taken() -> bool:
            nonlocal taken
            taken += worker.step(subscription, self._stop, timeout=0.05)
            return taken >= count

        until(all_taken)


@pytest.fixture
def travel(bench: Callable[..., Bench], lab: Lab) -> Travel:
    return Travel(bench(INTAKE), bench(DEDUP), lab)


@pytest.fixture
def at_once(bench: Callable[..., Bench]) -> Travel:
    """Over the broker that hands out at once whatever lies there."""
    return Travel(bench(INTAKE), bench(DEDUP), LocalLab())


def way_to(last: Seen, spans: list[Seen]) -> list[Seen]:
    """From the first span that this process knows of to `last`."""
    by_id = {span.id: span for span in spans}
    way = [last]
    while way[0].parent in by_id:
        way.insert(0, by_id[way[0].parent])
    return way


def test_a_roster_is_one_trace_from_the_request_to_the_last_consumer(
    travel: Travel, collector: Collector
) -> None:
    travel.send(SCHOOL, "66020001", 1, CAME)
    travel.go(1)
    way = way_to(collector.one("process dedup.roster.screened.v1"), collector.spans)
    assert [(span.service, span.kind, span.name) for span in way] == [
        ("intake", "server", f"PUT {ROUTE}"),
        ("intake", "internal", "check upload"),
        ("intake", "producer", "send intake.roster.identified.v1"),
        ("dedup", "consumer", "process intake.roster.identified.v1"),
        ("dedup", "producer", "send dedup.roster.screened.v1"),
        ("intake", "consumer", "process dedup.roster.screened.v1"),
    ]
    assert {span.trace for span in way} == {"a" * 32}
    assert way[0].parent == "b" * 16
    assert {span.attributes["tabian.correlation_id"] for span in way} == {"request-for-001"}
    assert way[0].attributes["http.response.status_code"] == 202
    assert way[-1].attributes["tabian.outcome"] == "applied"
    assert not any(span.failed or span.links for span in way)


def test_rosters_that_are_handled_together_stay_in_their_own_traces_and_are_linked(
    at_once: Travel, collector: Collector
) -> None:
    for number, (school, smis8) in enumerate(((SCHOOL, "66020001"), (OTHER, "66020003"))):
        at_once.send(school, smis8, 10 * number + 1, f"00-{number}{'a' * 31}-{'b' * 16}-01")
    at_once.go(2)
    for name in ("check upload", "process intake.roster.identified.v1"):
        one, other = collector.named(name, 2)
        assert {one.trace, other.trace} == {"0" + "a" * 31, "1" + "a" * 31}
        assert (one.links, other.links) == ({other.id}, {one.id})
    for last in collector.named("process dedup.roster.screened.v1", 2):
        assert {span.trace for span in way_to(last, collector.spans)} == {last.trace}
        assert len(way_to(last, collector.spans)) == 6


def test_a_trace_begins_when_the_edge_took_the_request(at_once: Travel, collector: Collector) -> None:
    stamped = time.time() - 2
    at_once.send(SCHOOL, "66020001", 1, "", **{"X-Tabian-Received": str(int(stamped * 1000))})
    at_once.go(1)
    way = way_to(collector.one("process dedup.roster.screened.v1"), collector.spans)
    assert [span.service for span in way[:3]] == ["edge", "intake", "intake"]
    assert way[0].parent == ""
    assert way[0].seconds >= 2 > way[1].seconds


def test_no_span_names_a_person_or_a_school(travel: Travel, collector: Collector) -> None:
    pupils = roll(1, 3)
    travel.send(SCHOOL, "66020001", 1, CAME)
    travel.go(1)
    everything = b"".join(span.raw for span in collector.spans)
    words = {
        SCHOOL,
        *(pupil[key] for pupil in pupils for key in ("national_id", "first_name_th", "birth_date")),
    }
    assert [word for word in words if word.encode() in everything] == []


def test_without_a_collector_the_context_travels_as_it_came(travel: Travel) -> None:
    travel.send(SCHOOL, "66020001", 1, CAME)
    travel.go(1)
    for bench in (travel.intake, travel.dedup):
        with bench.database.transaction() as tx:
            found = tx.connection.exec_driver_sql(
                "SELECT traceparent FROM outbox WHERE type LIKE '%%roster%%'"
            )
            assert set(found.scalars()) == {CAME}
