"""The repository as the guards see it: its files, and the services by name. Reads files only."""

from __future__ import annotations

import ast
import functools
import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from services.kit.service import Service

ROOT = Path(__file__).resolve().parents[2]
FIVE = ("intake", "dedup", "snapshot", "buildings", "export")
ALL = (*FIVE, "portal")
CODE = ("services", "gateway", "deploy", "tests")


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every file that belongs to the project, relative to its root: what git tracks and what it would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = sorted({Path(name.decode()) for name in listed.split(b"\0") if name})
    return tuple(path for path in paths if (ROOT / path).is_file())


def python_files(*folders: str) -> list[Path]:
    """The Python files below these top folders (all of the code by default)."""
    wanted = folders or CODE
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in wanted]


def text_of(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def service(name: str) -> Service:
    """The declaration of one service, or of the portal."""
    package = "gateway.portal" if name == "portal" else f"services.{name}"
    declared: Service = importlib.import_module(f"{package}.app").SERVICE
    return declared
