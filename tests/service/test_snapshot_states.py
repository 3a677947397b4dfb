"""States of submissions, several in one message: the newest counts, and each goes on as its own request began."""

from __future__ import annotations

import sqlalchemy as sa

from services.kit import tracing
from services.snapshot.tables import submission
from tests.support.collector import Collector
from tests.support.rosters import ROUND
from tests.support.snapshot_desk import ONE, TWO, SnapshotDesk, stands, told

TRACES = {
    ONE: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    TWO: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


def kept(desk: SnapshotDesk) -> dict[str, tuple[int, str]]:
    with desk.bench.database.transaction() as tx:
        rows = tx.execute(sa.select(submission).where(submission.c.round == ROUND)).all()
    return {row.school: (row.revision, row.state) for row in rows}


def test_of_each_school_the_newest_is_kept_whatever_message_it_came_in(snapshot: SnapshotDesk) -> None:
    snapshot.bench.deliver(told(stands(TWO, 5, "confirmed"), stands(ONE, 3, "confirmed")))
    snapshot.bench.deliver(told(stands(ONE, 9, "certified"), stands(TWO, 4, "ready")))
    assert kept(snapshot) == {ONE: (9, "certified"), TWO: (5, "confirmed")}


def test_a_message_about_nobody_changes_nothing(snapshot: SnapshotDesk) -> None:
    before = kept(snapshot)
    snapshot.bench.deliver(told())
    assert kept(snapshot) == before


def test_each_goes_on_in_its_own_trace_and_under_its_own_correlation_id(
    snapshot: SnapshotDesk, collector: Collector
) -> None:
    snapshot.bench.deliver(told(*(stands(code, 9, "confirmed", trace=TRACES[code]) for code in TRACES)))
    tracing.stop()
    spans = {span.trace: span for span in collector.named("keep state", 2)}
    for school, traceparent in TRACES.items():
        _, trace, parent, _ = traceparent.split("-")
        assert (spans[trace].parent, spans[trace].kind) == (parent, "consumer")
        assert spans[trace].attributes["tabian.correlation_id"] == f"request-of-{school}"
