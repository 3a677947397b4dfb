"""Settings: a process that lacks something says everything it lacks, and never repeats a value."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.portal.settings import PortalSettings
from services.kit.settings import Settings, SettingsError, load, setting

ENOUGH = {"TABIAN_DATABASE_URL": "postgresql+psycopg://intake@/tabian_intake", "TABIAN_KEYS": "/run/keys"}


@dataclass(frozen=True, kw_only=True)
class MoreSettings(Settings):
    """A service that needs one thing more."""

    partner_url: str = setting("TABIAN_PARTNER_URL", "where the partner listens")


def test_what_is_enough_loads_with_defaults() -> None:
    settings = load(Settings, ENOUGH)
    assert settings.keys == Path("/run/keys")
    assert (settings.threads, settings.log_level, settings.clock_file) == (8, "INFO", None)


def test_paths_are_given_with_commas_between() -> None:
    assert load(Settings, ENOUGH).disks == ()
    given = load(Settings, {**ENOUGH, "TABIAN_DISKS": "/var/lib/tabian, /disks/postgres,"})
    assert given.disks == (Path("/var/lib/tabian"), Path("/disks/postgres"))


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load(MoreSettings, {})
    said = str(caught.value)
    for name in ("TABIAN_DATABASE_URL", "TABIAN_KEYS", "TABIAN_PARTNER_URL"):
        assert f"{name} is missing" in said
    assert "the service's own PostgreSQL database" in said, "and what each is for"
    assert "ตั้งค่าไม่ครบ" in said


def test_missing_and_unreadable_are_listed_together_without_the_value() -> None:
    with pytest.raises(SettingsError) as caught:
        load(Settings, {"TABIAN_KEYS": "/run/keys", "TABIAN_THREADS": "hunter2"})
    said = str(caught.value)
    assert "TABIAN_DATABASE_URL is missing" in said
    assert "TABIAN_THREADS cannot be read as int" in said
    assert "hunter2" not in said


def test_an_empty_value_is_a_missing_one() -> None:
    with pytest.raises(SettingsError, match="TABIAN_KEYS is missing"):
        load(Settings, {**ENOUGH, "TABIAN_KEYS": ""})
    assert load(Settings, {**ENOUGH, "TABIAN_THREADS": ""}).threads == 8


@pytest.mark.parametrize("text", ["8.5", "0x8", "eight", "8;rm", "--"])
def test_a_number_is_a_whole_number(text: str) -> None:
    with pytest.raises(SettingsError, match="TABIAN_THREADS"):
        load(Settings, {**ENOUGH, "TABIAN_THREADS": text})


def test_it_ends_a_process_with_a_message_rather_than_a_traceback() -> None:
    assert issubclass(SettingsError, SystemExit)
    with pytest.raises(SystemExit) as caught:
        load(Settings, {})
    assert isinstance(caught.value.code, str), (
        "a text as exit code goes to standard error, and the status is 1"
    )


@pytest.mark.parametrize("cls", [Settings, PortalSettings])
def test_every_setting_has_a_name_of_ours_and_a_purpose(cls: type[Settings]) -> None:
    items = dataclasses.fields(cls)
    names = [item.metadata["env"] for item in items]
    assert len(set(names)) == len(names)
    assert all(name.startswith("TABIAN_") for name in names)
    assert all(len(item.metadata["about"]) > 5 for item in items)


def test_settings_are_read_once_and_stay() -> None:
    settings = load(Settings, ENOUGH)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.threads = 9  # type: ignore[misc]


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("postgresql+psycopg://intake:word@postgres/tabian_intake\n")
    environ = {"TABIAN_KEYS": "/run/keys", "TABIAN_DATABASE_URL_FILE": str(secret)}
    assert load(Settings, environ).database_url == "postgresql+psycopg://intake:word@postgres/tabian_intake"
    assert load(Settings, {**environ, **ENOUGH}).database_url == ENOUGH["TABIAN_DATABASE_URL"]


def test_a_secret_file_that_is_not_there_is_named_with_the_others(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(MoreSettings, {"TABIAN_DATABASE_URL_FILE": str(tmp_path / "nothing")})
    for name in ("TABIAN_DATABASE_URL_FILE names a file that cannot be read", "TABIAN_KEYS is missing"):
        assert name in str(caught.value)
