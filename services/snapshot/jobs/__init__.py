"""Snapshot's background work: closings go from step to step."""

from __future__ import annotations

from services.kit.service import Job
from services.snapshot.jobs.closing import advance_closings

JOBS = (Job("advance-closings", advance_closings),)
