"""Colleagues join a request by a link: an invitation says who gave it, a participant may sit in a chat, copies there are known again."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message_copies",
        sa.Column("inbox_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_message_copies_message_id")),
        sa.PrimaryKeyConstraint("inbox_id", "external_id", name=op.f("pk_message_copies")),
    )
    op.create_index(op.f("ix_message_copies_message_id"), "message_copies", ["message_id"])
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("invited_by", sa.String(), nullable=True))
    with op.batch_alter_table("ticket_participants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("conversation_id", sa.Uuid(as_uuid=False), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("ticket_participants", schema=None) as batch_op:
        batch_op.drop_column("conversation_id")
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_column("invited_by")
    op.drop_index(op.f("ix_message_copies_message_id"), table_name="message_copies")
    op.drop_table("message_copies")
