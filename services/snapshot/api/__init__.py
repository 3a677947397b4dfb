"""Snapshot's HTTP API, by resource. Views are thin; who asks about which round is gathered in `desk`."""

from __future__ import annotations

from flask import Blueprint

from services.snapshot.api.closure import blueprint as closure
from services.snapshot.api.extracts import blueprint as extracts
from services.snapshot.api.reports import blueprint as reports
from services.snapshot.api.rounds import blueprint as rounds
from services.snapshot.api.seal import blueprint as seal


def blueprints() -> tuple[Blueprint, ...]:
    return (rounds, closure, seal, reports, extracts)
