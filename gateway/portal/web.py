"""What all pages share: templates, Bootstrap served from here, CSRF, cookies, security headers, and error pages.

The application itself is the kit's; this only adds to it. Not here: any page.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Blueprint, Flask, Response, current_app, g, render_template, request, send_from_directory
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway.portal import language, waiting
from gateway.portal.held import Unfold
from gateway.portal.neighbours import Away
from gateway.portal.sessions import visitor
from services.contracts.refusal import Refusal
from services.kit.auth import public
from services.kit.errors import not_found, problem_response
from services.kit.keys import Keys
from services.kit.logs import correlation_id, stack_of
from services.kit.service import Runtime

log = logging.getLogger(__name__)
HERE = Path(__file__).parent
UPLOAD_BYTES = 17 * 1024 * 1024  # intake takes 16 MiB; the form around a file is small
_API = ("/api/", "/.well-known/")
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_STATUS = {
    400: ("คำขอไม่ถูกรูปแบบ โปรดย้อนกลับแล้วลองใหม่", "The request is malformed; go back and try again"),
    404: ("ไม่พบหน้านี้ หรือท่านไม่มีสิทธิ์เห็น", "There is no such page, or it is not yours to see"),
    405: ("เปิดที่อยู่นี้โดยตรงไม่ได้", "This address cannot be opened like this"),
    413: ("ไฟล์ใหญ่เกินกำหนด (ไม่เกิน 16 MB)", "The file is too large (at most 16 MB)"),
    500: (
        "ระบบขัดข้อง โปรดลองใหม่ หากยังพบให้แจ้งผู้ดูแลพร้อมรหัสด้านล่าง",
        "Something failed on our side; try again, and if it stays tell the operators the code below",
    ),
}
_EXPIRED = (
    "หน้านี้เปิดค้างไว้นานหรือเบราว์เซอร์ไม่รับคุกกี้ โปรดโหลดหน้าใหม่แล้วทำอีกครั้ง",
    "This page was open too long, or the browser takes no cookies; load it again and repeat",
)


class _Cookies(SecureCookieSessionInterface):
    """Secure cookies wherever the person came by https, and plain ones on a rehearsal laptop."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's signature
        return request.is_secure


def prepare(app: Flask, runtime: Runtime, api: Blueprint) -> None:
    """Make the kit's application one that can serve pages; `api` keeps bearer tokens and needs no CSRF token."""
    app.secret_key = _cookie_key(runtime.keys)
    app.session_interface = _Cookies()
    app.config.update(
        SESSION_COOKIE_NAME="tabian",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    app.before_request(_allow_uploads)
    app.static_url_path = "/static"
    Bootstrap5(app)
    app.view_functions["bootstrap.static"] = _bootstrap_file
    CSRFProtect(app).exempt(api)
    if proxies := int(runtime.parts.get("proxies", 0)):
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    app.wsgi_app = Unfold(app.wsgi_app)  # type: ignore[assignment, method-assign]
    _add_words(app)
    app.after_request(_finish)
    app.register_error_handler(404, _unknown_address)


def show_errors(pages: Blueprint) -> None:
    """Errors of these pages are pages: calm, in the page's language, with the way back."""
    pages.register_error_handler(
        Refusal, lambda refusal: _page(refusal.status, language.reason(refusal), refusal.code)
    )
    pages.register_error_handler(Away, waiting.show)
    for trouble in (OperationalError, InterfaceError, PoolTimeout):
        pages.register_error_handler(trouble, waiting.without_database)
    pages.register_error_handler(CSRFError, lambda _: _page(400, language.t(*_EXPIRED), "form-expired"))
    pages.register_error_handler(HTTPException, _http)
    pages.register_error_handler(Exception, _unexpected)


@public
def asset(filename: str) -> Response:
    """One of the portal's own static files."""
    return send_from_directory(HERE / "static", filename, max_age=300)


@public
def _bootstrap_file(filename: str) -> Response:
    return send_from_directory(
        str(current_app.blueprints["bootstrap"].static_folder), filename, max_age=86400
    )


def _cookie_key(keys: Keys) -> bytes:
    """The cookie's signing key, made from the token key: the portal's processes agree without one more secret."""
    signer, _ = keys.token_signer
    secret = signer.private_numbers().private_value.to_bytes(32, "big")
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"tabian portal cookie").derive(secret)


def _allow_uploads() -> None:
    if request.endpoint == "roster.upload":
        request.max_content_length = UPLOAD_BYTES


def _add_words(app: Flask) -> None:
    names = (
        "t",
        "word",
        "said",
        "day",
        "clock_time",
        "moment",
        "reason",
        "round_name",
        "span",
        "number",
        "english",
    )
    app.jinja_env.globals.update({name: getattr(language, name) for name in names})
    app.jinja_env.globals.update(
        visitor=visitor, in_language=_in_language, version=_version(), shift=waiting.shift
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _in_language(wanted: str) -> str:
    """This page's address in the other language; what answers a form has none."""
    path = request.path if request.method == "GET" else "/"
    return f"{path}?{urlencode([*_arguments(), ('lang', wanted)])}"


def _arguments() -> list[tuple[str, str]]:
    return [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]


def _version() -> str:
    """Changes with the static files, so that a browser never mixes an old script with a new page."""
    files = sorted((HERE / "static").iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


def _finish(response: Response) -> Response:
    if request.args.get("lang") in ("th", "en"):
        chosen = request.args["lang"]
        response.set_cookie(
            language.COOKIE,
            chosen,
            max_age=365 * 86400,
            samesite="Lax",
            httponly=True,
            secure=request.is_secure,
        )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    return waiting.for_script(response)


def _unknown_address(error: HTTPException) -> ResponseReturnValue:
    if request.path.startswith(_API):
        return problem_response(not_found())
    return _http(error)


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    return _page(status, language.t(*_STATUS.get(status, _STATUS[400])), f"http-{status}")


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error(
        "unexpected error",
        extra={"route": str(request.url_rule), "error": type(error).__name__, "stack": stack_of(error)},
    )
    g.visitor = g.get("visitor")  # the database may be what failed: the error page must not ask it again
    return _page(500, language.t(*_STATUS[500]), "unexpected")


def _page(status: int, text: str, code: str) -> ResponseReturnValue:
    return render_template(
        "error.html", status=status, text=text, code=code, correlation=correlation_id()
    ), status
