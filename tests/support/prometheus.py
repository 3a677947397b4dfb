"""A real Prometheus of a test's own, with series of the past that a test writes down."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.embedded import free_port
from tests.support.programs import running
from tests.support.watching import program

Past = Mapping[str, Sequence[tuple[float, float]]]
"""Series, as `name{label="value"}`, → (Unix seconds, value)."""


@contextmanager
def running_prometheus(folder: Path, past: Past, rules: str = "") -> Iterator[str]:
    """Prometheus with this past and these rules (YAML), evaluated each second; its address. Ends with the block."""
    _write_past(folder, past)
    (folder / "rules.yml").write_text(rules or "groups: []\n", encoding="utf-8")
    told = {"global": {"evaluation_interval": "1s"}, "rule_files": ["rules.yml"]}
    (folder / "prometheus.yml").write_text(json.dumps(told), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with running(command, f"http://{address}", folder / "prometheus.log"):
        yield f"http://{address}"


def _write_past(folder: Path, past: Past) -> None:
    """As blocks, which is how Prometheus stores what is over."""
    lines = [f"{series} {value} {at}" for series, points in past.items() for at, value in points]
    text = folder / "past.txt"
    text.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    command = [
        program("promtool"),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        str(text),
        str(folder / "data"),
    ]
    subprocess.run(command, check=True, capture_output=True)
