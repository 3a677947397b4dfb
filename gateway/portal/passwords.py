"""Passwords: argon2id at OWASP's floor (19 MiB, 2 passes, 1 lane), and passwords made for new accounts.

Verifying costs tens of milliseconds of CPU by design, so it happens at sign-in and step-up only, never in an act,
and never while a database connection is held.
"""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 10, 200
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what is mistaken on paper: i l o 0 1

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class WeakPassword(ValueError):
    """The password may not be used; the text says why, in Thai and English."""


def hash_password(password: str) -> str:
    """The PHC string to store. Raises WeakPassword outside 10 to 200 characters."""
    if not LEAST <= len(password) <= MOST:
        raise WeakPassword(
            f"รหัสผ่านต้องยาว {LEAST} ถึง {MOST} ตัวอักษร / a password has {LEAST} to {MOST} characters"
        )
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password; with None (no such account) it takes as long and is False."""
    try:
        typed = password.encode(errors="replace")
        return _hasher.verify(stored or _nobody(), typed) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def make_password() -> str:
    """A password to print once: four groups of four, 79 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe())
