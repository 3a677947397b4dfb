"""A bench's pictures, from a summary made up for it: small files that need nothing else, and none of what is not told."""

from __future__ import annotations

import json
import runpy
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from deploy.rehearsal.load import plots
from deploy.rehearsal.load.plots import PICTURES, draw

STEPS = [{"rate": rate, "p50_s": rate / 4000, "p99_s": rate / 900} for rate in (40, 50, 62, 78, 98, 122, 153)]
SUMMARY: dict[str, Any] = {
    "intake_students_per_s": 7165,
    "intake_cpu_seconds": {f"process-{n}": 30.0 / (n + 1) for n in range(20)},
    "uploads": {"answers": 300},
    "growth_ratio": 1.18,
    "growth": [
        {"portion": name, "pupils": 15_978, "us_per_pupil": us, "cpu_us_per_pupil": 190.0}
        for name, us in (("hundredth", 210.4), ("first", 139.1), ("middle", 141.0), ("last", 164.3))
    ],
    "acts_rate": 300,
    "acts_p99_s": 0.9,
    "acts": {"answers": 596},
    "acts_cpu_seconds": {"intake-api": 2.86, "postgres": 1.6, "edge": 0.66},
    "acts_knee_per_s": 122.1,
    "acts_vs_bare": 0.3,
    "acts_knee_steps": STEPS,
    "generator_cpu_seconds": {"rolls": 3.0, "acts": 1.49},
    "rss_mib": {**{f"process-{n}": 40.0 * n for n in range(12)}, "intake-worker": 600.0},
    "yardsticks": {
        "copy": {"together_per_s": 81_669, "per_roster_per_s": 155_348},
        "monolith": {"students_per_s": 1887},
    },
}


def words(file: Path) -> str:
    """Every text in the picture."""
    return "\n".join(node.text or "" for node in ET.parse(file).iter("{http://www.w3.org/2000/svg}text"))


def test_every_picture_is_small_and_says_what_the_summary_says(tmp_path: Path) -> None:
    files = {file.stem: file for file in draw(SUMMARY, tmp_path / "made" / "plots")}
    assert list(files) == list(PICTURES)
    for file in files.values():
        assert file.stat().st_size < 60_000, file.name
        assert "<image" not in file.read_text(encoding="utf-8")
    said = {name: words(file) for name, file in files.items()}
    for name, value in {
        "intake": "155,348",
        "acts": "the bare act's knee: 407/s",
        "cpu": "11.1 ms",
        "growth": "last / first = 1.18",
        "memory": "600",
    }.items():
        assert value in said[name], name


def test_the_same_summary_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again = draw(SUMMARY, tmp_path / "first"), draw(SUMMARY, tmp_path / "again")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]


def test_what_is_not_told_is_not_drawn(tmp_path: Path) -> None:
    assert draw({}, tmp_path) == []
    assert [file.stem for file in draw({"rss_mib": {"edge": 60.0, "gone": 0.0}}, tmp_path)] == ["memory"]
    assert "gone" not in words(tmp_path / "memory.svg")


@pytest.mark.parametrize("left_out", SUMMARY)
def test_any_part_may_be_missing(tmp_path: Path, left_out: str) -> None:
    drawn = draw({name: value for name, value in SUMMARY.items() if name != left_out}, tmp_path)
    assert len(drawn) >= len(PICTURES) - 1


def test_without_yardsticks_the_bar_stands_alone(tmp_path: Path) -> None:
    draw(
        {name: value for name, value in SUMMARY.items() if name not in ("yardsticks", "acts_vs_bare")},
        tmp_path,
    )
    assert "COPY" not in words(tmp_path / "intake.svg")
    assert "bare" not in words(tmp_path / "acts.svg")


def test_they_are_drawn_again_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    monkeypatch.setattr(sys, "argv", ["plots", str(tmp_path / "summary.json"), str(tmp_path / "images")])
    runpy.run_path(plots.__file__, run_name="__main__")
    assert sorted(file.stem for file in (tmp_path / "images").iterdir()) == sorted(PICTURES)
