"""The audit of what is in the image: pip-audit and CycloneDX over a small lock, with a small service that knows of one
weakness."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner, Result

from deploy.supply import FOUND, LOCK, NO_ANSWER, main, of_image
from gateway.embedded import free_port

SMALL = """\
# made for a test
weakling==1.0.2 \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
    # via -r nothing
sturdy==3.1 ; python_full_version >= '3.12' \\
    --hash=sha256:1111111111111111111111111111111111111111111111111111111111111111
elsewhere==2 ; sys_platform == 'win32' \\
    --hash=sha256:2222222222222222222222222222222222222222222222222222222222222222
"""
KNOWN = {
    "id": "PYSEC-2564-1",
    "summary": "made for a test",
    "affected": [
        {
            "package": {"name": "weakling", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0.3"}]}],
        }
    ],
}


class Knowing(BaseHTTPRequestHandler):
    """Answers as OSV's service does: it knows of one weakness."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked["package"]["name"])  # type: ignore[attr-defined]
        weak = asked["package"]["name"] == "weakling" and asked["version"] == "1.0.2"
        body = json.dumps({"vulns": [KNOWN]} if weak else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Knowing) as server:
        server.asked = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _run(folder: Path, lock: str, port: int, *words: str) -> Result:
    (folder / "lock").write_text(lock)
    where = ["--lock", str(folder / "lock"), "--folder", str(folder / "out")]
    return CliRunner().invoke(main, [*where, "--osv-url", f"http://127.0.0.1:{port}/v1/query", *words])


def test_a_known_weakness_is_named_and_fails_and_what_was_looked_at_is_listed(
    tmp_path: Path, service: ThreadingHTTPServer
) -> None:
    told = _run(tmp_path, SMALL, service.server_port)
    assert told.exit_code == FOUND
    assert "weakling 1.0.2: PYSEC-2564-1, mended in 1.0.3" in told.output
    assert sorted(service.asked) == ["sturdy", "weakling"]  # type: ignore[attr-defined]
    listed = json.loads((tmp_path / "out/sbom.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["name"] == "tabian"
    packages = {(one["name"], one["version"]) for one in listed["components"]}
    assert packages == {("weakling", "1.0.2"), ("sturdy", "3.1")}
    assert "SHA-256" in json.dumps(listed["components"])


def test_nothing_known_of_it_is_no_failure(tmp_path: Path, service: ThreadingHTTPServer) -> None:
    told = _run(tmp_path, SMALL.replace("1.0.2", "1.0.3"), service.server_port)
    assert (told.exit_code, "0 known weaknesses" in told.output) == (0, True), told.output


@pytest.mark.parametrize(("words", "status"), [((), 0), (("--must-answer",), NO_ANSWER)])
def test_no_answer_is_said_and_fails_only_where_one_is_wanted(
    tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    told = _run(tmp_path, SMALL, free_port(), *words)
    assert (told.exit_code, "nothing is known either way" in told.output) == (status, True)


def test_a_lock_that_pins_nothing_fails() -> None:
    with pytest.raises(ClickException, match="weakling is not pinned"):
        of_image(SMALL.replace("weakling==1.0.2", "weakling>=1.0.2"))


def test_the_image_has_one_version_of_everything() -> None:
    entries = [line for line in of_image(LOCK.read_text(encoding="utf-8")).splitlines() if "==" in line]
    names = [line.partition("==")[0] for line in entries]
    assert len(names) == len(set(names)) > 40
    assert {"flask", "sqlalchemy", "numpy"} <= set(names)
    assert not [line for line in entries if ";" in line]
