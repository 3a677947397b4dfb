"""Counts remember in which cell each line is, so that closing reads no document again. Documents counted before have null there:
closing asks for them, and they are counted again."""

import sqlalchemy as sa
from alembic import op

revision = "0003_line_cells"
down_revision = "0002_discarded"


def upgrade() -> None:
    op.add_column(
        "roster_count",
        sa.Column(
            "line_cells",
            sa.LargeBinary,
            comment="of each line its place in cells, a byte each; null: to be counted again",
        ),
    )
    op.add_column(
        "roster_count",
        sa.Column("line_recounted", sa.LargeBinary, comment="the same, its place in recounted"),
    )


def downgrade() -> None:
    op.drop_column("roster_count", "line_recounted")
    op.drop_column("roster_count", "line_cells")
