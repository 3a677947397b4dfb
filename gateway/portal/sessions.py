"""Who is using the pages: sessions in the database, named by a random id in a signed cookie.

A session ends after an hour unused, ten hours after sign-in, at sign-out, and when its account is locked. Grants
are read afresh with every request. Not here: tokens of API clients.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Response, abort, after_this_request, flash, g, redirect, request, url_for
from flask import session as cookie

from gateway.portal import accounts, tokens
from gateway.portal.accounts import Account
from gateway.portal.language import t
from gateway.portal.tables import account, session
from services.contracts.access import Grant
from services.kit.auth import public
from services.kit.auth_terms import STEP_UP_SECONDS
from services.kit.clock import Clock
from services.kit.database import Transaction
from services.kit.http import runtime

V = TypeVar("V", bound=Callable[..., Any])
IDLE, LONGEST, NOTED = timedelta(hours=1), timedelta(hours=10), timedelta(minutes=1)
_KEY = "sid"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The signed-in person of this request, in the role and scope chosen at the top of the page."""

    session: str
    account: Account
    chosen: int
    auth_time: int | None

    @property
    def grant(self) -> Grant:
        return self.account.grants[self.chosen]

    @property
    def stepped_up(self) -> bool:
        """Whether the password was typed again within the last 15 minutes."""
        return self.auth_time is not None and Clock.real().timestamp() - self.auth_time < STEP_UP_SECONDS

    def token(self) -> str:
        """A token for one request to a service, holding the chosen grant only."""
        return tokens.sign(
            runtime().keys,
            username=self.account.username,
            name=self.account.name,
            grants=[self.grant],
            auth_time=self.auth_time if self.stepped_up else None,
        )


def begin(tx: Transaction, who: Account) -> None:
    """Sign in: a new session and a new cookie; what is over is cleared away."""
    now = Clock.real()
    identifier = secrets.token_urlsafe(32)
    tx.execute(sa.delete(session).where(session.c.expires_at < now))
    tx.execute(
        sa.insert(session).values(
            id=_digest(identifier), username=who.username, seen_at=now, expires_at=now + LONGEST
        )
    )
    cookie.clear()
    cookie[_KEY] = identifier
    _give_card(tokens.card(runtime().keys, who.username, LONGEST.seconds), LONGEST)


def end(tx: Transaction) -> None:
    """Sign out: the session is gone from the database, and the cookie says nothing any more."""
    tx.execute(sa.delete(session).where(session.c.id == _digest(str(cookie.get(_KEY, "")))))
    cookie.clear()
    _give_card("", timedelta(0))


def choose(tx: Transaction, who: Visitor, index: int) -> None:
    """Act in another of one's roles; an index out of range changes nothing."""
    if 0 <= index < len(who.account.grants):
        tx.execute(sa.update(session).where(session.c.id == who.session).values(chosen=index))


def stepped_up(tx: Transaction, who: Visitor) -> None:
    """Note that the person just proved again who they are."""
    now = int(Clock.real().timestamp())
    tx.execute(sa.update(session).where(session.c.id == who.session).values(auth_time=now))


def visitor() -> Visitor | None:
    """The person of this request, or None; read from the database once a request."""
    if "visitor" not in g:
        identifier = str(cookie.get(_KEY, ""))
        g.visitor = None
        if identifier:
            with runtime().database.transaction() as tx:
                g.visitor = _load(tx, _digest(identifier), Clock.real())
    found: Visitor | None = g.visitor
    return found


def person() -> Visitor:
    """The person of this request; only in views guarded by `signed_in`."""
    found = visitor()
    assert found is not None
    return found


def signed_in(*roles: str) -> Callable[[V], V]:
    """Guard a page: only with a session, and only in one of these roles if any are named (else 404).

    Pages are public to the check of bearer tokens; this guard takes its place.
    """

    def guard(view: V) -> V:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            who = visitor()
            if who is None:
                if request.path != "/":
                    flash(t("โปรดเข้าสู่ระบบก่อน", "Sign in first"), "warning")
                back = request.full_path.rstrip("?") if request.method == "GET" else None
                return redirect(url_for("people.sign_in", next=back))
            if roles and who.grant.role not in roles:
                abort(404)
            return view(*args, **kwargs)

        guarded.is_guarded = True  # type: ignore[attr-defined]
        return public(guarded)  # type: ignore[return-value]

    return guard


def _load(tx: Transaction, identifier: str, now: datetime) -> Visitor | None:
    row = tx.execute(
        sa.select(session, account.c.name, account.c.grants, account.c.locked)
        .join(account, account.c.username == session.c.username)
        .where(session.c.id == identifier, session.c.expires_at > now, session.c.seen_at > now - IDLE)
    ).first()
    if row is None or row.locked or not row.grants:
        return None
    if row.seen_at < now - NOTED:  # not at every request: pages read far more than they write
        tx.execute(sa.update(session).where(session.c.id == identifier).values(seen_at=now))
    who = Account(row.username, row.name, "", accounts.grants_of(row.grants))
    return Visitor(identifier, who, row.chosen if row.chosen < len(who.grants) else 0, row.auth_time)


def _give_card(card: str, lasts: timedelta) -> None:
    """Put the card into the browser with this request's answer."""

    @after_this_request
    def give(response: Response) -> Response:
        response.set_cookie(
            tokens.CARD, card, max_age=lasts, secure=request.is_secure, httponly=True, samesite="Lax"
        )
        return response


def _digest(identifier: str) -> str:
    return hashlib.sha256(identifier.encode()).hexdigest()
