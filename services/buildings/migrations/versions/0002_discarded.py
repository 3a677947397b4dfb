"""An outbox row remembers for which consumers somebody discarded it, and why."""

from alembic import op

from services.kit import messaging

revision = "0002_discarded"
down_revision = "0001_first"


def upgrade() -> None:
    messaging.add_discarded(op.get_bind())


def downgrade() -> None:
    messaging.drop_discarded(op.get_bind())
