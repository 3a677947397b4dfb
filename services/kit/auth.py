"""Who is asking: access tokens (JWT, ES256) checked in full by every service, whatever the edge already checked.

Every route needs a token unless its view is marked `@public`. Not here: signing in (portal) and the rules of who
may do what (contracts.access and each service's rules).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import jwt
from flask import Flask, g, request

from services.contracts.access import Grant
from services.kit.auth_terms import AUDIENCE, ISSUER, LEEWAY_SECONDS, STEP_UP_SECONDS
from services.kit.clock import Clock
from services.kit.errors import Problem
from services.kit.keys import Keys

V = TypeVar("V", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Principal:
    """The person (or service) a verified token names. `auth_time`: unix seconds of the last step-up, or None."""

    subject: str
    name: str
    grants: tuple[Grant, ...]
    auth_time: int | None = None

    @property
    def stepped_up(self) -> bool:
        """Whether the person proved who they are within the last 15 minutes (real time)."""
        return (
            self.auth_time is not None and 0 <= Clock.real().timestamp() - self.auth_time <= STEP_UP_SECONDS
        )


def public(view: V) -> V:
    """Mark a view as reachable without a token."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def principal() -> Principal:
    """Who is asking in this request; only in views that are not public."""
    who: Principal = g.principal
    return who


@dataclass(frozen=True, slots=True)
class _Genuine:
    """What a genuine token says, whenever it ends (unix seconds)."""

    principal: Principal
    ends: int


def verify(token: str, keys: Keys) -> Principal:
    """The principal of a token. Raises Problem 401 with type token-expired or token-invalid."""
    try:
        genuine = _genuine(token, keys)
        if genuine.ends + LEEWAY_SECONDS <= Clock.real().timestamp():
            raise jwt.ExpiredSignatureError
    except jwt.ExpiredSignatureError as problem:
        raise _refused(
            "token-expired", "หมดเวลาการเข้าใช้ โปรดเข้าสู่ระบบใหม่", "Your sign-in has expired; sign in again"
        ) from problem
    except (jwt.PyJWTError, TypeError, ValueError) as problem:
        raise _refused(
            "token-invalid", "บัตรผ่านไม่ถูกต้อง โปรดเข้าสู่ระบบใหม่", "The access token is not valid; sign in again"
        ) from problem
    return genuine.principal


# A person comes with the same token for a quarter of an hour, and a signature once found genuine stays so.
@lru_cache(maxsize=4096)
def _genuine(token: str, keys: Keys) -> _Genuine:
    """Raises PyJWTError, TypeError, ValueError; nothing is remembered of what is not genuine."""
    kid = str(jwt.get_unverified_header(token).get("kid"))
    claims = jwt.decode(
        token,
        keys.token_keys.get(kid, ""),
        algorithms=["ES256"],
        audience=AUDIENCE,
        issuer=ISSUER,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "iat", "sub"]},
    )
    grants = tuple(Grant(str(role), str(scope)) for role, scope in claims.get("grants", ()))
    stepped = claims.get("acr") == "step-up" and isinstance(claims.get("auth_time"), int)
    auth_time = claims["auth_time"] if stepped else None
    principal = Principal(claims["sub"], str(claims.get("name", "")), grants, auth_time)
    return _Genuine(principal, int(claims["exp"]))


def _refused(code: str, th: str, en: str) -> Problem:
    return Problem(401, code, th, en, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def require_tokens(app: Flask, keys: Keys) -> None:
    """Check the bearer token before every view that is not public."""

    @app.before_request
    def authenticate() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if view is None or getattr(view, "is_public", False):
            return
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _refused(
                "token-missing", "โปรดเข้าสู่ระบบก่อน", "Sign in first: this address needs an access token"
            )
        g.principal = verify(token, keys)
