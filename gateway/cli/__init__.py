"""The command `tabian`. Each subcommand lives in a file of its own and is imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

import click

COMMANDS = {
    "up": ("gateway.cli.up", "up", "the whole system in one process, for trying and developing"),
    "demo": ("gateway.cli.demo", "demo", "a complete collection round, from opening to the EDC package"),
    "nation": ("gateway.cli.nation", "nation", "make a synthetic nation: schools, rosters, truth"),
    "accounts": ("gateway.cli.accounts", "accounts", "add, import and lock the people who may sign in"),
    "schools": ("gateway.cli.schools", "schools", "import the register of schools"),
    "stack": ("gateway.cli.stack", "stack", "the compose stack: start it, stop it, play a round on it"),
    "chaos": (
        "gateway.cli.chaos",
        "chaos",
        "rounds on a stack that is being broken, and what a checker finds",
    ),
    "backup": ("gateway.cli.backup", "backup", "keep a stack's past, and put it back at any moment"),
    "drill": (
        "gateway.cli.drill",
        "drill",
        "a stack lost in the middle of a round, put back, and what a checker finds",
    ),
    "bench": ("gateway.cli.bench.command", "bench", "a stack under load, measured"),
    "rehearse": (
        "gateway.cli.rehearse",
        "rehearse",
        "the deadline day of a part of the country, played by a schedule",
    ),
    "keys": ("gateway.cli.keys", "keys", "make the keys a deployment needs"),
    "service": ("gateway.cli.service", "service", "one process of one service, as a deployment runs it"),
    "broker": ("gateway.cli.broker", "broker", "declare or check the broker's exchanges and queues"),
    "dead-letters": (
        "gateway.cli.dead_letters",
        "dead_letters",
        "what consumers gave up: list, show, replay, discard",
    ),
    "verify": ("gateway.cli.verify", "verify", "check a receipt, seal or proof offline"),
}


class _Lazy(click.Group):
    """Imports a subcommand's module only when it runs, so that `tabian --help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, _, about) in COMMANDS.items()])


@click.command(cls=_Lazy)
@click.version_option(package_name="tabian")
def main(**_: Any) -> None:
    """Tabian (ทะเบียน): the collection rounds of Thailand's basic-education data."""
