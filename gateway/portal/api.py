"""The portal's HTTP API: signing in and stepping up for a token, and the public keys that check them."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from gateway.portal import sign_in, tokens
from services.kit.auth import public
from services.kit.clock import Clock
from services.kit.http import body, runtime

TEXT_TH_EN = "ต้องเป็นข้อความ 1 ถึง 200 ตัวอักษร / 1 to 200 characters"


class Credentials(Schema):
    """What a person proves who they are with; `step_up` asks for a token that may certify."""

    username = fields.String(required=True, validate=validate.Length(1, 200, error=TEXT_TH_EN))
    password = fields.String(required=True, validate=validate.Length(1, 200, error=TEXT_TH_EN))
    step_up = fields.Boolean(load_default=False)


def blueprint() -> Blueprint:
    """POST /api/v1/tokens and GET /.well-known/jwks.json; both public, neither reads the pages' cookie."""
    api = Blueprint("api", __name__)
    api.add_url_rule("/api/v1/tokens", view_func=issue_token, methods=["POST"])
    api.add_url_rule("/.well-known/jwks.json", view_func=public_keys)
    return api


@public
def issue_token() -> ResponseReturnValue:
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
    answer = jsonify(runtime().keys.jwks)
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
