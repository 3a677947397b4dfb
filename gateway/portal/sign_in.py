"""Checking who someone is by username and password: one way, for the API and the pages, throttled.

The same answer and about the same time for an unknown account as for a wrong password.
"""

from __future__ import annotations

from gateway.portal import accounts, throttle
from gateway.portal.accounts import Account
from gateway.portal.passwords import matches
from services.kit.clock import Clock
from services.kit.database import Database
from services.kit.errors import Problem


def check(database: Database, username: str, password: str, client: str) -> Account:
    """The account. Raises Problem 401 sign-in-refused, 403 account-locked or 429 too-many-attempts."""
    now = Clock.real()
    username = accounts.normal_username(username)
    with database.transaction() as tx:
        wait = throttle.count(tx, username, client, now)
        found = None if wait else accounts.find(tx, username)
    if wait:
        raise _too_many(wait)
    if not matches(found.password_hash if found else None, password) or found is None:
        raise Problem(
            401,
            "sign-in-refused",
            "ชื่อผู้ใช้หรือรหัสผ่านไม่ถูกต้อง",
            "The username or the password is wrong",
            headers={"WWW-Authenticate": "Bearer"},
        )
    with database.transaction() as tx:
        throttle.succeeded(tx, username, client)
        throttle.forget(tx, now)
    if found.locked:
        raise Problem(
            403,
            "account-locked",
            "บัญชีนี้ถูกระงับ โปรดติดต่อสำนักงานเขตพื้นที่การศึกษา",
            "This account is locked; ask your education area office",
        )
    return found


def _too_many(wait: int) -> Problem:
    minutes = -(-wait // 60)
    return Problem(
        429,
        "too-many-attempts",
        f"เข้าสู่ระบบไม่สำเร็จหลายครั้งเกินไป โปรดรอ {minutes} นาทีแล้วลองใหม่",
        f"Too many failed sign-ins; wait {minutes} minute{'s' if minutes > 1 else ''} and try again",
        headers={"Retry-After": str(wait)},
    )
