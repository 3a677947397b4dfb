"""`make audit`: the list of what is in the image (CycloneDX), and whether a weakness of any of it is known.

What is in the image is what `deploy/requirements.lock` has for the image's Python. The list needs no network; weaknesses are
asked of OSV's service, and where that cannot be reached nothing is known, which is said and is no failure unless
`--must-answer` asks for an answer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = ROOT / "deploy/requirements.lock"
RECIPE: Final = ROOT / "deploy/Dockerfile"
FOLDER: Final = Path(".tabian")
SECONDS: Final = 15
FOUND, NO_ANSWER = 1, 2


@click.command()
@click.option("--lock", type=click.Path(path_type=Path, exists=True), default=LOCK, help="what is looked at")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, help="where the results go")
@click.option("--osv-url", default=None, help="another service that answers as OSV's does")
@click.option("--must-answer", is_flag=True, help="fail also where the service cannot be reached")
def main(lock: Path, folder: Path, osv_url: str | None, must_answer: bool) -> None:
    """Write FOLDER/sbom.json and FOLDER/audit.json; fail where a weakness is known."""
    folder.mkdir(parents=True, exist_ok=True)
    inside, report = folder / "image.lock", folder / "audit.json"
    inside.write_text(of_image(lock.read_text(encoding="utf-8")), encoding="utf-8")
    report.unlink(missing_ok=True)
    _list(inside, folder / "sbom.json")
    said = _audit(inside, report, folder / "audit-cache", ["--osv-url", osv_url] if osv_url else [])
    if not report.exists():
        click.echo(f"audit: {said}")
        click.echo("audit: the service that knows of weaknesses gave no answer; nothing is known either way")
        sys.exit(NO_ANSWER if must_answer else 0)
    found = list(_weaknesses(report))
    for line in found:
        click.echo(f"audit: {line}")
    click.echo(f"audit: {len(found)} known weaknesses; {folder / 'sbom.json'} lists what was looked at")
    sys.exit(FOUND if found else 0)


def of_image(lock: str) -> str:
    """What of a lock for every machine is for the image, without its markers. Raises ClickException for what is not pinned."""
    python = re.findall(r"^FROM python:([0-9.]+)", RECIPE.read_text(encoding="utf-8"), re.MULTILINE)[-1]
    there = {**default_environment(), "python_version": python, "python_full_version": f"{python}.0"}
    there |= {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    there |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    kept = []
    for entry in re.split(r"^(?=\S)", lock, flags=re.MULTILINE):
        head, hashes, rest = entry.partition(" \\\n")
        if hashes:
            needed = Requirement(head)
            if [one.operator for one in needed.specifier] != ["=="]:
                raise click.ClickException(f"{needed.name} is not pinned to one version")
            if needed.marker is None or needed.marker.evaluate(there):
                kept.append(f"{needed.name}{needed.specifier}{hashes}{rest}")
    return "".join(kept)


def _list(lock: Path, sbom: Path) -> None:
    """Write the CycloneDX list of the lock's packages, with their hashes. The same lock gives the same list."""
    words = ["requirements", str(lock), "--pyproject", str(ROOT / "pyproject.toml")]
    words += ["--output-reproducible", "--of", "JSON", "--output-file", str(sbom)]
    # it warns that a flat list has no tree
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore::UserWarning"}
    subprocess.run([_program("cyclonedx-py"), *words], env=quiet, check=True)


def _audit(lock: Path, report: Path, cache: Path, where: list[str]) -> str:
    """Have pip-audit ask about the lock and write what it was told; returns its own last word."""
    words = ["--requirement", str(lock), "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    words += ["--vulnerability-service", "osv", "--timeout", str(SECONDS), "--cache-dir", str(cache), *where]
    words += ["--format", "json", "--output", str(report)]
    done = subprocess.run([_program("pip-audit"), *words], capture_output=True, text=True, check=False)
    return (done.stderr.strip().splitlines() or [""])[-1]


def _weaknesses(report: Path) -> Iterator[str]:
    """A line for each: package, version, its name, and the versions in which it is mended."""
    for package in json.loads(report.read_text(encoding="utf-8"))["dependencies"]:
        for weakness in package.get("vulns", ()):
            mended = ", ".join(weakness["fix_versions"]) or "no version yet"
            yield f"{package['name']} {package['version']}: {weakness['id']}, mended in {mended}"


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


if __name__ == "__main__":
    main()
