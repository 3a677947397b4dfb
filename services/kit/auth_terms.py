"""Issuer, audience and lifetimes of access tokens: what signer and verifier must agree on."""

ISSUER = "tabian-portal"
AUDIENCE = "tabian"
STEP_UP_SECONDS = 15 * 60
LEEWAY_SECONDS = 5
"""How long after its end a token still passes, for clocks that differ."""
