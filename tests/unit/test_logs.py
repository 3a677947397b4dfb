"""The log of a process: every line JSON, nothing of what an exception says, and the id of what is being done."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from services.kit.logs import correlation_id, traceparent, travelling, under

SECRET = "เด็กหญิง มานี ใจดี 1100500000001"
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"
_TROUBLE = """
import logging, sys, threading, warnings
from services.kit.logs import configure, under
configure("DEBUG")

def sour():
    raise RuntimeError(sys.argv[1])

with under("an-id-of-a-test", sys.argv[2]):
    try:
        sour()
    except RuntimeError:
        logging.getLogger("library").exception("a library's words")
    warnings.warn("old")
thread = threading.Thread(target=sour)
thread.start()
thread.join()
sour()
"""


def test_every_line_is_json_and_an_exception_is_its_type_and_the_way_it_came() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _TROUBLE, SECRET, TRACE], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    library, warning, thread, main = (json.loads(line) for line in run.stderr.splitlines())
    assert (library["message"], library["error"]) == ("a library's words", "RuntimeError")
    assert (library["correlation_id"], library["trace_id"]) == ("an-id-of-a-test", "a" * 32)
    assert warning["logger"] == "py.warnings"
    for line in (library, thread, main):
        assert line["error"] == "RuntimeError"
        assert line["stack"][-1].endswith(" sour")
    assert (thread["level"], main["level"], main["correlation_id"]) == ("CRITICAL", "CRITICAL", "")
    assert [word for word in SECRET.split() if word in run.stderr] == []


def test_work_under_an_id_ends_with_it() -> None:
    with under("outer-id", TRACE):
        with under("inner-id"):
            assert (correlation_id(), traceparent()) == ("inner-id", "")
        assert travelling() == {"X-Request-Id": "outer-id", "traceparent": TRACE}
    assert travelling() == {}


@pytest.mark.parametrize(
    "given",
    [
        "",
        None,
        "short",
        "in valid",
        "line-break\n",
        "x" * 65,
        "ไทยไทยไทย",
        "1234567890123",
        "1-2345-67890-12-3",
    ],
)
def test_an_id_that_is_none_is_replaced(given: str | None) -> None:
    with under(given) as chosen:
        assert chosen == correlation_id() != given
        assert len(chosen) == 32
