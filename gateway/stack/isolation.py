"""Whether each service of a running stack is shut out of the others' databases, asked of PostgreSQL itself.

Not here: what a broker user may do (tests/brokers), which has the broker's own answers.
"""

from __future__ import annotations

from gateway.stack.compose import Stack
from gateway.stack.secrets import DATABASES

_TRY = """
for role in $ROLES; do
    for name in $NAMES; do
        if PGPASSWORD=$(cat "/run/secrets/$role.password") \\
            psql -XAtq -h 127.0.0.1 -U "$role" -d "$name" -c 'SELECT 1' >/dev/null 2>&1
        then echo "$role $name in"; else echo "$role $name out"; fi
    done
done
"""


def wrong_doors(stack: Stack) -> list[str]:
    """Every role and database that should not have come together, or should have and did not; [] when all is right."""
    names = [*(f"tabian_{name}" for name in DATABASES), "postgres", "template1"]
    given = ("-e", f"ROLES={' '.join(DATABASES)}", "-e", f"NAMES={' '.join(names)}")
    told = stack.compose("exec", "-T", *given, "postgres", "bash", "-c", _TRY).split("\n")
    wanted = {
        f"{role} {name} {'in' if name == f'tabian_{role}' else 'out'}" for role in DATABASES for name in names
    }
    return sorted(wanted ^ {line for line in told if line})
