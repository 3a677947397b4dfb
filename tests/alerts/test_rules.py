"""Each alert comes for its fault and stays away otherwise, as promtool's own evaluation of the rules says."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.watching import PROMETHEUS, alerts, program

CASES = Path(__file__).parent / "rules"


def _promtool(*words: str | Path) -> None:
    done = subprocess.run(
        [program("promtool"), *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _cases(alert: str) -> list[Any]:
    told = yaml.safe_load((CASES / f"{alert}.yml").read_text(encoding="utf-8"))
    return [test for group in told["tests"] for test in group["alert_rule_test"]]


def test_prometheus_takes_the_configuration_and_every_rule() -> None:
    _promtool("check", "config", "prometheus.yml")


def test_every_alert_has_its_cases_and_no_case_is_of_another() -> None:
    assert sorted(file.stem for file in CASES.iterdir()) == sorted(alert.name for alert in alerts())


@pytest.mark.parametrize("alert", [alert.name for alert in alerts()])
def test_an_alert_comes_for_its_fault_and_not_without(alert: str) -> None:
    cases = _cases(alert)
    assert {case["alertname"] for case in cases} == {alert}
    assert {bool(case["exp_alerts"]) for case in cases} == {True, False}, (
        "one that fires and one that does not"
    )
    _promtool("test", "rules", CASES / f"{alert}.yml")
