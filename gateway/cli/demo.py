"""`tabian demo`: a complete collection round on this machine, from opening to a sealed snapshot and an EDC package."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click

from deploy.rehearsal.play import play
from gateway.cli.result import write_json
from gateway.cli.stage import enrol, make_demo_nation, plain_lines, set_stage, show_summary
from gateway.embedded import Embedded, free_port
from services.kit.logs import configure

FOLDER = Path(".tabian/demo")


@click.command()
@click.option("--esa", default="6602", show_default=True, help="the education service area that plays")
@click.option("--schools", type=int, default=None, help="only so many schools of it")
@click.option("--seed", default=2564, show_default=True, help="seed of the synthetic pupils")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--port", type=int, default=0, help="default: any free port")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="summary (default: FOLDER/summary.json)"
)
def demo(esa: str, schools: int | None, seed: int, folder: Path, port: int, json_file: Path | None) -> None:
    """Play a whole round: 123 schools, synthetic pupils, planted errors and duplicates, checked against their truth."""
    configure("WARNING")
    began = time.monotonic()
    say = plain_lines()
    say("นักเรียนจำลอง · synthetic pupils")
    nation = make_demo_nation(folder, esa=esa, schools=schools, seed=seed)
    shutil.rmtree(folder / "system", ignore_errors=True)
    say("เริ่มระบบ · starting the system")
    system = Embedded(folder / "system", port=port or free_port())
    system.start()
    try:
        passwords = enrol(system, nation)
        summary = play(set_stage(system, nation, passwords, say))
    finally:
        system.stop()
    summary.seconds = round(time.monotonic() - began, 1)
    write_json(json_file or folder / "summary.json", summary.plain())
    show_summary(summary)
    sys.exit(0 if summary.sound else 1)
