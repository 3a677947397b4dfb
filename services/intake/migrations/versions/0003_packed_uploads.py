"""Files are kept compressed, and their sizes beside them; those that wait stay as they came."""

import sqlalchemy as sa
from alembic import op

revision = "0003_packed_uploads"
down_revision = "0002_discarded"


def upgrade() -> None:
    op.add_column(
        "upload",
        sa.Column(
            "size",
            sa.Integer(),
            nullable=True,
            comment="of the file in bytes; null: content is the file as it came",
        ),
    )
    op.alter_column("upload", "content", comment="the file, zstd", existing_type=sa.LargeBinary())


def downgrade() -> None:
    # A file that waits packed could not be read any more: let the checkers finish first.
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM upload WHERE size IS NOT NULL AND state IN ('received', 'checking'))"
        " THEN RAISE EXCEPTION 'packed uploads are waiting to be checked'; END IF; END $$"
    )
    op.alter_column("upload", "content", comment=None, existing_type=sa.LargeBinary())
    op.drop_column("upload", "size")
