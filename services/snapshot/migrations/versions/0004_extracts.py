"""Documents have their extract beside them, so that a package is made without reading them. Those of before have null there: closing
asks for them, and their extracts are made."""

import sqlalchemy as sa
from alembic import op

revision = "0004_extracts"
down_revision = "0003_line_cells"


def upgrade() -> None:
    op.add_column(
        "document",
        sa.Column("extract", sa.LargeBinary, comment="its fields for packages, CSV, zstd; null: to be made"),
    )
    op.add_column("document", sa.Column("extract_sha256", sa.Text, comment="of the extract's plain bytes"))


def downgrade() -> None:
    op.drop_column("document", "extract_sha256")
    op.drop_column("document", "extract")
