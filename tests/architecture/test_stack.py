"""The compose file agrees with the code: a process for everything that must run, the threads the edge counts on, no
secret that nobody makes, nothing that stands in the way of scaling, no image from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.edge.pools import POOLS
from gateway.stack.secrets import make_secrets
from tests.architecture import tree

COMPOSE = Path("docker-compose.yml")
IMAGES = {
    "tabian:local",
    "postgres:17",
    "rabbitmq:4-management",
    "haproxy:3.0",
    "prom/prometheus:v2.53.3",
    "prom/alertmanager:v0.28.1",
    "grafana/grafana:11.6.0",
}
WATCH = ("prometheus", "alertmanager", "grafana")
DEFAULT_THREADS = 10


def _part(name: str) -> str:
    """The text of one top-level part."""
    text = tree.text_of(COMPOSE)
    found = re.search(rf"^{name}:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


def _services() -> dict[str, str]:
    blocks = re.split(r"^  ([\w-]+):\n", _part("services"), flags=re.MULTILINE)[1:]
    return dict(zip(blocks[::2], blocks[1::2], strict=True))


@pytest.mark.parametrize("name", tree.FIVE)
def test_every_service_has_its_processes(name: str) -> None:
    services = _services()
    for process in ("api", "worker", "relay", "migrate"):
        assert f"command: [service, {name}, {process}]" in services[f"{name}-{process}"]


def test_every_pool_of_the_edge_is_a_service_with_the_threads_it_counts_on() -> None:
    services = _services()
    for pool in POOLS:
        told = re.search(r'TABIAN_THREADS: "(\d+)"', services[pool.name])
        assert (int(told[1]) if told else DEFAULT_THREADS) == pool.threads, pool.name
    assert f'TABIAN_THREADS: "{DEFAULT_THREADS}"' in tree.text_of(COMPOSE)


def test_what_an_act_needs_has_more_of_a_busy_processor_than_passwords_and_what_goes_on_behind() -> None:
    text = tree.text_of(COMPOSE)
    shares = {name: int(n) for name, n in re.findall(r"&(first|last) \{cpu_shares: (\d+)\}", text)}
    assert shares["last"] < 1024 < shares["first"], "Docker's own is 1024"
    given = {
        place: {name for name, body in _services().items() if re.search(rf"<<:.*\*{place}\b", body)}
        for place in shares
    }
    assert given == {"first": {"edge", "postgres", "intake-api"}, "last": {"portal-sign-in"}}
    assert re.search(r"^x-background: .+\n  <<: \[\*process, \*last\]", text, re.MULTILINE)


def test_nothing_stands_in_the_way_of_scaling() -> None:
    assert "container_name" not in tree.text_of(COMPOSE)
    assert [name for name, text in _services().items() if "ports:" in text] == ["edge", *WATCH]


@pytest.mark.parametrize("name", WATCH)
def test_what_watches_is_bounded_and_answers_on_this_machine_only(name: str) -> None:
    text = _services()[name]
    (published,) = re.findall(r'ports: \["([^"]+)"\]', text)
    assert re.fullmatch(r"127\.0\.0\.1:\$\{TABIAN_[A-Z]+_PORT-\d+\}:\d+", published)
    assert re.search(r"mem_limit: \d+m", text)
    told = re.findall(r"networks: \[([^\]]+)\]", text)
    assert told == (["front, back, watch"] if name == "prometheus" else ["watch"])


def test_every_image_but_that_of_a_profile_is_seen_to_before_a_start() -> None:
    seen = re.search(r"^images=\(([^)]+)\)", tree.text_of(Path("deploy/setup/containers")), re.MULTILINE)
    assert seen is not None
    assert set(seen[1].split()) == IMAGES - {"tabian:local", "grafana/grafana:11.6.0"} | {"python:3.13-slim"}


def test_only_the_images_that_everybody_can_have() -> None:
    text = tree.text_of(COMPOSE)
    assert set(re.findall(r"^\s+image: (\S+)", text, re.MULTILINE)) == IMAGES
    recipe = tree.text_of(Path("deploy/Dockerfile"))
    assert set(re.findall(r"^FROM (\S+)", recipe, re.MULTILINE)) == {"python:3.13-slim"}
    assert "syntax=" not in recipe
    assert "pull_policy: always" not in text


def test_every_secret_is_made_and_every_use_is_declared(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    made = {file.name for file in (tmp_path / "secrets").iterdir()}
    declared = set(re.findall(r"^  ([\w.-]+): \{file:", _part("secrets"), re.MULTILINE))
    assert declared <= made
    used = set(re.findall(r"source: ([\w.-]+)", _part("services")))
    for listed in re.findall(r"secrets: \[([^\]]+)\]", _part("services")):
        used |= {name.strip() for name in listed.split(",") if not name.strip().startswith("*")}
    used |= set(re.findall(r"^      - ([\w.]+\.[\w-]+)$", _part("services"), re.MULTILINE))
    assert used == declared


@pytest.mark.parametrize(
    ("secret", "holders"),
    [
        ("identity.key", {"intake-api", "intake-uploads", "intake-worker"}),
        ("receipt.pem", {"intake-api", "intake-uploads"}),
        ("seal.pem", {"snapshot-api", "snapshot-worker"}),
        ("token.pem", {"portal", "portal-sign-in"}),
        ("ticket.key", {"edge", "intake-api", "intake-uploads"}),
        ("postgres.password", {"postgres"}),
        ("archive.password", {"postgres", "archive", "restore"}),
        ("grafana.password", {"grafana"}),
    ],
)
def test_who_holds_a_key(secret: str, holders: set[str]) -> None:
    def holds(text: str) -> bool:
        if secret in text:
            return True
        shared = re.search(r"secrets: \*([\w-]+)", text)
        return bool(shared) and secret in _anchored(shared[1])

    assert {name for name, text in _services().items() if holds(text)} == holders


def _anchored(anchor: str) -> str:
    return next(text for text in _services().values() if f"&{anchor}" in text)


def test_web_processes_hold_no_broker() -> None:
    for name, text in _services().items():
        if "*web" in text:
            assert "broker" not in text, name


def test_the_brokers_log_is_full_long_before_its_memory_is() -> None:
    """Its queues hold in memory what the log holds; an alarm before it is full would never end."""
    told = dict(
        re.findall(r"^([\w.]+) = (\d+)", tree.text_of(Path("deploy/rabbitmq/rabbitmq.conf")), re.MULTILINE)
    )
    log, alarm = (
        int(told["raft.wal_max_size_bytes"]),
        int(told["vm_memory_high_watermark.absolute"]) * 1_000_000,
    )
    assert 3 * log <= alarm


@pytest.mark.parametrize(
    "place", [COMPOSE, Path("deploy/k8s/base/postgres.yaml"), Path("services/kit/postgres.py")], ids=str
)
def test_wherever_postgresql_runs_its_log_quotes_no_row_and_no_statement(place: Path) -> None:
    text = tree.text_of(place)
    for setting in ("log_error_verbosity *[=:] *terse", "log_min_error_statement *[=:] *panic"):
        assert re.search(setting, text), "its DETAIL is the row itself, with name and number"
