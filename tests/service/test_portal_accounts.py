"""`tabian accounts`: adding, importing, locking and listing people; passwords are shown once and stored hashed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.accounts import accounts
from gateway.portal import accounts as book
from gateway.portal.app import SERVICE
from gateway.portal.passwords import make_password
from services.kit.clock import Clock
from services.kit.database import Database
from services.kit.service import Service

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: Callable[[Service], str], keys: Path) -> Run:
    environment = {"TABIAN_DATABASE_URL": database_url(SERVICE), "TABIAN_KEYS": str(keys)}

    def command(*words: str, typed: str = "") -> Result:
        result = CliRunner(env=environment).invoke(accounts, words, input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return command


def listed(run: Run) -> dict[str, dict[str, object]]:
    return {one["username"]: one for one in json.loads(run("list", "--json").stdout)}


def test_an_added_account_gets_a_password_that_is_printed_once(run: Run) -> None:
    added = run("add", "Somchai", "--name", "สมชาย", "--grant", "clerk:1066350177", "--grant", "area:6602")
    assert re.fullmatch(r"somchai,[a-z2-9]{4}(-[a-z2-9]{4}){3}\n", added.stdout)
    assert listed(run)["somchai"] == {
        "username": "somchai",
        "name": "สมชาย",
        "grants": ["clerk:1066350177", "area:6602"],
        "locked": False,
    }
    again = run("add", "somchai", "--name", "อื่น", "--grant", "hq:*")
    assert again.exit_code == 1
    assert "--replace" in again.output
    assert run("add", "somchai", "--name", "อื่น", "--grant", "hq", "--replace").exit_code == 0
    assert listed(run)["somchai"]["grants"] == ["hq:*"]


def test_a_password_from_standard_input_is_not_printed(run: Run) -> None:
    added = run(
        "add", "malee", "--name", "มาลี", "--grant", "hq:*", "--password-stdin", typed="a-good-password\n"
    )
    assert added.exit_code == 0
    assert added.stdout == ""
    short = run("add", "malee2", "--name", "มาลี", "--grant", "hq:*", "--password-stdin", typed="short\n")
    assert short.exit_code == 1
    assert "10 to 200" in short.output


@pytest.mark.parametrize(
    ("username", "grant"),
    [
        ("a", "hq:*"),
        ("สมชาย", "hq:*"),
        ("x y", "hq:*"),
        ("ok-name", "king:*"),
        ("ok-name", "clerk:123"),
        ("ok-name", "clerk:*"),
        ("ok-name", "area"),
        ("ok-name", "hq:6602"),
        ("ok-name", "director:10663501770"),
    ],
)
def test_what_cannot_be_an_account_is_refused(run: Run, username: str, grant: str) -> None:
    result = run("add", username, "--name", "ก", "--grant", grant)
    assert result.exit_code == 1
    assert " / " in result.output
    assert listed(run) == {}


def test_a_csv_is_imported_with_several_grants_for_one_person(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "\ufeffusername,name,role,scope,password\n"
        "clerk1,สมหญิง,clerk,1066350177,\n"
        "clerk1,สมหญิง,director,1066350188,\n"
        "office,เขต 2,area,6602,given-password\n",
        encoding="utf-8",
    )
    result = run("import", str(file))
    assert result.exit_code == 0
    assert [line.split(",")[0] for line in result.stdout.splitlines()] == ["clerk1"]
    assert listed(run)["clerk1"]["grants"] == ["clerk:1066350177", "director:1066350188"]
    repeated = run("import", str(file))
    assert repeated.stdout == ""
    assert "2 existed" in repeated.stderr
    assert run("import", str(file), "--replace").stdout.startswith("clerk1,")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "header"),
        (b"username,name\na,b\n", "header"),
        (b"username,name,role,scope\nclerk1,x,clerk,12\n", "line 2"),
        (b"username,name,role,scope\nclerk1\n", "line 2"),
        (b"\xff\xfe\x00binary", "unreadable"),
        (b"username,name,role,scope,password\nclerk1,x,hq,*,short\n", "10 to 200"),
    ],
)
def test_a_faulty_csv_stores_nobody(run: Run, tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    result = run("import", str(file))
    assert result.exit_code == 1
    assert said in result.output
    assert "short" not in result.output
    assert listed(run) == {}


def test_lock_unlock_and_unknown_people(run: Run) -> None:
    run("add", "malee", "--name", "มาลี", "--grant", "director:1066350177")
    assert run("lock", "Malee").exit_code == 0
    assert listed(run)["malee"]["locked"] is True
    assert "locked" in run("list").stdout
    assert run("unlock", "malee").exit_code == 0
    assert listed(run)["malee"]["locked"] is False
    assert run("lock", "nobody").exit_code == 1


def test_missing_settings_are_all_named() -> None:
    result = CliRunner(env={"TABIAN_DATABASE_URL": "", "TABIAN_KEYS": ""}).invoke(accounts, ["list"])
    assert result.exit_code == 1
    assert "TABIAN_DATABASE_URL" in str(result.exception)


def test_the_hash_never_leaves_with_an_account(database_url: Callable[[Service], str]) -> None:
    database = Database(database_url(SERVICE), SERVICE, Clock(), pool_size=1)
    with database.transaction() as tx:
        values = {
            "username": "x1",
            "name": "x",
            "password_hash": "h",
            "grants": [book.checked_grant("hq", "")],
        }
        assert book.save(tx, **values, replace=False)  # type: ignore[arg-type]
        assert book.find(tx, "x1") is not None
    database.close()
    assert len({make_password() for _ in range(50)}) == 50
