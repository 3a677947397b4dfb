"""The shape of the code: small files, small functions, no drawers for odds and ends, nothing left half done."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture import tree

LINES = {"services": 300, "gateway": 300, "deploy": 300, "tests": 400}
FUNCTION_LINES = 40
DRAWERS = {"utils", "util", "common", "helpers", "helper", "misc"}
UNFINISHED = re.compile(r"\b(?:TODO|FIX" + r"ME|XXX|HACK)\b")
TEXT = {".py", ".toml", ".md", ".html", ".js", ".css", ".cfg", ".yml", ".yaml", ".mako", ".sql", ""}


@pytest.mark.parametrize("folder", tree.CODE)
def test_no_file_is_longer_than_a_person_reads_at_once(folder: str) -> None:
    counted = {path: tree.text_of(path).count("\n") for path in tree.python_files(folder)}
    long = {str(path): lines for path, lines in counted.items() if lines > LINES[folder]}
    assert not long, (
        f"split by reason to change: queries, rules, one file per resource (limit {LINES[folder]})"
    )


@pytest.mark.parametrize("folder", tree.CODE)
def test_no_function_is_longer_than_a_screen(folder: str) -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {length} lines"
        for path in tree.python_files(folder)
        for node in tree.functions(path)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
        and not _is_migration(path)
    ]
    assert not long, f"at most {FUNCTION_LINES} lines:\n" + "\n".join(long)


def _is_migration(path: Path) -> bool:
    """A migration is a list of tables, read from top to bottom; cutting it up would hide the order."""
    return "versions" in path.parts


def test_there_are_no_drawers_for_odds_and_ends() -> None:
    named = [str(path) for path in tree.python_files() if DRAWERS & {*path.parts[:-1], path.stem}]
    assert not named, "name a module for what it knows"


def test_nothing_is_left_for_later() -> None:
    left = [
        f"{path}:{number}"
        for path in tree.tracked()
        if path.suffix in TEXT and path.name != "LICENSE"
        for number, line in enumerate(tree.text_of(path).splitlines(), 1)
        if UNFINISHED.search(line) and path != Path(__file__).relative_to(tree.ROOT)
    ]
    assert not left, "do it now, or say in docs/ what is not there"


def test_nothing_prints() -> None:
    printed = [
        f"{path}:{node.lineno}"
        for path in tree.python_files()
        for node in ast.walk(ast.parse(tree.text_of(path)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "pprint")
    ]
    assert not printed, "services log, commands use rich or click.echo"


def test_every_module_says_what_its_job_is() -> None:
    silent = [
        str(path)
        for path in tree.python_files("services", "gateway", "deploy")
        if tree.text_of(path).strip() and ast.get_docstring(ast.parse(tree.text_of(path))) is None
    ]
    assert not silent


def test_no_code_asks_whether_it_is_embedded() -> None:
    asking = [
        f"{path}:{node.lineno}"
        for path in tree.python_files("services")
        for node in ast.walk(ast.parse(tree.text_of(path)))
        if isinstance(node, ast.Name | ast.Attribute) and "embedded" in _name(node).lower().split("_")
    ]
    assert not asking, "what differs between one process and many is passed in (broker, URL, clock file)"


def _name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    marks = re.compile(r"pytest\.(?:skip|xfail|importorskip)\b|mark\.(?:skip|skipif|xfail)\b")
    here = Path(__file__).relative_to(tree.ROOT)
    skipped = [
        str(path) for path in tree.python_files("tests") if marks.search(tree.text_of(path)) and path != here
    ]
    assert not skipped


def test_our_own_code_is_never_mocked() -> None:
    mocking = re.compile(r"unittest\.mock|from mock|import mock|MagicMock")
    here = Path(__file__).relative_to(tree.ROOT)
    found = [
        str(path)
        for path in tree.python_files("tests")
        if mocking.search(tree.text_of(path)) and path != here
    ]
    assert not found
