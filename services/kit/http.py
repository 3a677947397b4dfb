"""The web application of any service: correlation ids, tokens, problems, metrics, health, size limits.

Views are thin: parse, one call into the rules, one transaction, one return.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta

from flask import Flask, Response, current_app, g, request
from marshmallow import Schema
from werkzeug.exceptions import RequestEntityTooLarge

from services.kit import tracing
from services.kit.auth import principal, require_tokens
from services.kit.catalogue import known
from services.kit.database import Transaction
from services.kit.errors import Problem, not_found, register_errors
from services.kit.health import health_blueprint
from services.kit.logs import correlation_id, traceparent, under
from services.kit.metrics import EDGE_WAIT_SECONDS, HTTP_SECONDS
from services.kit.service import Runtime
from services.kit.tickets import TICKET_HEADER, stamp_of

log = logging.getLogger(__name__)
BODY_BYTES = 64 * 1024
RECEIVED_HEADER = "X-Tabian-Received"
_STAMP = re.compile(r"[0-9]{1,15}")
CLASS_HEADER = "X-Tabian-Class"
CLASSES = frozenset({"act", "read", "report", "upload", "sign-in", "page"})
"""What the edge may say in CLASS_HEADER: in which class the request queued there."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
WAITED_CAP_SECONDS = 60.0


def build_app(runtime: Runtime) -> Flask:
    """The WSGI application of one service."""
    app = Flask(runtime.service.name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["tabian"] = runtime
    register_errors(app)
    _observe(app, runtime.service.name)
    require_tokens(app, runtime.keys)
    app.register_blueprint(health_blueprint(runtime))
    for blueprint in runtime.service.blueprints():
        app.register_blueprint(blueprint)
    return app


def runtime() -> Runtime:
    """The runtime of the application that handles this request."""
    current: Runtime = current_app.extensions["tabian"]
    return current


def transaction() -> AbstractContextManager[Transaction]:
    """A transaction on this service's database."""
    return runtime().database.transaction()


def body(schema: Schema) -> dict[str, object]:
    """The request's JSON body, checked. An absent body is {}. Raises ValidationError (422) or Problem 400."""
    raw = request.get_data(cache=True)
    try:
        data = request.get_json(force=True, silent=True) if raw else {}
    except RecursionError:
        data = None
    if not isinstance(data, dict):
        raise Problem(400, "not-json", "เนื้อความต้องเป็น JSON object", "The body must be a JSON object")
    loaded: dict[str, object] = schema.load(data)
    return loaded


def raw_body(most: int) -> bytes:
    """The request's bytes as they came. Raises RequestEntityTooLarge (413) for more than `most`."""
    # Werkzeug cuts a body of unstated length off at its limit without a word; one byte more tells.
    request.max_content_length = most + 1
    data = request.get_data()
    if len(data) > most:
        raise RequestEntityTooLarge
    return data


def arrived() -> datetime:
    """When the request arrived on the round clock: now less the time it waited since the edge stamped it."""
    return runtime().clock.now() - timedelta(seconds=min(_waited() or 0.0, WAITED_CAP_SECONDS))


def _waited() -> float | None:
    """Seconds since the edge stamped the request; None where no edge did."""
    stamp = request.headers.get(RECEIVED_HEADER, "")
    return max(time.time() - int(stamp) / 1000, 0.0) if _STAMP.fullmatch(stamp) else None


def turned_away() -> datetime | None:
    """When this very act first arrived (round clock), if the request shows the edge's ticket for it; else None."""
    ticket = request.headers.get(TICKET_HEADER, "")
    if not ticket:
        return None
    now = time.time()
    key = runtime().keys.ticket
    stamp = stamp_of(ticket, key, request.method, request.path, principal().subject, now)
    return None if stamp is None else runtime().clock.now() - timedelta(seconds=now - stamp / 1000)


def if_match() -> str:
    """The one entity tag of If-Match, unquoted. Raises Problem 428 if there is none."""
    tags = request.if_match.as_set()
    if len(tags) != 1:
        raise Problem(
            428,
            "if-match-missing",
            'ต้องระบุรุ่นของข้อมูลที่ท่านเห็น (If-Match: "sha256")',
            'Say which version you mean: If-Match: "<sha256>"',
        )
    tag: str = next(iter(tags))
    return tag


def _observe(app: Flask, service: str) -> None:
    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        waited = _waited()
        if waited is not None:
            queued_as = known(request.headers.get(CLASS_HEADER, ""), CLASSES)
            EDGE_WAIT_SECONDS.labels(service, queued_as).observe(waited)
        g.work = ExitStack()
        g.work.enter_context(under(request.headers.get("X-Request-Id"), request.headers.get("traceparent")))
        if request.blueprint != "health":
            g.span = _begin_span(g.work, service, waited)
        if "\x00" in request.path:  # no name holds one, and PostgreSQL refuses to compare with one
            raise not_found()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = correlation_id()
        response.headers.setdefault("Cache-Control", "no-store")
        elapsed = time.perf_counter() - g.get("started", time.perf_counter())
        _tell(service, response.status_code, elapsed)
        return response

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        work: ExitStack = g.pop("work", ExitStack())
        work.close()


def _begin_span(work: ExitStack, service: str, waited: float | None) -> tracing.Span:
    """The request's span; `waited`: seconds since the edge stamped it. Where the trace begins with it, that of the edge is around
    it, since its stamp: the edge sends none."""
    name, about = f"{_method()} {_route()}", {"http.request.method": _method(), "http.route": _route()}
    if waited and not traceparent():
        work.enter_context(tracing.span("edge", name, "server", about, since=time.time() - waited))
    return work.enter_context(tracing.span(service, name, "server", about))


def _method() -> str:
    """The method, if it is one: anybody may send any word."""
    return known(request.method, METHODS, "_OTHER")


def _route() -> str:
    """The template of the address: the address itself names schools."""
    return request.url_rule.rule if request.url_rule else "unknown"


def _tell(service: str, status: int, elapsed: float) -> None:
    """How a request ended: to the metrics, the span and the log."""
    HTTP_SECONDS.labels(service, _method(), _route(), status).observe(elapsed)
    if span := g.get("span"):
        span.tell({"http.response.status_code": status})
        if status >= 500:
            span.fail(str(status))
    log.info(
        "request answered",
        extra={
            "service": service,
            "method": _method(),
            "route": _route(),
            "status": status,
            "ms": round(elapsed * 1000, 1),
        },
    )
