"""Load: many people at once, as they come on the day. Who they are and what they hold is given; how long they waited is
told. Not here: playing the round through (`deploy.rehearsal.play`), and what is fast enough (`docs/benchmarks.md`).
"""
