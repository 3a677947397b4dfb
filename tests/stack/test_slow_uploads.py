"""Slow lines fill the places for uploads; acts are answered as quickly as before. Writes slow-uploads.json beside the
summary of `make e2e`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time

import pytest

from deploy.rehearsal.collecting import school_path
from gateway.cli.result import write_json
from tests.stack.conftest import FOLDER, Scene
from tests.support.slow_uploads import BYTES_A_SECOND, FILE_BYTES, LINES

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
CALM_SECONDS = 40.0
SLOW_SECONDS = FILE_BYTES / BYTES_A_SECOND + 15
PAUSE_SECONDS = 0.05
MOST_RATIO = 3.0
MOST_SECONDS = 1.0
"""Below it a busy machine's noise is larger than any ratio says. An act that waits for a slow line waits for seconds."""


class Acts:
    """Clerks who confirm and take it back, each for some seconds; `seconds`: how long each act took."""

    def __init__(self, scene: Scene, schools: list[str]) -> None:
        self._scene, self._schools = scene, schools
        self._versions = {code: scene.ready(code)["sha256"] for code in schools}
        self.seconds: list[float] = []
        self.faults: list[str] = []

    def measure(self, seconds: float) -> tuple[float, float]:
        """The p50 and p99 of all acts of so many seconds."""
        self.seconds = []
        ends = time.monotonic() + seconds
        hands = [threading.Thread(target=self._work, args=(code, ends)) for code in self._schools]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        shares = statistics.quantiles(self.seconds, n=100)
        return shares[49], shares[98]

    def _work(self, code: str, ends: float) -> None:
        path = school_path(code, "/confirmation")
        headers = {**self._scene.people.clerks[code].bearer(), "If-Match": f'"{self._versions[code]}"'}
        with self._scene.stack.client() as client:
            while time.monotonic() < ends:
                for method in ("POST", "DELETE"):
                    began = time.perf_counter()
                    answer = client.request(method, path, headers=headers)
                    self.seconds.append(time.perf_counter() - began)
                    self._scene.note(answer)
                    if answer.is_error:
                        self.faults.append(f"{method} {answer.status_code} {answer.text[:120]}")
                    time.sleep(PAUSE_SECONDS)


def test_acts_are_answered_as_before_while_200_slow_lines_send(scene: Scene) -> None:
    *schools, sender = scene.take(3)
    acts = Acts(scene, schools)
    calm_p50, calm = acts.measure(CALM_SECONDS)
    token = scene.people.clerks[sender].bearer()["Authorization"].removeprefix("Bearer ")
    words = (scene.stack.address, str(scene.stack.secrets / "edge.crt"), school_path(sender, "/roster"))
    told = [sys.executable, "-m", "tests.support.slow_uploads", *words, token, str(SLOW_SECONDS)]
    with subprocess.Popen(told, stdout=subprocess.PIPE, text=True) as lines:
        amid_p50, amid = acts.measure(SLOW_SECONDS)
        answers = json.loads(lines.communicate()[0])
    figures = {
        "lines": LINES,
        "answers": answers,
        "acts": len(acts.seconds),
        "acts_p50_calm_s": round(calm_p50, 4),
        "acts_p50_amid_s": round(amid_p50, 4),
        "acts_p99_calm_s": round(calm, 4),
        "acts_p99_amid_s": round(amid, 4),
        "ratio": round(amid / calm, 2),
    }
    write_json(FOLDER / "slow-uploads.json", figures)
    assert acts.faults == []
    assert answers.get("202", 0) >= 60, figures
    assert set(answers) <= {"202", "503", "open"}, figures
    assert amid <= max(MOST_RATIO * calm, MOST_SECONDS), figures
    scene.wait_whole()
