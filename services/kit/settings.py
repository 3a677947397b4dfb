"""Settings from the environment, checked at start: a process that lacks some names all of them and stops.

`<NAME>_FILE` names a file that holds the value instead: secrets stay out of the environment. Not here: values that are data (calendars, rates, codes), which live in deploy/.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

S = TypeVar("S", bound="Settings")


class SettingsError(SystemExit):
    """Settings are missing or unreadable; the text lists every one of them."""


EVERY = "every process"


def setting(env: str, about: str, default: Any = MISSING, *, by: str = EVERY) -> Any:
    """A field of a Settings class: its environment variable, what it is for, and which processes read it."""
    metadata = {"env": env, "about": about, "by": by}
    secret = env.endswith("_URL")  # an URL may carry a password
    if default is MISSING:
        return field(metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every service process needs."""

    database_url: str = setting("TABIAN_DATABASE_URL", "the service's own PostgreSQL database")
    keys: Path = setting("TABIAN_KEYS", "folder with jwks.json and the private keys this process may hold")
    broker_url: str = setting("TABIAN_BROKER_URL", "RabbitMQ (amqp://…)", "", by="worker, relay")
    clock_file: Path | None = setting("TABIAN_CLOCK_FILE", "rehearsal clock shared by all processes", None)
    data: Path = setting(
        "TABIAN_DATA", "folder for files a service writes", Path(".tabian/data"), by="export's api and worker"
    )
    threads: int = setting(
        "TABIAN_THREADS", "threads of a web process = size of its database pool", 8, by="api, uploads"
    )
    leaving_file: Path | None = setting(
        "TABIAN_LEAVING",
        "while this file is there, a web process says that it is not ready",
        None,
        by="api, uploads",
    )
    disks: tuple[Path, ...] = setting(
        "TABIAN_DISKS",
        "paths whose disks are told in its metrics, with commas between",
        (),
        by="worker, relay",
    )
    log_level: str = setting("TABIAN_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO")
    metrics_port: int = setting(
        "TABIAN_METRICS_PORT",
        "where a process of its own serves its metrics; 0: nowhere",
        9100,
        by="api, uploads, worker, relay",
    )


def load(cls: type[S], environ: Mapping[str, str] | None = None) -> S:
    """The settings from the environment. Raises SettingsError naming all that are missing or unreadable."""
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    faults: list[str] = []
    for item in fields(cls):
        env = item.metadata["env"]
        try:
            text = source.get(env) or _from_file(source.get(f"{env}_FILE", ""))
        except (OSError, ValueError):
            faults.append(f"  {env}_FILE names a file that cannot be read: {item.metadata['about']}")
            continue
        if not text:
            if item.default is MISSING:
                faults.append(f"  {env} is missing: {item.metadata['about']}")
            continue
        try:
            values[item.name] = _convert(str(item.type), text)
        except ValueError:
            faults.append(f"  {env} cannot be read as {item.type}: {item.metadata['about']}")
    if faults:
        raise SettingsError("ตั้งค่าไม่ครบ / settings are incomplete:\n" + "\n".join(faults))
    return cls(**values)


def _from_file(name: str) -> str:
    return Path(name).read_text(encoding="utf-8").strip() if name else ""


def _convert(kind: str, text: str) -> Any:
    if kind == "int":
        return int(text)
    if kind.startswith("tuple"):
        return tuple(Path(part.strip()) for part in text.split(",") if part.strip())
    if kind.startswith("Path"):
        return Path(text)
    return text
