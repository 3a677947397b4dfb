"""Access tokens: the portal alone signs them (ES256); every service checks them by services.kit.auth."""

from __future__ import annotations

from collections.abc import Sequence

import jwt

from services.contracts.access import Grant
from services.kit.auth_terms import AUDIENCE, ISSUER
from services.kit.clock import Clock
from services.kit.keys import Keys

LIFETIME_SECONDS = 15 * 60
CARD = "tabian_card"
"""Name and audience of the cookie with a person's card."""


def card(keys: Keys, username: str, seconds: int) -> str:
    """What tells the edge whose browser this is, so that an act it must turn away gets a ticket. It opens nothing: it
    is for nobody who takes access tokens, and names no grant."""
    signer, kid = keys.token_signer
    claims = {"aud": CARD, "sub": username, "exp": int(Clock.real().timestamp()) + seconds}
    return jwt.encode(claims, signer, algorithm="ES256", headers={"kid": kid})


def sign(
    keys: Keys, *, username: str, name: str, grants: Sequence[Grant], auth_time: int | None = None
) -> str:
    """A token for 15 minutes (real time). `auth_time`: unix seconds of a step-up, which then is in it (acr)."""
    signer, kid = keys.token_signer
    now = int(Clock.real().timestamp())
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": username,
        "name": name,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "grants": [[grant.role, grant.scope] for grant in grants],
    }
    if auth_time is not None:
        claims |= {"acr": "step-up", "auth_time": auth_time}
    return jwt.encode(claims, signer, algorithm="ES256", headers={"kid": kid})
