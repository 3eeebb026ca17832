"""Messages that open nothing by themselves are held, shown, and released or left."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

HELD = sa.text("hold = 'held'")


def upgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hold", sa.String(), nullable=True))
        batch_op.create_index("ix_messages_held", ["at"], unique=False, sqlite_where=HELD, postgresql_where=HELD)


def downgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("ix_messages_held", sqlite_where=HELD, postgresql_where=HELD)
        batch_op.drop_column("hold")
