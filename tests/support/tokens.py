"""Access tokens for tests, signed by the test run's own keys."""

from __future__ import annotations

import time

import jwt

from services.kit.auth_terms import AUDIENCE, ISSUER
from services.kit.keys import Keys


def token(
    keys: Keys, subject: str, *grants: tuple[str, str], stepped_up: bool = False, lifetime: int = 600
) -> str:
    """A token for `subject` holding the (role, scope) grants; a negative lifetime makes an expired one."""
    signer, kid = keys.token_signer
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "name": f"ผู้ใช้ {subject}",
        "iat": now - 60,
        "exp": now + lifetime,
        "grants": [list(grant) for grant in grants],
    }
    if stepped_up:
        claims |= {"acr": "step-up", "auth_time": now}
    return jwt.encode(claims, signer, algorithm="ES256", headers={"kid": kid})


def bearer(keys: Keys, subject: str, *grants: tuple[str, str], stepped_up: bool = False) -> dict[str, str]:
    """Request headers of that person."""
    return {"Authorization": f"Bearer {token(keys, subject, *grants, stepped_up=stepped_up)}"}
