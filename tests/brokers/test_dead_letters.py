"""`tabian dead-letters`: what was given up is told without its body, given back once, or discarded with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from gateway.cli.dead_letters import dead_letters
from services.kit.dead_letters import REPLAYS, DeadLetters, NotReplayed
from services.kit.messaging import outbox as rows
from tests.support import toys
from tests.support.bench import Bench
from tests.support.brokers import RabbitLab, receive, until
from tests.support.relayed import Pair
from tests.support.toys import MAKER, TAKER

pytestmark = pytest.mark.xdist_group("rabbitmq")
SECRET = "1-0000-00000-00-0"


@pytest.fixture
def pair(bench: Callable[..., Bench], rabbit: RabbitLab) -> Pair:
    return Pair(bench(MAKER), bench(TAKER), rabbit)


@pytest.fixture
def tabian(
    pair: Pair, rabbit: RabbitLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs `tabian dead-letters …` as an operator does."""
    urls = {
        bench.runtime.service.name: bench.runtime.settings.database_url for bench in (pair.maker, pair.taker)
    }
    (tmp_path / "databases.json").write_text(json.dumps(urls))
    monkeypatch.setenv("TABIAN_DATABASES_FILE", str(tmp_path / "databases.json"))
    monkeypatch.setenv("TABIAN_BROKER_URL", rabbit.node.url)
    return lambda *arguments: CliRunner().invoke(dead_letters, list(arguments))


def listed(tabian: Callable[..., Result], file: Path) -> list[dict[str, Any]]:
    done = tabian("list", "--json", str(file))
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(file.read_text())
    return found


def park(pair: Pair, *names: str) -> None:
    pair.publish(*names)
    pair.run(lambda: pair.waiting() == 0)
    until(lambda: pair.lab.dead("snapshot") == len(names))


def test_it_tells_what_failed_why_and_since_when(
    pair: Pair, tabian: Callable[..., Result], tmp_path: Path
) -> None:
    park(pair, "poison")
    (entry,) = listed(tabian, tmp_path / "list.json")
    (row,) = pair.rows()
    assert entry == {
        "key": row.id,
        "consumer": "snapshot",
        "producer": "export",
        "type": "export.package.built.v1",
        "subject": "poison",
        "reason": "Refused",
        "since": row.created_at.isoformat(),
        "copies": 1,
        "size": entry["size"],
        "replays": 0,
    }
    assert entry["size"] > 50
    assert pair.lab.dead("snapshot") == 1, "looking changes nothing"


def test_nothing_given_up_is_said(tabian: Callable[..., Result]) -> None:
    assert "nothing was given up" in tabian("list").output


def test_show_has_headers_and_never_a_body(
    pair: Pair, rabbit: RabbitLab, tabian: Callable[..., Result]
) -> None:
    headers = {"cloudEvents:about": SECRET, "cloudEvents:subject": "1066350177", "x-other": SECRET}
    rabbit.put("snapshot.dead", headers, SECRET.encode(), "application/json")
    (key,) = [line.split("\t")[0] for line in tabian("list").output.splitlines()]
    shown = tabian("show", key)
    assert shown.exit_code == 0
    assert "subject: 1066350177" in shown.output
    assert "cannot be read" in shown.output
    assert SECRET not in shown.output + tabian("list").output


def test_a_remedied_event_is_replayed_once_and_leaves_no_trace_of_failure(
    pair: Pair,
    rabbit: RabbitLab,
    tabian: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    park(pair, "poison")
    monkeypatch.setattr(toys, "REFUSED", ())
    done = tabian("replay", pair.rows()[0].id)
    assert done.exit_code == 0, done.output
    assert rabbit.dead("snapshot") == 0
    pair.run(lambda: pair.rows()[0].applied == ["snapshot"])
    assert pair.effects() == ["poison"]
    assert listed(tabian, tmp_path / "list.json") == []


def test_a_replay_that_fails_again_is_parked_again_with_its_count(
    pair: Pair, rabbit: RabbitLab, tabian: Callable[..., Result], tmp_path: Path
) -> None:
    park(pair, "poison")
    for count in (1, 2):
        assert tabian("replay", "--all").exit_code == 0
        pair.run(lambda: rabbit.dead("snapshot") == 1 and pair.waiting() == 0)
        (entry,) = listed(tabian, tmp_path / "list.json")
        assert (entry["replays"], entry["copies"], entry["reason"]) == (count, 1, "Refused")


def test_a_replayed_message_counts_its_attempts_anew(
    rabbit: RabbitLab, tabian: Callable[..., Result]
) -> None:
    rabbit.put("snapshot", {}, b"x", "text/plain")
    subscription = rabbit.subscribe("snapshot")
    for _ in range(2):
        (delivery,) = receive(subscription, 1)
        subscription.retry(delivery)
    (delivery,) = receive(subscription, 1)
    subscription.dead_letter(delivery, "Refused")
    until(lambda: rabbit.dead("snapshot") == 1)
    assert tabian("replay", "--all").exit_code == 0
    (delivery,) = receive(subscription, 1)
    assert (delivery.attempt, delivery.body, delivery.content_type) == (1, b"x", "text/plain")
    assert delivery.headers == {REPLAYS: 1}


def test_of_several_copies_one_is_put_back(
    pair: Pair, rabbit: RabbitLab, tabian: Callable[..., Result]
) -> None:
    pair.publish("poison")
    for _ in range(2):
        pair.send()
        pair.make_due()
    pair.run(lambda: rabbit.dead("snapshot") == 3)
    pair.subscription.close()
    assert tabian("replay", pair.rows()[0].id).exit_code == 0
    assert (rabbit.dead("snapshot"), rabbit.waiting("snapshot")) == (0, 1)


def test_an_event_nobody_reported_is_sent_again_from_the_outbox(
    pair: Pair, tabian: Callable[..., Result], tmp_path: Path
) -> None:
    pair.publish("a")
    with pair.maker.database.transaction() as tx:
        tx.execute(
            sa.update(rows).values(
                parked=["snapshot"], awaiting=[], sends=4, next_send_at=None, reason="no report"
            )
        )
    (entry,) = listed(tabian, tmp_path / "list.json")
    assert (entry["copies"], entry["reason"]) == (0, "no report")
    assert tabian("replay", entry["key"]).exit_code == 0
    pair.run(lambda: pair.waiting() == 0)
    assert pair.effects() == ["a"]
    assert pair.rows()[0].parked == []


def test_discarding_needs_a_reason_and_keeps_it(
    pair: Pair, rabbit: RabbitLab, tabian: Callable[..., Result], tmp_path: Path
) -> None:
    park(pair, "poison")
    key = pair.rows()[0].id
    assert tabian("discard", key).exit_code == 2
    assert tabian("discard", key, "--reason", "  ").exit_code == 2
    assert tabian("discard", key, "--reason", "built twice by mistake").exit_code == 0
    (row,) = pair.rows()
    assert (row.parked, row.discarded, row.awaiting) == ([], ["snapshot"], [])
    assert "snapshot: built twice by mistake" in row.discarding
    assert rabbit.dead("snapshot") == 0
    assert listed(tabian, tmp_path / "list.json") == []
    pair.relay.begin()
    assert pair.waiting() == 0, "a discarded consumer is not a new one"


def test_a_foreign_message_can_be_discarded(rabbit: RabbitLab, tabian: Callable[..., Result]) -> None:
    rabbit.put("dedup.dead", {}, b"\xff", "")
    rabbit.put("dedup.dead", {}, b"\xfe", "")
    key = tabian("list", "--consumer", "dedup").output.split("\t")[0]
    assert tabian("discard", key, "--reason", "not ours").exit_code == 0
    assert rabbit.dead("dedup") == 1


def test_a_queue_that_takes_nothing_keeps_the_letter_where_it_is(rabbit: RabbitLab) -> None:
    rabbit.put("dedup.dead", {}, b"x", "")
    with DeadLetters(rabbit.node.url) as letters:
        rabbit.node.control("delete_queue", "dedup")
        with pytest.raises(NotReplayed, match="Unroutable"):
            list(letters.replay("dedup", {letter.key for letter in letters.letters("dedup")}, lambda _: None))
    assert rabbit.dead("dedup") == 1


def test_letters_are_put_back_one_after_the_other(rabbit: RabbitLab) -> None:
    """Whoever stops in between has the rest where it was, and has been told of each before it moved."""
    for body in (b"x", b"y", b"z"):
        rabbit.put("dedup.dead", {}, body, "")
    begun: list[str] = []
    with DeadLetters(rabbit.node.url) as letters:
        keys = [letter.key for letter in letters.letters("dedup")]
        walk = letters.replay("dedup", keys, begun.append)
        assert next(walk) == keys[0]
        assert begun == keys[:1]
        walk.close()
    assert (rabbit.waiting("dedup"), rabbit.dead("dedup")) == (1, 2)


@pytest.mark.parametrize("arguments", [("replay",), ("replay", "x", "--all"), ("discard",)])
def test_half_a_command_is_refused(tabian: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    assert tabian(*arguments).exit_code == 2


@pytest.mark.parametrize("command", [("show", "no-such"), ("replay", "no-such")])
def test_what_is_not_there_is_said(tabian: Callable[..., Result], command: tuple[str, ...]) -> None:
    done = tabian(*command)
    assert done.exit_code == 1
    assert "there is no such dead letter" in done.output


def test_a_broker_that_is_away_is_said_in_a_sentence(
    tabian: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABIAN_BROKER_URL", "amqp://ops:hidden@127.0.0.1:1/tabian")
    done = tabian("list")
    assert done.exit_code == 1
    assert "no broker" in done.output
    assert "hidden" not in done.output


def test_without_a_broker_the_outboxes_are_told(
    pair: Pair, tabian: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    park(pair, "poison")
    monkeypatch.delenv("TABIAN_BROKER_URL")
    done = tabian("list")
    assert done.exit_code == 0
    assert "Refused" in done.output
