"""The summary of a bench: kept part by part, whole or not, with what the load itself cost; and the room it asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from gateway.cli.bench import room
from gateway.cli.bench.command import bench
from gateway.cli.bench.room import check_room
from gateway.cli.bench.summary import FIGURES, PARTS, Summary, missing
from gateway.cli.yard import outline_of

WHOLE: dict[str, Any] = {**dict.fromkeys(FIGURES, 1.0), **{name: {"a": 1} for name in PARTS}, "lost": 0}
BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_what_was_measured_stays_when_a_later_part_breaks_off(tmp_path: Path) -> None:
    file = tmp_path / "made" / "summary.json"
    summary = Summary(file, {"cores": 2})
    summary.add("rolls", lambda: {"growth_ratio": 1.1})
    with pytest.raises(TimeoutError):
        summary.add("acts", lambda: wait_in_vain())
    kept = json.loads(file.read_text())
    assert (kept["cores"], kept["growth_ratio"]) == (2, 1.1)
    assert list(kept["generator_cpu_seconds"]) == list(kept["generator_rss_mib"]) == ["rolls"]
    assert kept["generator_rss_mib"]["rolls"] > 10


def wait_in_vain() -> dict[str, Any]:
    raise TimeoutError("everything applied did not happen")


def test_what_programs_spent_for_a_part_is_the_generators(tmp_path: Path) -> None:
    summary = Summary(tmp_path / "summary.json", {})
    summary.add(
        "flood", lambda: {"code": subprocess.run([sys.executable, "-c", BURN], check=True).returncode}
    )
    summary.add("rest", dict)
    spent = summary.figures["generator_cpu_seconds"]
    assert spent["flood"] >= 0.3
    assert spent["rest"] < spent["flood"]


def test_a_whole_summary_lacks_nothing() -> None:
    assert missing(WHOLE) == []


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_that_is_absent_or_no_number_is_missing(name: str) -> None:
    assert missing({key: value for key, value in WHOLE.items() if key != name}) == [name]
    for wrong in (None, float("nan"), "7", True):
        assert missing({**WHOLE, name: wrong}) == [name]


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_is_empty_is_missing(name: str) -> None:
    assert missing({**WHOLE, name: {}}) == [name]


@pytest.fixture
def free_mib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how much room there is on the one disk, which is also Docker's."""
    monkeypatch.setattr(room, "docker", lambda *_: f"{tmp_path / 'docker'}\n")

    def free(mib: int) -> None:
        monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=mib * 2**20))

    return free


def test_too_little_room_is_said_before_anything_is_made(
    tmp_path: Path, free_mib: Callable[[int], None]
) -> None:
    free_mib(20_000)
    check_room(tmp_path / "nation", 1479)
    with pytest.raises(click.ClickException, match=r"ที่ว่างในดิสก์ไม่พอ · too little room .* 29579 schools"):
        check_room(tmp_path / "nation", 29_579)


def test_a_nation_that_is_there_needs_no_room_for_its_files(
    tmp_path: Path, free_mib: Callable[[int], None]
) -> None:
    free_mib(round(room.ANYWAY_MIB + 10_000 * room.HELD_MIB) + 1)
    check_room(tmp_path, 10_000)
    with pytest.raises(click.ClickException):
        check_room(tmp_path / "not there", 10_000)


@pytest.mark.parametrize(
    "truth",
    [
        None,
        "",
        "[]",
        '{"format": 1, "schools": {\n"1": {"code": "1"}\n',
        '{"format": 1, "schools": {\n"1": 7\n}',
    ],
)
def test_a_folder_that_is_no_nation_is_said_so_before_a_stack_is_started(
    tmp_path: Path, truth: str | None
) -> None:
    if truth is not None:
        (tmp_path / "truth.json").write_text(truth)
    told = CliRunner().invoke(
        bench, ["--nation", str(tmp_path), "--json", str(tmp_path / "out" / "summary.json")]
    )
    assert told.exit_code == 1
    assert "ไม่ใช่ประเทศจำลอง" in told.output
    assert "is no nation" in told.output
    assert not (tmp_path / "out").exists()
    with pytest.raises(click.ClickException):
        outline_of(tmp_path)


@pytest.mark.parametrize("more", [["--all"], ["--nation", "."], ["--all", "--nation", "."]])
def test_one_can_send_one_nation_only(more: list[str]) -> None:
    told = CliRunner().invoke(bench, ["--schools", "12", *more])
    assert told.exit_code == 2
    assert "choose one of" in told.output
