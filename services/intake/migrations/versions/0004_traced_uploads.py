"""An upload remembers the trace context it came in."""

import sqlalchemy as sa
from alembic import op

revision = "0004_traced_uploads"
down_revision = "0003_packed_uploads"


def upgrade() -> None:
    op.add_column("upload", sa.Column("traceparent", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("upload", "traceparent")
