"""The documents say what is: paths exist, tables and commands agree with the code, and nothing is in them that must not be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from gateway.cli import COMMANDS
from services.contracts.event import declaration_of
from services.contracts.roster.identity import id_fault
from services.contracts.statements import PROOF, RECEIPT, SEAL
from tests.architecture import tree

PAGES = [path for path in tree.tracked() if path.suffix == ".md" and path.parts[0] != "tests"]
HOSTS = {
    "127.0.0.1",
    "portal.bopp-obec.info",  # channels named in the calendar of the letter
    "bobec.bopp-obec.info",
    "datapackage.org",  # names of standards
    "json-schema.org",
    "www.w3.org",
    "www.apache.org",  # in the licence
}
# k8s.io/v1 and the like are names of interfaces
REGISTRY = re.compile(
    r"\b(?:[\w-]+\.)*(?:pypi|pythonhosted|npmjs|docker|ghcr|quay|gcr|k8s|anaconda|debian)\.(?:org|io|com|net)\b(?!/v\d)"
)
MACHINE = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/\w")
PATH = re.compile(r"`((?:services|gateway|deploy|docs|tests)/[\w./-]+|[\w-]+\.(?:md|toml|lock)|\.ci/\w+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _texts(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        try:
            yield path, tree.text_of(path)
        except UnicodeDecodeError:
            continue


def _ids(page: Path) -> str:
    return str(page)


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_links_lead_somewhere(page: Path) -> None:
    folder = (tree.ROOT / page).parent
    targets = [target for target in LINK.findall(tree.text_of(page)) if "://" not in target]
    assert [target for target in targets if not (folder / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_paths_that_are_named_exist(page: Path) -> None:
    folder = (tree.ROOT / page).parent
    named = PATH.findall(tree.text_of(page))
    assert [name for name in named if not (tree.ROOT / name).exists() and not (folder / name).exists()] == []


def test_the_architecture_names_what_it_explains() -> None:
    named = set(PATH.findall(tree.text_of(Path("docs/architecture.md"))))
    assert len(named) > 40
    for service in tree.FIVE:
        assert any(name.startswith(f"services/{service}/") or service == "buildings" for name in named)


def _row(name: str) -> tuple[list[str], list[str]]:
    """(consumes, publishes) of the service's row in the README."""
    rows = [line for line in tree.text_of(Path("README.md")).splitlines() if line.startswith(f"| [{name}]")]
    assert len(rows) == 1, f"{name} has one row in the README's table"
    cells = rows[0].strip("|").split("|")
    return re.findall(r"`([^`]+)`", cells[2]), re.findall(r"`([^`]+)`", cells[3])


@pytest.mark.parametrize("name", tree.FIVE)
def test_the_table_in_the_readme_is_the_services(name: str) -> None:
    service = tree.service(name)
    consumes = sorted(declaration_of(cls).type for cls in service.consumes)
    publishes = sorted(declaration_of(cls).type for cls in service.publishes)
    told = " | ".join(" ".join(f"`{event}`" for event in events) for events in (consumes, publishes))
    assert _row(name) == (consumes, publishes), f"| [{name}](services/{name}) | … | {told} |"


@pytest.mark.parametrize("name", tree.FIVE)
def test_a_service_describes_itself_with_all_its_events_and_tables(name: str) -> None:
    service, said = tree.service(name), tree.text_of(Path(f"services/{name}/README.md"))
    events = {declaration_of(cls).type for cls in (*service.consumes, *service.publishes)}
    assert sorted(event for event in events if f"`{event}`" not in said) == []
    assert [table for table in service.metadata.tables if f"`{table}`" not in said] == []


def test_events_named_in_documents_are_declared() -> None:
    declared = {declaration_of(cls).type for name in tree.FIVE for cls in tree.service(name).publishes}
    pattern = re.compile(rf"\b(?:{'|'.join(tree.FIVE)})\.[a-z-]+\.[a-z]+\.v\d+\b")
    for page, text in _texts(PAGES):
        assert set(pattern.findall(text)) <= declared, page


def _targets() -> dict[str, str]:
    found = re.findall(r"^([a-z0-9-]+):[^=\n]*?(?:##\s*(.*))?$", tree.text_of(Path("Makefile")), re.MULTILINE)
    return dict(found)


def test_every_target_of_the_makefile_is_explained_and_documented() -> None:
    documented = tree.text_of(Path("CONTRIBUTING.md"))
    for target, about in _targets().items():
        assert about, f"make {target} has no words after ##"
        assert f"`make {target}`" in documented


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_commands_in_documents_exist(page: Path) -> None:
    code = "\n".join(_code(tree.text_of(page)))
    assert set(re.findall(r"\bmake ([a-z0-9]+)\b", code)) <= set(_targets())
    statements = {kind.removeprefix("tabian-") for kind in (RECEIPT, SEAL, PROOF)}
    assert set(re.findall(r"\btabian ([a-z]+(?:-[a-z]+)*)\b", code)) - statements <= set(COMMANDS)


def _code(text: str) -> list[str]:
    """What stands in code blocks and between backticks."""
    return [block or span for block, span in re.findall(r"```(.*?)```|`([^`\n]+)`", text, re.DOTALL)]


def test_every_command_of_tabian_is_in_the_readme() -> None:
    readme = tree.text_of(Path("README.md"))
    assert [name for name in COMMANDS if f"`tabian {name}" not in readme] == []


def test_decisions_are_numbered_and_listed() -> None:
    folder = tree.ROOT / "docs/decisions"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    numbers = [int(page[:4]) for page in pages]
    assert len(set(numbers)) == len(numbers)
    for page in pages:
        title = (folder / page).read_text(encoding="utf-8").splitlines()[0]
        assert re.match(rf"# (?:{int(page[:4])}|{page[:4]})\. \S", title), (
            f"{page} begins with '# {int(page[:4])}. …'"
        )
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == pages, "docs/decisions/README.md lists every page in order"


def test_no_file_names_a_registry_or_an_unknown_host() -> None:
    strange = {}
    for path, text in _texts(tree.tracked()):
        hosts = {host.lower() for host in re.findall(r"https?://([^/\s\"'`)>:<]+)", text)}
        hosts = {h for h in hosts if "." in h and not h.endswith((".example", ".invalid", ".test", ".svc"))}
        found = (hosts - HOSTS) | set(REGISTRY.findall(text))
        if found and path != Path(__file__).relative_to(tree.ROOT):
            strange[str(path)] = sorted(found)
    assert not strange, "where packages come from is a matter of the machine (docs/decisions/0010)"


def test_the_lock_file_has_hashes_and_no_address() -> None:
    lock = tree.text_of(Path("requirements.lock"))
    assert "://" not in lock
    assert "index-url" not in lock.replace("--no-emit-index-url", "")
    pinned = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==", lock, re.MULTILINE)
    assert len(pinned) > 50
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_no_file_names_somebodys_machine() -> None:
    here = Path(__file__).relative_to(tree.ROOT)
    named = [str(path) for path, text in _texts(tree.tracked()) if path != here and MACHINE.search(text)]
    assert not named


def test_no_document_or_page_shows_a_number_that_could_be_somebodys() -> None:
    shown = {
        str(path): number
        for path, text in _texts(tree.tracked())
        if path.suffix in {".md", ".html", ".js", ".svg", ".toml"}
        for number in re.findall(r"(?<![\dA-Fa-f])\d(?:[ -]?\d){12}(?![\dA-Fa-f])", text)
        if id_fault(re.sub(r"\D", "", number)) is None
    }
    assert not shown, "an ID in a document has a wrong check digit, or is shown as X"


def test_the_licence_is_the_one_that_is_declared() -> None:
    text = tree.text_of(Path("LICENSE"))
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert 'license = "Apache-2.0"' in tree.text_of(Path("pyproject.toml"))


def test_the_embedded_system_is_not_offered_for_production() -> None:
    assert "not a production mode" in " ".join(
        tree.text_of(Path("README.md")).replace("**", "").lower().split()
    )
