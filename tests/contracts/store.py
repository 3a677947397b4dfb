"""`make contracts`: store the JSON Schema and an example of every event.

A schema is replaced only by one that extends it; an example, once stored, stays: it is what an older producer sent.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from services.contracts.event import REGISTRY, Declaration
from services.contracts.schema import schema_of
from tests.architecture.tree import FIVE
from tests.contracts.extension import broken_by
from tests.contracts.samples import example_of

HERE = Path(__file__).parent
SCHEMAS, EXAMPLES = HERE / "schemas", HERE / "examples"
COMMAND = "make contracts"

for _service in FIVE:
    importlib.import_module(f"services.contracts.{_service}")


def stored(folder: Path, event_type: str) -> dict[str, Any] | None:
    """What is stored for this event, or None."""
    file = folder / f"{event_type}.json"
    if not file.exists():
        return None
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def write(folder: Path, event_type: str, content: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    text = json.dumps(content, ensure_ascii=False, indent=2)
    (folder / f"{event_type}.json").write_text(text + "\n", encoding="utf-8")


def store(declaration: Declaration, schemas: Path = SCHEMAS, examples: Path = EXAMPLES) -> list[str]:
    """Store one event; returns what would break, in which case nothing is written."""
    rendered, before = schema_of(declaration), stored(schemas, declaration.type)
    faults = broken_by(before, rendered) if before else []
    if faults:
        return [f"{declaration.type}{fault}: declare the next version instead" for fault in faults]
    write(schemas, declaration.type, rendered)
    if stored(examples, declaration.type) is None:
        write(examples, declaration.type, example_of(declaration))
    return []


def main() -> int:
    faults = [fault for declaration in REGISTRY.values() for fault in store(declaration)]
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(f"{len(REGISTRY)} events, {len(faults)} refused")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
