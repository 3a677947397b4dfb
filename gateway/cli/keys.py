"""`tabian keys make`: the key files of a deployment."""

from __future__ import annotations

from pathlib import Path

import click

from services.kit.keys import make_keys


@click.group()
def keys() -> None:
    """The keys a deployment needs."""


@keys.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def make(folder: Path) -> None:
    """Make every key that is missing in FOLDER; existing keys are never replaced."""
    made = make_keys(folder)
    for path in made:
        click.echo(path)
    if not made:
        click.echo("ครบแล้ว / all keys are there")
