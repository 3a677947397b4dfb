"""The portal's HTTP API: signing in and stepping up for a token, the public keys that check them, and the document that
describes every service's interface (made by `make docs`)."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from gateway.portal import sign_in, tokens
from services.kit.auth import public
from services.kit.clock import Clock
from services.kit.http import body, runtime

TEXT_TH_EN = "ต้องเป็นข้อความ 1 ถึง 200 ตัวอักษร / 1 to 200 characters"
DOCUMENT = Path(__file__).with_name("openapi.json")
_SHORT_WHILE = "public, max-age=300"


class Credentials(Schema):
    """What a person proves who they are with; `step_up` asks for a token that may certify."""

    username = fields.String(required=True, validate=validate.Length(1, 200, error=TEXT_TH_EN))
    password = fields.String(required=True, validate=validate.Length(1, 200, error=TEXT_TH_EN))
    step_up = fields.Boolean(load_default=False)


def blueprint() -> Blueprint:
    """Tokens, keys and the document of the interface; all public, none reads the pages' cookie."""
    api = Blueprint("api", __name__)
    api.add_url_rule("/api/v1/tokens", view_func=issue_token, methods=["POST"])
    api.add_url_rule("/.well-known/jwks.json", view_func=public_keys)
    api.add_url_rule("/api/v1/openapi.json", view_func=interface)
    return api


@public
def issue_token() -> ResponseReturnValue:
    """An access token for who proves to be this person; with `step_up` it may certify."""
    given = body(Credentials())
    who = sign_in.check(
        runtime().database, str(given["username"]), str(given["password"]), request.remote_addr or ""
    )
    auth_time = int(Clock.real().timestamp()) if given["step_up"] else None
    token = tokens.sign(
        runtime().keys, username=who.username, name=who.name, grants=who.grants, auth_time=auth_time
    )
    grants = [[grant.role, grant.scope] for grant in who.grants]
    return jsonify(access_token=token, token_type="Bearer", expires_in=tokens.LIFETIME_SECONDS, grants=grants)


@public
def public_keys() -> ResponseReturnValue:
    """The public keys that tokens, receipts and seals are checked with."""
    answer = jsonify(runtime().keys.jwks)
    answer.headers["Cache-Control"] = _SHORT_WHILE
    return answer


@public
def interface() -> ResponseReturnValue:
    """This document: every address reachable from outside, in OpenAPI 3.1."""
    text, digest = _document()
    answer = Response(text, mimetype="application/json")
    answer.headers["Cache-Control"] = _SHORT_WHILE
    answer.set_etag(digest)
    return answer.make_conditional(request)


@cache
def _document() -> tuple[bytes, str]:
    """The document and its SHA-256, in hexadecimal."""
    text = DOCUMENT.read_bytes()
    return text, hashlib.sha256(text).hexdigest()
