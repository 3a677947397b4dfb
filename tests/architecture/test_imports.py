"""The import contracts of pyproject.toml hold, and each kind of violation, planted in a copy, breaks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import tree

LINT = Path(sys.executable).parent / "lint-imports"

VIOLATIONS = {
    "a service imports another": (
        "services/intake/fencing.py",
        "import services.dedup.casework",
        "gateway, then one of five services",
    ),
    "the kit knows a service": (
        "services/kit/clock.py",
        "import services.buildings.rules",
        "gateway, then one of five services",
    ),
    "contracts import the kit": (
        "services/contracts/merkle.py",
        "import services.kit.clock",
        "gateway, then one of five services",
    ),
    "rules read the database": (
        "services/buildings/rules.py",
        "import services.buildings.tables",
        "inside buildings",
    ),
    "rules know the web": ("services/dedup/rules/guards.py", "import flask", "rules are pure"),
    "rules know the clock": ("services/intake/rules/acts.py", "import services.kit.clock", "rules are pure"),
    "tables know the schemas": (
        "services/export/tables.py",
        "import services.export.schemas",
        "inside export",
    ),
    "a stray module": ("services/intake/helpers.py", "", "inside intake"),
    "a stray service": ("services/gossip/__init__.py", "", "services holds nothing but"),
    "the rehearsal goes behind HTTP": (
        "deploy/rehearsal/person.py",
        "import services.intake.tables",
        "gateway, then one of five services",
    ),
    "the gateway knows the documents": (
        "gateway/routes.py",
        "import deploy.documents",
        "gateway, then one of five services",
    ),
    "a handler speaks to the broker": (
        "services/dedup/events.py",
        "import kombu",
        "no service speaks to RabbitMQ itself",
    ),
    "a service makes its own spans": (
        "services/intake/checking.py",
        "import opentelemetry.trace",
        "one module knows OpenTelemetry",
    ),
    "the portal starts the system": ("gateway/portal/web.py", "import gateway.embedded", "inside gateway"),
}


def _lint(folder: Path) -> tuple[int, str]:
    run = subprocess.run(
        [LINT, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and their contracts, in a folder of their own."""
    folder = tmp_path_factory.mktemp("tree")
    for path in (Path("pyproject.toml"), *tree.python_files("services", "gateway", "deploy")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree.ROOT / path, folder / path)
    return folder


def test_the_import_contracts_are_kept(copy: Path) -> None:
    status, said = _lint(copy)
    assert status == 0, said
    assert "0 broken" in said


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_planted_violation_breaks_them(copy: Path, name: str) -> None:
    file, line, contract = VIOLATIONS[name]
    place = copy / file
    before = place.read_text() if place.exists() else None
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"{before or ''}\n{line}\n")
    try:
        status, said = _lint(copy)
    finally:
        if before is None:
            shutil.rmtree(place.parent) if place.name == "__init__.py" else place.unlink()
        else:
            place.write_text(before)
    assert status == 1, said
    assert any(row.startswith(contract) and "BROKEN" in row for row in said.splitlines()), said
