"""Intake's own metrics: the round as the country stands in it."""

from __future__ import annotations

from services.kit.catalogue import counter, gauge

ACTS = counter(
    "tabian_acts",
    "Acts carried out; the same one sent again counts once",
    ("act",),
    unit="acts",
    served="intake's api",
)
SUBMISSIONS = gauge(
    "tabian_submissions",
    "Schools by the state of their submission, of rounds that are not sealed; state empty | draft | ready | confirmed | certified |"
    " acknowledged | sealed. One act short of certified are those confirmed, and those ready lack both",
    ("round", "state"),
    unit="schools",
    served="intake's relay",
)
WINDOW_SECONDS_LEFT = gauge(
    "tabian_window_seconds_left",
    "Until the window closes in which schools confirm and certify, without extensions, by the round clock; 0 while it is closed",
    ("round",),
    unit="seconds",
    served="intake's relay",
)
UPLOADS_WAITING = gauge(
    "tabian_uploads_waiting", "Files not yet checked", unit="uploads", served="intake's relay"
)
UPLOADS_OLDEST_SECONDS = gauge(
    "tabian_uploads_oldest_seconds",
    "How long the file has waited that has waited longest to be checked",
    unit="seconds",
    served="intake's relay",
)
