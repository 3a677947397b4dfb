"""Outbox, relay, broker, worker and inbox together, on real PostgreSQL: nothing lost, no effect twice."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from services.contracts.envelope import Envelope
from services.contracts.export import PackageBuilt
from services.contracts.intake import AreaRegistered
from services.kit import figures, inbox, outbox
from services.kit.broker import Delivery
from services.kit.messaging import outbox as rows
from services.kit.outbox import Report
from tests.support.bench import Bench
from tests.support.plans import look_up_row_by_row
from tests.support.toys import package, publish, seen


def effects(taker: Bench) -> list[str]:
    with taker.database.transaction() as tx:
        return sorted(tx.execute(sa.select(seen.c.package)).scalars())


def row(maker: Bench) -> Any:
    with maker.database.transaction() as tx:
        return tx.execute(sa.select(rows)).one()


def test_a_change_and_its_event_commit_together_or_not_at_all(maker: Bench) -> None:
    with pytest.raises(RuntimeError), maker.database.transaction() as tx:
        tx.publish(package("a"), subject="a")
        raise RuntimeError
    assert maker.published(PackageBuilt) == []


def test_a_service_cannot_publish_what_it_does_not_declare(maker: Bench) -> None:
    event = AreaRegistered(esa="6602", name="x", revision=1, schools=())
    with pytest.raises(ValueError, match="does not declare"), maker.database.transaction() as tx:
        tx.publish(event, subject="6602")


def test_no_more_is_claimed_than_asked_for(maker: Bench) -> None:
    publish(maker, *"abcde")
    with maker.database.transaction() as tx:
        look_up_row_by_row(tx)
        assert [len(outbox.claim(tx.connection, 2)) for _ in range(3)] == [2, 2, 1]


def test_an_event_is_applied_once_and_reported(maker: Bench, taker: Bench) -> None:
    publish(maker, "a", "b")
    maker.relay()
    assert row_states(maker) == [(["snapshot"], []), (["snapshot"], [])]
    taker.work()
    maker.relay()
    assert effects(taker) == ["a", "b"]
    assert row_states(maker) == [([], ["snapshot"]), ([], ["snapshot"])]
    with maker.database.transaction() as tx:
        assert figures.depth(tx.connection).waiting == 0


def row_states(maker: Bench) -> list[tuple[list[str], list[str]]]:
    with maker.database.transaction() as tx:
        return [(r.awaiting, r.applied) for r in tx.execute(sa.select(rows).order_by(rows.c.position))]


def test_a_redelivered_message_has_its_effect_once_and_is_reported_again(maker: Bench, taker: Bench) -> None:
    publish(maker, "a")
    maker.relay()
    taker.work()
    maker.broker.reports("export")  # the report is lost
    make_due(maker)
    maker.relay()
    taker.work()
    maker.relay()
    assert effects(taker) == ["a"]
    assert row(maker).applied == ["snapshot"]


def make_due(maker: Bench) -> None:
    with maker.database.transaction() as tx:
        outbox.make_due(tx.connection)


def test_a_broker_that_forgot_everything_gets_it_again(maker: Bench, taker: Bench) -> None:
    publish(maker, "a")
    maker.relay()
    maker.broker.take("snapshot", 10, 0)
    make_due(maker)
    maker.relay()
    taker.work()
    assert effects(taker) == ["a"]


def test_poison_is_parked_after_three_attempts_and_what_is_behind_flows_on(
    maker: Bench, taker: Bench
) -> None:
    publish(maker, "poison", "b")
    maker.relay()
    taker.work()
    maker.relay()
    assert effects(taker) == ["b"]
    assert [letter.reason for letter in maker.broker.dead_letters] == ["Refused"]
    with maker.database.transaction() as tx:
        (parked,) = outbox.parked(tx.connection)
        assert (parked.subject, parked.parked, parked.reason) == ("poison", ["snapshot"], "Refused")
        assert figures.depth(tx.connection).waiting == 0


def test_a_row_nobody_reports_is_parked_after_three_resends(maker: Bench) -> None:
    publish(maker, "a")
    for _ in range(4):
        maker.relay()
        time_passes(maker)
    maker.relay()
    assert row(maker).parked == ["snapshot"]
    assert row(maker).reason == "no report after 4 sends"


def time_passes(maker: Bench) -> None:
    with maker.database.transaction() as tx:
        tx.execute(sa.update(rows).values(next_send_at=sa.func.clock_timestamp()))


def test_what_is_reported_was_published_even_if_the_relay_was_killed_before_it_could_say_so(
    maker: Bench, taker: Bench
) -> None:
    publish(maker, "a", "poison")
    maker.relay()
    with maker.database.transaction() as tx:  # as the killed relay left them
        tx.execute(sa.update(rows).values(published_at=None, sends=0))
    taker.work()
    maker.relay()
    with maker.database.transaction() as tx:
        left = tx.execute(sa.select(rows.c.published_at, rows.c.next_send_at)).all()
    assert [(row.published_at is not None, row.next_send_at) for row in left] == [(True, None)] * 2


def test_a_row_is_not_parked_because_its_process_was_killed_often(maker: Bench, taker: Bench) -> None:
    publish(maker, "a")
    for _ in range(6):
        maker.relay()
        maker.broker.take("snapshot", 10, 0)  # killed before the worker came to it
        make_due(maker)
    maker.relay()
    assert row(maker).parked == []
    taker.work()
    maker.relay()
    assert row(maker).applied == ["snapshot"]


def test_a_late_report_takes_a_row_out_of_parking(maker: Bench) -> None:
    publish(maker, "a")
    with maker.database.transaction() as tx:
        event_id = str(tx.execute(sa.select(rows.c.id)).scalar_one())
        outbox.record(tx.connection, Report("snapshot", parked=((event_id, "Refused"),)))
        outbox.record(tx.connection, Report("snapshot", applied=(event_id,)))
        outbox.record(tx.connection, Report("snapshot", applied=(event_id,)))
    assert (row(maker).parked, row(maker).applied) == ([], ["snapshot"])


def test_only_what_every_consumer_applied_is_forgotten(maker: Bench, taker: Bench) -> None:
    publish(maker, "applied", "poison", "waiting")
    maker.relay()
    taker.work()
    publish(maker, "unsent")
    with maker.database.transaction() as tx:
        for report in maker.broker.reports("export"):
            outbox.record(tx.connection, report)
    with maker.database.transaction() as tx:
        assert outbox.purge(tx.connection, days=14) == 0
        assert outbox.purge(tx.connection, days=-1) == 2
        left = sorted(tx.execute(sa.select(rows.c.subject)).scalars())
    assert left == ["poison", "unsent"]
    with taker.database.transaction() as tx:
        assert (inbox.purge(tx.connection), inbox.purge(tx.connection, days=-1)) == (0, 2)


@pytest.mark.parametrize(
    ("headers", "body", "content_type"),
    [
        ({}, b"{}", "application/json"),
        (
            {"cloudEvents:id": "x", "cloudEvents:type": "y", "cloudEvents:time": "z"},
            b"{}",
            "application/json",
        ),
        ({"cloudEvents:time": "2021-01-01T00:00:00+00:00"}, b"\xff\xfe", "application/json"),
    ],
)
def test_an_undecodable_message_is_dead_lettered_at_once(
    taker: Bench, headers: dict[str, str], body: bytes, content_type: str
) -> None:
    taker.broker.put("snapshot", Delivery(headers, body, content_type, 1))
    assert taker.work() == 1
    assert len(taker.broker.dead_letters) == 1


def test_an_event_of_the_wrong_shape_is_dead_lettered_at_once(maker: Bench, taker: Bench) -> None:
    publish(maker, "a")
    maker.relay()
    (good,) = maker.broker.take("snapshot", 1, 0)
    taker.broker.put("snapshot", Delivery(good.headers, b'{"round": 5}', good.content_type, 1))
    assert taker.work() == 1
    assert effects(taker) == []
    assert taker.broker.dead_letters[0].reason == "EventMismatch"


def test_a_dead_worker_leaves_its_deliveries_to_the_next(maker: Bench, taker: Bench) -> None:
    publish(maker, "a")
    maker.relay()
    subscription = maker.broker.subscribe("snapshot")
    (first,) = subscription.receive(10, 0)
    subscription.close()
    (again,) = maker.broker.take("snapshot", 10, 0)
    assert (first.attempt, again.attempt) == (1, 2)


def test_an_envelope_survives_the_wire() -> None:
    publish_time = "2021-11-10T08:30:00+07:00"
    envelope = Envelope.parse(
        {
            "cloudEvents:id": "6b1f7d0e-6f57-4c8e-9d7e-0a1b2c3d4e5f",
            "cloudEvents:type": "export.package.built.v1",
            "cloudEvents:time": publish_time,
        },
        b'{"a": 1}',
        "application/json",
    )
    again = Envelope.parse(envelope.headers(), envelope.body(), envelope.content_type)
    assert again == envelope
