"""What people see in a browser when the edge has no place for them: a page that needs nothing from anywhere, no script
either, and that goes on by itself as far as a browser can.

A page that was only read is loaded again. A form that was sent is held in the page, so that one button sends it again; an
act keeps the ticket of the first time it came. Not here: programs' answers (configuration.py), and what the portal shows
when it was reached but a service was not (gateway/portal/waiting.py).
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

from gateway.portal.held import FORM, HELD_FIELD
from services.kit.tickets import TICKET_FIELD

SHORTEST_SECONDS, SPREAD_SECONDS = 5, 8
"""When a page is loaded again: at a moment of its own for each, or all would come at once."""
HELD_BYTES: Final = 16 * 1024
"""The largest form held in the page. None with a password in it is."""
_FORM = f"METH_POST {{ req.hdr(Content-Type) -m beg {FORM} }} {{ req.body_size le {HELD_BYTES} }} !{{ path /sign-in /step-up }}"
_TICKET = "[0-9]{13}[.][0-9a-f]{64}"
_PROGRAM = "{ path_beg /api/ /.well-known/ }"


def page(th: str, en: str) -> str:
    """The page as a log-format string of HAProxy's, to stand between single quotes."""
    return _one_line().replace("%;", "%%;").replace("@th@", th).replace("@en@", en)


def policy() -> str:
    """The page's Content-Security-Policy: its own style, and its form."""
    _, _, rest = _one_line().partition("<style>")
    digest = base64.b64encode(hashlib.sha256(rest.partition("</style>")[0].encode()).digest()).decode()
    allowed = f"style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'"
    return f"default-src 'none'; {allowed}; frame-ancestors 'none'"


def rules(busy: str, problem: str) -> list[str]:
    """What a proxy that serves pages notes of a request before it may have to refuse it, and its answer 503: `busy`
    to people (a `page`), `problem` to programs (JSON); both log-format strings."""
    return [
        f"    http-request wait-for-body time 10s if {_FORM}",
        f"    http-request set-var(txn.pause) rand({SPREAD_SECONDS}),add({SHORTEST_SECONDS})",
        *_held(),
        *_again(),
        f"    http-request set-var-fmt(txn.said) '{busy}' if !{_PROGRAM}",
        f"    http-request set-var-fmt(txn.said) '{problem}' if {_PROGRAM}",
        f"    http-request set-var(txn.program) bool(true) if {_PROGRAM}",
        "    http-after-response set-header Content-Type application/problem+json if { status 503 } { var(txn.program) -m bool }",
    ]


def crowd() -> str:
    """How many wait, for a proxy that keeps a queue."""
    said = 'มีผู้รออยู่ราว %[queue] ราย <span lang="en">About %[queue] are waiting</span>'
    return f"    http-request set-var-fmt(txn.crowd) '<p>{said}</p>' if {{ queue gt 0 }}"


def _held() -> list[str]:
    """The form and the ticket, in letters that mean nothing in HTML: what a client sends is never taken for a page's."""
    held, ticket = f"req.body_param({HELD_FIELD}),url_dec(1)", f"req.body_param({TICKET_FIELD})"
    return [
        f"    http-request set-var(txn.held) req.body,base64 if {_FORM}",
        f"    http-request set-var(txn.held) {held} if {_FORM} {{ {held} -m reg ^[A-Za-z0-9+/=]+$ }}",
        "    http-request set-var(txn.first) req.hdr(X-Tabian-Ticket) "
        f"if METH_POST {{ req.hdr(X-Tabian-Ticket) -m reg ^{_TICKET}$ }}",
        f"    http-request set-var(txn.first) {ticket} if {_FORM} {{ {ticket} -m reg ^{_TICKET}$ }}",
    ]


def _again() -> list[str]:
    """How this request goes on: by itself, by a button that sends the same form, or by going back."""
    field = '<input type="hidden" name="{}" value="%[var({})]">'
    held, ticket = field.format(HELD_FIELD, "txn.held"), field.format(TICKET_FIELD, "txn.first")
    button = "<button>ลองอีกครั้ง · Try again</button></form>"
    came = "%[var(txn.first),field(1,.),div(1000),add(25200),utime(%H:%M:%S)]"
    kept = (
        f'<p class="kept">คำสั่งของท่านมาถึงเมื่อ {came} น. เวลานี้จดไว้แล้ว ถ้ายังไม่หมดเวลาในตอนนั้น ถือว่าทันเวลา '
        "ขอให้ส่งซ้ำภายใน 10 นาทีหลังหมดเวลา "
        f'<span lang="en">Your act came at {came}; this is noted. If that was in time, it counts as in time; send it '
        "again within 10 minutes of the end</span></p>"
    )
    unsent = (
        '<p>สิ่งที่ท่านส่งยังอยู่ในหน้านี้ กดปุ่มเพื่อส่งอีกครั้ง <span lang="en">What you sent is kept in this page; '
        "the button sends it again</span></p>"
    )
    back = (
        '<p>ยังไม่ได้ส่ง กดย้อนกลับแล้วส่งอีกครั้ง <span lang="en">It was not sent: go back and send it again</span></p>'
    )
    soon = (
        '<p role="status">หน้านี้จะลองใหม่เองใน %[var(txn.pause)] วินาที <span lang="en">This page tries again by '
        "itself in %[var(txn.pause)] seconds</span></p>"
        '<svg aria-hidden="true"><rect height="10" width="0" fill="#0f4c5c"><animate attributeName="width" from="0" '
        'to="100%%" dur="%[var(txn.pause)]s" fill="freeze"/></rect></svg>'
        '<p><a class="go" href="">ลองเดี๋ยวนี้ · Try now</a></p>'
    )
    refresh = '<meta http-equiv="refresh" content="%[var(txn.pause)]">'
    return [
        f"    http-request set-var-fmt(txn.refresh) '{refresh}' if METH_GET",
        f"    http-request set-var-fmt(txn.again) '{soon}' if METH_GET",
        f"    http-request set-var-fmt(txn.again) '{back}' if !METH_GET",
        f"    http-request set-var-fmt(txn.again) '{unsent}<form method=\"post\">{held}{button}' "
        "if { var(txn.held) -m found }",
        f"    http-request set-var-fmt(txn.again) '{kept}<form method=\"post\">{held}{ticket}{button}' "
        "if { var(txn.held) -m found } { var(txn.first) -m found }",
    ]


def _one_line() -> str:
    text = (Path(__file__).parent / "waiting.html").read_text(encoding="utf-8")
    assert "'" not in text, "HAProxy's quotes are single ones"
    return "".join(text.splitlines())
