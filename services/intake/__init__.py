"""Intake: the register of schools, rosters and their checking, and the acts of the round (confirm, certify, acknowledge).

Owns what schools send and sign; decides nothing about duplicates (dedup) and keeps no sealed round (snapshot).
"""
