"""`tabian schools import`: the register of schools, through the API as headquarters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import httpx

from gateway.cli.result import write_json

DEFAULT_ADDRESS = "http://127.0.0.1:8080"


@click.group()
def schools() -> None:
    """The register of areas and schools."""


@schools.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="where the system answers")
@click.option("--username", default="obec", show_default=True, help="an account of headquarters")
@click.password_option("--password", confirmation_prompt=False, envvar="TABIAN_PASSWORD")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="write the result as JSON")
def import_(file: Path, address: str, username: str, password: str, json_file: Path | None) -> None:
    """Import FILE (TSV); importing it again changes nothing. Faults of the list are reported, not fatal."""
    with httpx.Client(base_url=address, timeout=120) as client:
        token = _answer(client.post("/api/v1/tokens", json={"username": username, "password": password}))
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        result = _answer(client.put("/api/v1/register", content=file.read_bytes(), headers=bearer))
    click.echo(
        f"{result['schools']} schools in {result['areas']} areas, {result['areas_changed']} areas changed"
    )
    for fault in result["faults"]:
        click.echo(f"  line {fault['line']}: {fault['th']} / {fault['en']}")
    write_json(json_file, result)


def _answer(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if response.is_error:
        raise click.ClickException(f"{body.get('detail_th')} / {body.get('detail_en')}")
    return body
