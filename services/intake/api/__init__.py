"""Intake's HTTP API, by resource. Views are thin; what an act needs is gathered in `desk`."""

from __future__ import annotations

from flask import Blueprint

from services.intake.api.acts import blueprint as acts
from services.intake.api.progress import blueprint as progress
from services.intake.api.pupils import blueprint as pupils
from services.intake.api.register import blueprint as register
from services.intake.api.rosters import blueprint as rosters
from services.intake.api.uploads import blueprint as uploads


def blueprints() -> tuple[Blueprint, ...]:
    return (register, progress, rosters, uploads, pupils, acts)
