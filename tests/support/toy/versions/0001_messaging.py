"""A toy service has the messaging tables and one of its own."""

import sqlalchemy as sa
from alembic import op

from services.kit import messaging

revision = "0001_messaging"
down_revision = None


def upgrade() -> None:
    messaging.create(op.get_bind())
    op.create_table("seen", sa.Column("package", sa.Text), sa.Column("times", sa.Integer))


def downgrade() -> None:
    op.drop_table("seen")
    messaging.drop(op.get_bind())
