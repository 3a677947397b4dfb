"""The portal's interface for programs: tokens, public keys, this document, and whether the process is well."""

from __future__ import annotations

from typing import Final

from deploy.documents.openapi.vocabulary import (
    COUNT,
    ETAG,
    TEXT,
    Asked,
    Gives,
    Interface,
    Operation,
    among,
    closed,
    gives,
    listed,
    ref,
)
from gateway.portal.api import Credentials

SHAPES: Final = {
    "Token": closed(
        access_token=TEXT,
        token_type=among("Bearer"),
        expires_in=COUNT,
        grants=listed({"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}),
    ),
    "Keys": {
        "type": "object",
        "description": "JWK set (RFC 7517): tokens are ES256, receipts and seals Ed25519",
        "properties": {"keys": listed({"type": "object"})},
        "required": ["keys"],
    },
}

OPERATIONS: Final[dict[str, Operation]] = {
    "POST /api/v1/tokens": Operation(
        takes=Credentials, gives={200: gives("an access token", ref("Token"))}, refuses=(401, 403, 429)
    ),
    "GET /.well-known/jwks.json": Operation(gives={200: gives("the public keys", ref("Keys"))}),
    "GET /api/v1/openapi.json": Operation(
        asks=(Asked("If-None-Match", "header", "the version that the client has"),),
        gives={
            200: gives("OpenAPI 3.1", {"type": "object"}, ETAG),
            304: Gives("the client has it", {}, ETAG),
        },
    ),
    "GET /healthz": Operation(gives={200: gives("this process answers", closed(status=TEXT, service=TEXT))}),
    "GET /readyz": Operation(
        gives={
            200: gives("it has its database and may be sent requests", closed(status=TEXT, service=TEXT)),
            503: gives("it may not", closed({"has": {}, "wants": TEXT, "service": TEXT}, status=TEXT)),
        }
    ),
}

INTERFACE: Final = Interface(
    title="Tabian: portal",
    about="Signing in for a token, and the public keys that check tokens, receipts and seals.",
    shapes=SHAPES,
    operations=OPERATIONS,
)
