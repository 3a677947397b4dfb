"""Snapshot: the rounds and their calendar, every roster document, closing, counting, the seal, and what it proves.

Owns what a round came to; decides neither what a school may do (intake) nor whose a pupil is (dedup).
"""
