"""What people see in a browser when the edge has no place for them: a page that needs nothing from anywhere, no script
either, and that goes on by itself as far as a browser can.

A page that was only read is loaded again. A form that was sent is held in the page, so that one button sends it again; an
act keeps the ticket of the first time it came. Not here: programs' answers (configuration.py), and what the portal shows
when it was reached but a service was not (gateway/portal/waiting.py).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
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
_PROGRAM, _PERSON = "{ path_beg /api/ /.well-known/ }", "{ var(txn.top) -m found }"

_FORM_TAG, _BUTTON = '<form method="post">', "<button>ลองอีกครั้ง · Try again</button></form>"
_CAME = "%[var(txn.first),field(1,.),div(1000),add(25200),utime(%H:%M:%S)]"  # in Thailand
_KEPT = (
    f'<p class="kept">คำสั่งของท่านมาถึงเมื่อ {_CAME} น. เวลานี้จดไว้แล้ว ถ้าตอนนั้นยังไม่หมดเวลา ถือว่าทันเวลา '
    'ขอให้ส่งซ้ำภายใน 10 นาทีหลังหมดเวลา <span lang="en">'
    f"Your act came at {_CAME}; this is noted. If that was in time, it counts as in time; send it again within 10 minutes "
    "of the end</span></p>"
)
_UNSENT = (
    '<p>สิ่งที่ท่านส่งยังอยู่ในหน้านี้ กดปุ่มเพื่อส่งอีกครั้ง <span lang="en">What you sent is kept in this page; the button '
    "sends it again</span></p>"
)
_BACK = '<p>ยังไม่ได้ส่ง กดย้อนกลับแล้วส่งอีกครั้ง <span lang="en">It was not sent: go back and send it again</span></p>'
_SOON = (
    '<p role="status">หน้านี้จะลองใหม่เองใน %[var(txn.pause)] วินาที <span lang="en">This page tries again by itself in '
    "%[var(txn.pause)] seconds</span></p>"
    '<svg aria-hidden="true"><rect height="10" width="0" fill="#0f4c5c"><animate attributeName="width" from="0" to="100%%" '
    'dur="%[var(txn.pause)]s" fill="freeze"/></rect></svg><p><a class="go" href="">ลองเดี๋ยวนี้ · Try now</a></p>'
)
_REFRESH = '<meta http-equiv="refresh" content="%[var(txn.pause)]">'


def policy() -> str:
    """The page's Content-Security-Policy: its own style, and its form."""
    style = _one_line().partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allowed = f"style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'"
    return f"default-src 'none'; {allowed}; frame-ancestors 'none'"


def answer(status: int) -> str:
    """The body of an error as a log-format string: to people the page, to programs the problem alone."""
    return f"%[var(txn.top)]%[var(txn.said{status})]%[var(txn.crowd)]%[var(txn.again)]%[var(txn.bottom)]"


def rules(words: Mapping[int, tuple[str, str]], problems: Mapping[int, str]) -> list[str]:
    """What a proxy that serves pages notes of a request before it may have to refuse it: of each status its `words` in
    Thai and English for people, its problem (JSON, a log-format string) for programs."""
    top, bottom = _one_line().replace("%;", "%%;").split("@words@")
    told = {status: f'<p>{th} <span lang="en">{en}</span></p>' for status, (th, en) in words.items()}
    return [
        f"    http-request set-var(txn.pause) rand({SPREAD_SECONDS}),add({SHORTEST_SECONDS})",
        f"    http-request set-var-fmt(txn.refresh) '{_REFRESH}' if METH_GET",
        f"    http-request set-var-fmt(txn.top) '{top}' if !{_PROGRAM}",
        f"    http-request set-var-fmt(txn.bottom) '{bottom}' if !{_PROGRAM}",
        *(f"    http-request set-var-fmt(txn.said{n}) '{told[n]}' if {_PERSON}" for n in told),
        *(f"    http-request set-var-fmt(txn.said{n}) '{problems[n]}' if {_PROGRAM}" for n in told),
        f"    http-after-response set-header Content-Type application/problem+json if {{ status {' '.join(map(str, told))} }} !{_PERSON}",
        f"    http-request wait-for-body time 10s if {_FORM}",
        *_held(),
        *_again(),
    ]


def crowd() -> str:
    """How many wait, for a proxy that keeps a queue."""
    said = 'มีผู้รออยู่ราว %[queue] ราย <span lang="en">About %[queue] are waiting</span>'
    return f"    http-request set-var-fmt(txn.crowd) '<p>{said}</p>' if {_PERSON} {{ queue gt 0 }}"


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
    return [
        f"    http-request set-var-fmt(txn.again) '{_SOON}' if {_PERSON} METH_GET",
        f"    http-request set-var-fmt(txn.again) '{_BACK}' if {_PERSON} !METH_GET",
        f"    http-request set-var-fmt(txn.again) '{_UNSENT}{_FORM_TAG}{held}{_BUTTON}' if {_PERSON} {{ var(txn.held) -m found }}",
        f"    http-request set-var-fmt(txn.again) '{_KEPT}{_FORM_TAG}{held}{ticket}{_BUTTON}' "
        f"if {_PERSON} {{ var(txn.held) -m found }} {{ var(txn.first) -m found }}",
    ]


def _one_line() -> str:
    text = (Path(__file__).parent / "waiting.html").read_text(encoding="utf-8")
    assert "'" not in text, "HAProxy's quotes are single ones"
    return "".join(text.splitlines())
