"""Accounts: who may sign in and what each may do where. Used by the CLI, embedded mode and sign-in.

Not here: checking a password at sign-in (sign_in), and what a role may do (services.contracts.access).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gateway.portal.tables import account, session
from services.contracts.access import AREA, CLERK, DIRECTOR, NATION, ROLES, Grant
from services.kit.database import Transaction

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}", re.ASCII)
_SCHOOL = re.compile(r"[0-9]{10}", re.ASCII)
_AREA = re.compile(r"[0-9A-Za-z-]{2,16}", re.ASCII)


class NotAnAccount(ValueError):
    """A username, role or scope cannot be; the text says which and why, in Thai and English."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in. `password_hash` never leaves the portal."""

    username: str
    name: str
    password_hash: str
    grants: tuple[Grant, ...]
    locked: bool = False


def normal_username(text: str) -> str:
    return text.strip().lower()


def checked_username(text: str) -> str:
    """The username as stored. Raises NotAnAccount."""
    username = normal_username(text)
    if not _USERNAME.fullmatch(username):
        raise NotAnAccount(
            "ชื่อผู้ใช้ต้องเป็น a-z 0-9 . _ @ - ยาว 2 ถึง 64 ตัว / a username is 2 to 64 of a-z 0-9 . _ @ -"
        )
    return username


def checked_grant(role: str, scope: str) -> Grant:
    """The grant; an empty scope means the nation. Raises NotAnAccount if the scope does not fit the role."""
    if role not in ROLES:
        raise NotAnAccount(f"ไม่รู้จักบทบาทนี้ / unknown role; one of: {', '.join(ROLES)}")
    scope = scope.strip() or NATION
    wanted = {CLERK: _SCHOOL, DIRECTOR: _SCHOOL, AREA: _AREA}.get(role)
    if wanted is None and scope != NATION:
        raise NotAnAccount(f"บทบาท {role} ใช้ขอบเขต * เท่านั้น / the scope of {role} is *")
    if wanted is not None and not wanted.fullmatch(scope):
        raise NotAnAccount(
            f"ขอบเขตของ {role} ต้องเป็นรหัสโรงเรียน 10 หลัก หรือรหัสเขต / "
            f"the scope of {role} is a 10-digit school code or an area code"
        )
    return Grant(role, scope)


def save(
    tx: Transaction, *, username: str, name: str, password_hash: str, grants: Sequence[Grant], replace: bool
) -> bool:
    """Store an account; False if it exists and is not to be replaced. Replacing ends its sessions."""
    values = {
        "name": name,
        "password_hash": password_hash,
        "grants": [[grant.role, grant.scope] for grant in grants],
        "locked": False,
        "changed_at": sa.func.now(),
    }
    statement = insert(account).values(username=username, **values)
    if replace:
        tx.execute(sa.delete(session).where(session.c.username == username))
        final = statement.on_conflict_do_update(index_elements=[account.c.username], set_=values)
    else:
        final = statement.on_conflict_do_nothing()
    return tx.execute(final.returning(account.c.username)).first() is not None


def find(tx: Transaction, username: str) -> Account | None:
    """The account, or None; also for text that can be nobody's username."""
    wanted = normal_username(username)
    if not _USERNAME.fullmatch(wanted):
        return None
    row = tx.execute(sa.select(account).where(account.c.username == wanted)).first()
    return _account(row) if row else None


def every(tx: Transaction) -> list[Account]:
    """All accounts in order of username."""
    return [_account(row) for row in tx.execute(sa.select(account).order_by(account.c.username))]


def set_locked(tx: Transaction, username: str, *, locked: bool) -> bool:
    """Lock (ending its sessions at once) or unlock; False if there is no such account."""
    name = normal_username(username)
    if locked:
        tx.execute(sa.delete(session).where(session.c.username == name))
    changed = (
        sa.update(account).where(account.c.username == name).values(locked=locked, changed_at=sa.func.now())
    )
    return tx.execute(changed.returning(account.c.username)).first() is not None


def grants_of(pairs: Iterable[Sequence[str]]) -> tuple[Grant, ...]:
    return tuple(Grant(role, scope) for role, scope in pairs)


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    values = row._mapping
    return Account(
        values["username"],
        values["name"],
        values["password_hash"],
        grants_of(values["grants"]),
        values["locked"],
    )
