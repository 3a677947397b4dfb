"""docs/metrics.md: the catalogue of metrics as a page."""

from __future__ import annotations

from collections.abc import Iterable

from deploy.documents.text import page, table
from gateway.embedded import SERVICES
from services.kit import figures
from services.kit.catalogue import CATALOGUE, LABELS, Family

SUBJECTS = {
    "Requests": ("tabian_http_", "tabian_edge_", "tabian_pool_", "tabian_certificate_"),
    "The round": ("tabian_acts", "tabian_submissions", "tabian_window_", "tabian_uploads_", "tabian_cases"),
    "Events": (
        *("tabian_events_", "tabian_redeliveries", "tabian_handler_", "tabian_worker_", "tabian_job_"),
        *("tabian_broker_", "tabian_outbox_", "tabian_inbox_", "tabian_applied_", "tabian_rows_"),
    ),
    "Database, disks and the measuring itself": ("tabian_database_", "tabian_disk_", "tabian_measur"),
}
"""Heading → how the names of what stands below it begin."""
_HEAD = ("name", "type", "labels", "unit", "what it says", "served by", "several processes")
_INTRODUCTION = (
    "Every process serves Prometheus metrics at `/metrics` on a port of its own (`TABIAN_METRICS_PORT`, 9100), which the edge does",
    "not know. HAProxy serves its own on 8405, RabbitMQ on 15692; what is in a queue, and in a consumer's dead letters",
    "(`<service>.dead`), is read there (`rabbitmq_detailed_queue_messages`). `process_*` and `python_*` are those of the Python",
    "client. How it is built, and what each reading costs: [decisions/0024](decisions/0024-one-catalogue-of-metrics.md).",
)
_ACROSS = (
    "*Several processes* says how the values of several processes are one: *sum* for what each of them counts for itself, *max* or",
    "*min* where several look at the same thing (two relays of a service tell the same outbox), *each* where a value is that process's",
    "alone. A counter's `_total` is in its name; a histogram has `_bucket`, `_sum` and `_count`.",
)
_READINGS = (
    "What is not counted as it happens is looked up in a service's own tables, by its relay (the portal's by its api), every so many",
    "seconds; one that takes long rests fifty times as long. A reading that fails leaves what it showed:",
    "`tabian_measured_timestamp_seconds` says of when that is. None is taken in any other process.",
)
_LAW = (
    "Of every event that was made since yesterday began (Bangkok), for each of its consumers, exactly one is true: it is awaited,",
    "applied, parked, or discarded by somebody with a reason. And what the producer's outbox says was applied lies in the consumer's",
    "inbox; what lies there was made. So for every type and consumer",
    "",
    "    applied ≤ in the consumer's inbox ≤ awaiting + applied + parked + discarded",
    "",
    "The two sides are counted at different moments, and old blocks in turn (`tabian_rows_counted_seconds` says how old the oldest",
    "count is): compare the smaller side as it was ten minutes ago with the larger as it is now. At midnight the day before",
    "yesterday leaves both, so an alarm waits longer than those ten minutes. What was applied and is not in the inbox:",
    "",
    '    max by (type, consumer) (tabian_outbox_rows{state="applied"} offset 10m) - on (type, consumer)',
    '      max by (type, consumer) (label_replace(tabian_inbox_rows, "consumer", "$1", "service", "(.+)")) > 0',
)


def render() -> str:
    """The page."""
    parts: list[Iterable[str]] = [_INTRODUCTION, _ACROSS]
    for heading, families in _by_subject().items():
        parts += [[f"## {heading}"], table(_HEAD, map(_row, families))]
    return page(
        "Metrics",
        *parts,
        ["## Readings"],
        _READINGS,
        table(("service", "reading", "every (seconds)"), _readings()),
        ["## Conservation"],
        _LAW,
        ["## Labels"],
        ["None can hold a person or a school, by their name or by their value."],
        table(("label", "its values"), ((f"`{label}`", values) for label, values in LABELS.items())),
    )


def _readings() -> Iterable[tuple[str, str, str]]:
    common = figures.EVERY.items()
    own = [(one.name, each.name, each.every) for one in SERVICES for each in one.readings]
    told = [*(("each", name, seconds) for name, seconds in common), *own]
    return [(service, f"`{name}`", f"{seconds:g}") for service, name, seconds in told]


def _by_subject() -> dict[str, list[Family]]:
    found = {
        heading: [CATALOGUE[name] for begin in begins for name in sorted(CATALOGUE) if name.startswith(begin)]
        for heading, begins in SUBJECTS.items()
    }
    nowhere = CATALOGUE.keys() - {family.name for families in found.values() for family in families}
    if nowhere:
        raise ValueError(f"under no heading: {', '.join(sorted(nowhere))}")
    return found


def _row(family: Family) -> tuple[str, ...]:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    told = (family.kind, labels or "none", family.unit, family.meaning, family.served, family.across)
    return (f"`{family.name}`", *told)
