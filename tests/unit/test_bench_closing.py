"""What `tabian bench` makes of the times at which closing took its steps."""

from __future__ import annotations

from gateway.cli.bench.closing import steps_taken


def test_each_step_is_timed_from_the_one_before() -> None:
    steps = [
        {"step": "closing", "at": "2021-11-11T17:00:00+07:00"},
        {"step": "fenced", "at": "2021-11-11T17:00:00.250000+07:00"},
        {"step": "settled", "at": "2021-11-11T17:00:02.500000+07:00"},
    ]
    assert steps_taken(steps) == {"fenced": 0.25, "settled": 2.25}
    assert steps_taken(steps[:1]) == {}
