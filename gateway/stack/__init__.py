"""The compose stack from outside: its secrets, starting and stopping it, what it costs when idle, and the play on it.

Not here: what runs in it (docker-compose.yml) and how its edge routes (gateway/edge).
"""
