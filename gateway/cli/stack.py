"""`tabian stack`: the compose stack of this machine: make its secrets, start it, stop it, and play a whole round on it; and
the secrets of a cluster.

Needs a Docker engine with compose, but for those. Not here: what runs (docker-compose.yml, deploy/k8s).
"""

from __future__ import annotations

import csv
import io
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import click

from deploy.rehearsal.collecting import open_rounds, upload_all
from deploy.rehearsal.play import play
from deploy.rehearsal.scenario import Stage, cast, usernames
from deploy.rehearsal.truth import areas, outline
from gateway.cli.result import write_json
from gateway.cli.stage import PASSWORD, introduce, make_demo_nation, plain_lines, show_summary
from gateway.embedded import free_port
from gateway.stack.cluster import make_cluster_secrets
from gateway.stack.compose import Stack, StackFault, cpu_share
from gateway.stack.isolation import wrong_doors
from gateway.stack.rolling import roll
from gateway.stack.secrets import SERVICES, make_secrets
from services.kit.clock import set_clock

FOLDER = Path(".tabian/stack")
MORNING = datetime.fromisoformat("2021-11-10T08:30:00+07:00")
SCALED = [
    *(f"{name}-{process}" for name in SERVICES for process in ("api", "worker")),
    *("intake-uploads", "portal", "portal-sign-in"),
]
"""What can run more than once."""
REST_SECONDS, IDLE_SECONDS = 15.0, 20.0


@click.group()
def stack() -> None:
    """The whole system in containers on this machine."""


@stack.command()
@click.option(
    "--port", type=int, default=8443, show_default=True, help="where the edge answers, on 127.0.0.1"
)
@click.option(
    "--demo", is_flag=True, help="with some schools' pupils and accounts, on the morning of 10 Nov 2564"
)
@click.option("--esa", default="6602", show_default=True, help="the area of --demo")
@click.option("--schools", type=int, default=24, show_default=True, help="with --demo: so many schools of it")
@click.option("--each", default=1, show_default=True, help="so many processes of all that can be scaled")
def up(port: int, demo: bool, esa: str, schools: int, each: int) -> None:
    """Build and start it, wait until it is healthy, and say where things are."""
    say = plain_lines()
    here = Stack("tabian", FOLDER, port, beside=False)
    with said_plainly():
        start(here, say, each=each)
        if demo:
            _fill(here, make_demo_nation(FOLDER, esa=esa, schools=schools, seed=2564), say)
            introduce(FOLDER / f"nation-{esa}-{schools}-2564", esa)
        else:
            click.echo("\nเพิ่มผู้ใช้ · add people:")
            click.echo(
                "  docker compose exec portal tabian accounts add obec --name Headquarters --grant hq:*"
            )
        click.echo(f"\nTabian        {here.address}   (certificate: {here.secrets / 'edge.crt'})")
        click.echo(f"Prometheus    {here.published('prometheus', 9090)}")
        click.echo(f"Alertmanager  {here.published('alertmanager', 9093)}")
        _tell_idle(here, say)


@stack.command()
@click.option("--volumes", is_flag=True, help="and forget everything it held")
def down(volumes: bool) -> None:
    """Stop it. What it holds stays in its volumes."""
    with said_plainly():
        Stack("tabian", FOLDER, 8443).compose("down", *(["--volumes"] if volumes else []), quiet=False)
        if volumes:
            shutil.rmtree(FOLDER, ignore_errors=True)


@stack.command()
@click.option("--port", type=int, default=8443, show_default=True, help="where the edge answers")
def restart(port: int) -> None:
    """Restart every process a few at a time, so that nobody is turned away. Needs two of each (`up --each 2`)."""
    with said_plainly():
        roll(Stack("tabian", FOLDER, port), plain_lines())


@stack.command("secrets")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def secrets_of_cluster(folder: Path) -> None:
    """Make the secrets of a cluster that are missing in FOLDER; `kubectl apply -k FOLDER` brings them there."""
    make_cluster_secrets(folder)
    click.echo(folder / "kustomization.yaml")


@stack.command()
@click.option("--esa", default="6602", show_default=True, help="the education service area that plays")
@click.option("--schools", type=int, default=None, help="only so many schools of it")
@click.option("--seed", default=2564, show_default=True, help="seed of the synthetic pupils")
@click.option("--keep", is_flag=True, help="leave it running afterwards")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), default=Path(".tabian/e2e/summary.json")
)
def e2e(esa: str, schools: int | None, seed: int, keep: bool, json_file: Path) -> None:
    """Play a whole round on a stack of its own, with two of every process that answers or works."""
    began, say = time.monotonic(), plain_lines()
    folder = json_file.parent
    here = Stack("tabian-e2e", folder / "stack", free_port())
    nation = make_demo_nation(folder, esa=esa, schools=schools, seed=seed)
    with said_plainly():
        clear(here)
        try:
            start(here, say, each=2)
            with here.client() as client:
                passwords = enrol(here, nation, secrets.token_urlsafe(12))
                summary = play(Stage(client, nation, passwords, lambda at: set_clock(here.clock, at), say))
            summary.expect("roles shut out of the others' databases", wrong_doors(here), [])
            if not summary.sound:
                (folder / "stack.log").write_text(here.compose("logs", "--no-color", "--timestamps"))
        finally:
            if not keep:
                clear(here)
    summary.seconds = round(time.monotonic() - began, 1)
    write_json(json_file, summary.plain())
    show_summary(summary)
    sys.exit(0 if summary.sound else 1)


class said_plainly:  # noqa: N801 - reads as a verb where it is used
    """A fault of Docker or a container is told without a stack of ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, stack: object) -> None:
        if isinstance(problem, StackFault):
            raise click.ClickException(str(problem)) from problem


def start(
    here: Stack, say: Callable[[str], None], *, each: int = 1, other: Mapping[str, int] | None = None
) -> None:
    """Make its secrets, build it, start it, `each` of all that can be scaled, but of some `other` numbers, and wait until it
    is healthy. Raises StackFault."""
    make_secrets(here.secrets)
    here.clock.parent.mkdir(parents=True, exist_ok=True)
    say("สร้างอิมเมจ · building the image")
    here.compose("build", "portal")
    say("เริ่มระบบ · starting")
    numbers = dict.fromkeys(SCALED, each) | dict(other or {})
    here.compose("up", "--detach", *(w for name, n in numbers.items() for w in ("--scale", f"{name}={n}")))
    here.wait()
    say("พร้อม · healthy")


def clear(here: Stack) -> None:
    """Remove the stack with everything it held, also one that another folder's run left behind."""
    here.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
    shutil.rmtree(here.folder, ignore_errors=True)


def enrol(here: Stack, nation: Path, password: str, *, schools: int | None = None) -> dict[str, str]:
    """Everybody in the nation, or in so many of its schools, gets an account, as an operator would do it; returns username →
    password."""
    told = outline(nation / "truth.json")
    people = usernames(sorted(told.schools)[:schools], areas(told.schools.values()))
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("username", "name", "role", "scope", "password"))
    rows.writerows((*person, password) for person in people)
    here.compose("exec", "-T", "portal", "tabian", "accounts", "import", "/dev/stdin", text=text.getvalue())
    return {person[0]: password for person in people}


def _fill(here: Stack, nation: Path, say: Callable[[str], None]) -> None:
    """Upload every school's files unless an earlier start did, and set the clock to the morning of confirming."""
    done = here.folder / "filled"
    if not done.exists():
        with here.client() as client:
            stage = Stage(
                client, nation, enrol(here, nation, PASSWORD), lambda at: set_clock(here.clock, at), say
            )
            people = cast(stage)
            open_rounds(stage, people)
            upload_all(stage, people)
        done.touch()
    set_clock(here.clock, MORNING)


def _tell_idle(here: Stack, say: Callable[[str], None]) -> None:
    """What the stack costs while nobody uses it, once it has come to rest."""
    time.sleep(REST_SECONDS)
    shares = cpu_share(here.running(), IDLE_SECONDS)
    if shares:
        most = sorted(shares.items(), key=lambda item: -item[1])[:4]
        told = ", ".join(f"{name} {share:.1%}" for name, share in most)
        say(f"ว่างอยู่ใช้ CPU · idle: {sum(shares.values()):.1%} of one core ({told})")
