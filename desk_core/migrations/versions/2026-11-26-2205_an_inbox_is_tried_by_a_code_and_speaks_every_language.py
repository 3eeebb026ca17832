"""One-time codes know who used them and whether it was answered; an inbox keeps its trouble so that it can be told in any language."""

import sqlalchemy as sa
from alembic import op

from desk_core.kit.types import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("link_codes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("used_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("answered_at", UtcDateTime(timezone=True), nullable=True))
    with op.batch_alter_table("inboxes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_error_phrase", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("inboxes", schema=None) as batch_op:
        batch_op.drop_column("last_error_phrase")
    with op.batch_alter_table("link_codes", schema=None) as batch_op:
        batch_op.drop_column("answered_at")
        batch_op.drop_column("used_by")
