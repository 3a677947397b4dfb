"""`tabian accounts`: add, import, lock, unlock and list the people who may sign in.

The portal's database is named by the environment, as for any service. Generated passwords are printed once and
kept nowhere.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway.portal import accounts as book
from gateway.portal.accounts import NotAnAccount
from gateway.portal.app import SERVICE
from gateway.portal.enrolment import Entry, read_entries, store
from gateway.portal.passwords import WeakPassword
from services.kit.clock import Clock
from services.kit.database import Database
from services.kit.settings import Settings, load


@click.group("accounts", help="บัญชีผู้ใช้ · The people who may sign in.")
def accounts() -> None:
    """The command group."""


@accounts.command("add", help="เพิ่มหรือแก้บัญชี · Add an account, or replace one with --replace.")
@click.argument("username")
@click.option("--name", required=True, help="ชื่อที่แสดง · The name shown to others.")
@click.option(
    "--grant",
    "grants",
    multiple=True,
    required=True,
    metavar="ROLE:SCOPE",
    help="clerk:1066350177, area:6602, hq:* …; may be given more than once.",
)
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input; else one is made."
)
@click.option("--replace", is_flag=True, help="Replace an account of that name.")
def add(username: str, name: str, grants: tuple[str, ...], password_stdin: bool, replace: bool) -> None:
    with _said_plainly():
        entry = Entry(book.checked_username(username), name.strip() or username)
        entry.grants = [book.checked_grant(*grant.partition(":")[::2]) for grant in grants]
        entry.password = sys.stdin.readline().rstrip("\n") if password_stdin else ""
        with portal_database() as database:
            made = store(database, [entry], replace=replace)
    if not made:
        raise click.ClickException("มีบัญชีนี้แล้ว ใช้ --replace / this account exists; use --replace")
    _print_made(made, hide=password_stdin)


@accounts.command("import", help="นำเข้าจาก CSV: username,name,role,scope[,password] · Import from CSV.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace accounts that exist; else they are left as they are.")
def import_(file: Path, replace: bool) -> None:
    with _said_plainly():
        entries = read_entries(file)
        given = {entry.username for entry in entries if entry.password}
        with portal_database() as database:
            made = store(database, entries, replace=replace)
    _print_made([entry for entry in made if entry.username not in given], hide=False)
    click.echo(f"# {len(made)} stored, {len(entries) - len(made)} existed and were left", err=True)


@accounts.command("lock", help="ระงับบัญชี ออกจากระบบทันที · Lock an account and end its sessions.")
@click.argument("username")
def lock(username: str) -> None:
    _set_locked(username, locked=True)


@accounts.command("unlock", help="เลิกระงับบัญชี · Unlock an account.")
@click.argument("username")
def unlock(username: str) -> None:
    _set_locked(username, locked=False)


@accounts.command("list", help="รายชื่อบัญชี · Every account with its grants.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_(as_json: bool) -> None:
    with portal_database() as database, database.transaction() as tx:
        everyone = book.every(tx)
    rows = [
        {
            "username": one.username,
            "name": one.name,
            "grants": [f"{grant.role}:{grant.scope}" for grant in one.grants],
            "locked": one.locked,
        }
        for one in everyone
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for one in everyone:
        grants = " ".join(f"{grant.role}:{grant.scope}" for grant in one.grants)
        click.echo(f"{one.username}\t{one.name}\t{grants}\t{'locked' if one.locked else ''}".rstrip())


@contextmanager
def portal_database() -> Iterator[Database]:
    """The portal's database, as the environment names it."""
    settings = load(Settings)
    database = Database(settings.database_url, SERVICE, Clock(settings.clock_file), pool_size=1)
    try:
        yield database
    finally:
        database.close()


def _set_locked(username: str, *, locked: bool) -> None:
    with portal_database() as database, database.transaction() as tx:
        found = book.set_locked(tx, username, locked=locked)
    if not found:
        raise click.ClickException("ไม่มีบัญชีนี้ / there is no such account")


def _print_made(made: list[Entry], *, hide: bool) -> None:
    for entry in [] if hide else made:
        click.echo(f"{entry.username},{entry.password}")


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Faults in what was typed or in the file are told in a sentence, without a stack."""
    try:
        yield
    except (NotAnAccount, WeakPassword, UnicodeDecodeError, csv.Error) as problem:
        text = (
            str(problem)
            if isinstance(problem, NotAnAccount | WeakPassword)
            else "อ่านไฟล์ไม่ได้ / unreadable file"
        )
        raise click.ClickException(text) from problem
