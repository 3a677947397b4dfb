"""Problems: errors that a person or client can act on, as application/problem+json (RFC 9457).

Every problem has a stable `type` and says what to do in Thai and English. `detail` is in the language asked for
by Accept-Language, Thai by default; `detail_th` and `detail_en` are always there. Never carries personal data.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, jsonify, request
from marshmallow import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from services.contracts.refusal import Refusal
from services.kit.logs import correlation_id, stack_of

log = logging.getLogger(__name__)


class Problem(Refusal):
    """A refusal by a web view or the kit itself."""


def problem_body(refusal: Refusal, *, english: bool = False) -> dict[str, Any]:
    """The problem+json members of a refusal."""
    return {
        "type": f"/problems/{refusal.code}",
        "title": refusal.code.replace("-", " "),
        "status": refusal.status,
        "detail": refusal.en if english else refusal.th,
        "detail_th": refusal.th,
        "detail_en": refusal.en,
        "correlation_id": correlation_id(),
        **{key: value for key, value in refusal.more.items() if key != "headers"},
    }


def problem_response(refusal: Refusal) -> Response:
    english = request.accept_languages.best_match(["th", "en"], default="th") == "en"
    answer = jsonify(problem_body(refusal, english=english))
    answer.status_code = refusal.status
    answer.content_type = "application/problem+json"
    answer.headers.update(refusal.more.get("headers", {}))
    return answer


def not_found() -> Problem:
    """Also for what exists but this person may not know of."""
    return Problem(
        404, "not-found", "ไม่พบข้อมูลที่ขอ หรือท่านไม่มีสิทธิ์เห็น", "There is no such thing, or it is not yours to see"
    )


_HTTP = {
    400: ("bad-request", "คำขอไม่ถูกรูปแบบ", "The request is malformed"),
    404: ("not-found", "ไม่พบข้อมูลที่ขอ หรือท่านไม่มีสิทธิ์เห็น", "There is no such thing, or it is not yours to see"),
    405: ("method-not-allowed", "ใช้วิธีเรียกนี้กับที่อยู่นี้ไม่ได้", "This address does not take this method"),
    408: ("too-slow", "ส่งข้อมูลช้าเกินไป โปรดลองใหม่", "The request came too slowly; try again"),
    413: ("too-large", "ข้อมูลที่ส่งใหญ่เกินกำหนด", "The body is larger than this address takes"),
    415: ("media-type", "ระบบไม่รับข้อมูลชนิดนี้", "This kind of content is not taken here"),
}


def register_errors(app: Flask) -> None:
    """Give the application one table from exception to problem+json."""
    _register_refusals(app)
    _register_failures(app)


def _register_refusals(app: Flask) -> None:
    """What the one who asked can put right."""

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        return problem_response(error)

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        refusal = Problem(
            422,
            "invalid-body",
            "ข้อมูลที่ส่งไม่ถูกต้อง ดูรายการใน errors",
            "The body is not valid; see errors",
            errors=error.messages,
        )
        return problem_response(refusal)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        code, th, en = _HTTP.get(status, (f"http-{status}", "คำขอไม่สำเร็จ", error.name))
        return problem_response(Problem(status, code, th, en))


def _register_failures(app: Flask) -> None:
    """What failed on our side."""

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(PoolTimeout)
    def database_away(error: Exception) -> Response:
        log.error(
            "database away or busy", extra={"route": str(request.url_rule), "error": type(error).__name__}
        )
        return problem_response(
            Problem(
                503,
                "busy",
                "ระบบไม่ว่างหรือกำลังกลับมา โปรดรอสักครู่แล้วส่งซ้ำ การส่งซ้ำไม่ทำให้บันทึกซ้ำ",
                "The system is busy or coming back; wait a moment and send it again: it will be done once",
                headers={"Retry-After": "1"},
            )
        )

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.error(
            "unexpected error",
            extra={"route": str(request.url_rule), "error": type(error).__name__, "stack": stack_of(error)},
        )
        refusal = Problem(
            500,
            "unexpected",
            "ระบบขัดข้อง โปรดลองใหม่ หากยังพบให้แจ้งผู้ดูแลพร้อมรหัส correlation_id",
            "Something failed on our side; try again, and if it stays tell the operators the correlation_id",
        )
        return problem_response(refusal)
