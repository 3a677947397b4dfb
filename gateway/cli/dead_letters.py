"""`tabian dead-letters list|show|replay|discard`: events that a consumer gave up, and what to do about them.

An event is told from two sides: the producer's outbox row (which consumer, why, since when) and, where it still lies
there, the message in the consumer's dead-letter queue. Nothing of a message's body is ever shown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from gateway.cli.operator import broker_url, databases
from gateway.cli.result import write_json
from services.contracts.topology import consumers
from services.kit import outbox
from services.kit.dead_letters import AWAY, DeadLetters, Letter, NotReplayed
from services.kit.logs import configure

log = logging.getLogger(__name__)
RESEND_SECONDS = 600
"""How long a replayed letter has before its outbox row is sent as well."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that one consumer gave up. `copies`: messages in the dead-letter queue; `producer` "": no outbox row."""

    key: str
    consumer: str
    producer: str
    type: str
    subject: str
    reason: str
    since: datetime | None
    copies: int
    size: int
    replays: int

    def plain(self) -> dict[str, Any]:
        return asdict(self) | {"since": self.since.isoformat() if self.since else None}


class Office:
    """Outboxes and dead-letter queues together. `broker` is None where the system has none of its own."""

    def __init__(self, engines: dict[str, sa.Engine], broker: DeadLetters | None) -> None:
        self.engines, self.broker = engines, broker

    def entries(self) -> list[Entry]:
        """Everything given up, oldest first."""
        letters = self._letters()
        found = []
        for producer, engine in self.engines.items():
            with engine.connect() as connection:
                rows = outbox.parked(connection)
            for row in rows:
                for consumer in row.parked:
                    found.append(_parked(producer, row, consumer, letters.pop((row.id, consumer), [])))
        found += [_unawaited(copies) for copies in letters.values()]
        return sorted(found, key=lambda entry: (entry.since is None, str(entry.since), entry.key))

    def _letters(self) -> dict[tuple[str, str], list[Letter]]:
        found: dict[tuple[str, str], list[Letter]] = {}
        for consumer in consumers() if self.broker else []:
            assert self.broker is not None
            for letter in self.broker.letters(consumer):
                found.setdefault((letter.key, consumer), []).append(letter)
        return found

    def replay(self, entries: list[Entry]) -> Iterator[Entry]:
        """Back to their consumers, one after the other: the message where there is one, else by sending the outbox row
        again. Yields each that was replayed."""
        for entry in entries:
            if not entry.copies:
                self._await_again(entry)
                yield self._noted("dead letter replayed", entry)
        for consumer, lying in _lying(entries).items():
            yield from self._put_back(consumer, lying)

    def _put_back(self, consumer: str, lying: dict[str, Entry]) -> Iterator[Entry]:
        assert self.broker is not None
        for key in self.broker.replay(consumer, lying, lambda key: self._await_again(lying[key])):
            yield self._noted("dead letter replayed", lying[key])

    def _await_again(self, entry: Entry) -> None:
        """The outbox row awaits its consumer before the message moves: a report that comes at once finds it so."""
        if entry.producer:
            with self.engines[entry.producer].begin() as connection:
                wait = RESEND_SECONDS if entry.copies else 0
                outbox.replay(connection, entry.key, entry.consumer, wait_seconds=wait)

    def discard(self, entries: list[Entry], why: str) -> None:
        """Give up for good; the outbox row remembers why, and the log."""
        for entry in entries:
            if entry.producer:
                with self.engines[entry.producer].begin() as connection:
                    outbox.discard(connection, entry.key, entry.consumer, why)
        if self.broker is not None:
            for consumer, lying in _lying(entries).items():
                self.broker.discard(consumer, lying)
        for entry in entries:
            self._noted("dead letter discarded", entry, why=why)

    def _noted(self, message: str, entry: Entry, **more: str) -> Entry:
        about = {"event_id": entry.key, "consumer": entry.consumer, "type": entry.type}
        log.warning(message, extra=about | more)
        return entry


def _lying(entries: list[Entry]) -> dict[str, dict[str, Entry]]:
    """Consumer → key → the entry, for those with a letter in its queue."""
    lying: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        if entry.copies:
            lying.setdefault(entry.consumer, {})[entry.key] = entry
    return lying


@click.group("dead-letters", help="เหตุการณ์ที่ปลายทางรับไม่ได้ · Events that a consumer gave up.")
def dead_letters() -> None:
    """The command group."""
    configure("WARNING")


@dead_letters.command("list", help="ทั้งหมดที่ค้าง · Everything given up, oldest first.")
@click.option("--consumer", help="only this consumer's")
@click.option("--json", "file", type=click.Path(path_type=Path), help="write it as JSON as well")
def list_(consumer: str | None, file: Path | None) -> None:
    with _office() as office:
        found = [entry for entry in office.entries() if consumer in (None, entry.consumer)]
    write_json(file, [entry.plain() for entry in found])
    for entry in found:
        since = entry.since.isoformat(timespec="seconds") if entry.since else "-"
        click.echo(f"{entry.key}\t{entry.consumer}\t{entry.type or '-'}\t{since}\t{entry.reason}")
    if not found:
        click.echo("ไม่มีรายการค้าง / nothing was given up")


@dead_letters.command("show", help="รายละเอียด ไม่แสดงเนื้อความ · All about one, but never its body.")
@click.argument("key")
def show(key: str) -> None:
    with _office() as office:
        for entry in _named(office, key, None):
            for name, value in entry.plain().items():
                click.echo(f"{name:10} {value}")
            for letter in _headers_of(office, entry):
                click.echo(
                    "".join(f"  {name}: {value}\n" for name, value in letter.headers.items()), nl=False
                )


@dead_letters.command("replay", help="ส่งให้ปลายทางอีกครั้ง · Give one, or all, to its consumer again.")
@click.argument("key", required=False)
@click.option("--all", "everything", is_flag=True, help="every one that is listed")
@click.option("--consumer", help="only this consumer's")
def replay(key: str | None, everything: bool, consumer: str | None) -> None:
    if bool(key) == everything:
        raise click.UsageError("ระบุ KEY หรือ --all อย่างใดอย่างหนึ่ง / give either KEY or --all")
    with _office() as office:
        for entry in office.replay(_named(office, key, consumer)):
            click.echo(f"{entry.key}\t{entry.consumer}\tส่งอีกครั้งแล้ว / replayed")


@dead_letters.command("discard", help="เลิกส่ง พร้อมเหตุผล · Give one up for good, saying why.")
@click.argument("key")
@click.option("--consumer", help="only for this consumer")
@click.option("--reason", required=True, help="why; it is kept with the event. No personal data.")
def discard(key: str, consumer: str | None, reason: str) -> None:
    if not reason.strip():
        raise click.UsageError("ต้องบอกเหตุผล / say why")
    with _office() as office:
        entries = _named(office, key, consumer)
        office.discard(entries, reason.strip())
        for entry in entries:
            click.echo(f"{entry.key}\t{entry.consumer}\tเลิกส่งแล้ว / discarded")


def _parked(producer: str, row: sa.Row[Any], consumer: str, letters: list[Letter]) -> Entry:
    return Entry(
        key=row.id,
        consumer=consumer,
        producer=producer,
        type=row.type,
        subject=row.subject,
        reason=row.reason,
        since=row.created_at,
        copies=len(letters),
        size=letters[0].size if letters else 0,
        replays=max((letter.replays for letter in letters), default=0),
    )


def _unawaited(letters: list[Letter]) -> Entry:
    """A dead letter that no outbox row waits for: foreign, unreadable, or settled in the meantime."""
    first = letters[0]
    return Entry(
        key=first.key,
        consumer=first.consumer,
        producer="",
        type=first.type,
        subject=first.subject,
        reason=first.error,
        since=first.since,
        copies=len(letters),
        size=first.size,
        replays=max(letter.replays for letter in letters),
    )


def _headers_of(office: Office, entry: Entry) -> list[Letter]:
    if not entry.copies or office.broker is None:
        return []
    return [letter for letter in office.broker.letters(entry.consumer) if letter.key == entry.key]


def _named(office: Office, key: str | None, consumer: str | None) -> list[Entry]:
    found = [e for e in office.entries() if key in (None, e.key) and consumer in (None, e.consumer)]
    if not found and key is not None:
        raise click.ClickException("ไม่มีรายการนี้ / there is no such dead letter")
    return found


@contextmanager
def _office() -> Iterator[Office]:
    """Everything the environment names, with its faults told in a sentence."""
    try:
        with databases() as engines:
            url = broker_url()
            if not url:
                yield Office(engines, None)
                return
            with DeadLetters(url) as broker:
                yield Office(engines, broker)
    except NotReplayed as problem:
        raise click.ClickException(f"broker ไม่รับ / the broker did not take it back ({problem})") from problem
    except AWAY as problem:
        raise click.ClickException(f"ติดต่อ broker ไม่ได้ / no broker ({type(problem).__name__})") from problem
    except sa.exc.SQLAlchemyError as problem:
        raise click.ClickException(f"ติดต่อฐานข้อมูลไม่ได้ / no database ({type(problem).__name__})") from problem
