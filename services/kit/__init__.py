"""How any service runs: settings, web application, database, outbox and inbox, relay, worker, brokers, auth, clock.

Knows no word of the domain: another organisation's system could use these files unchanged.
"""
