"""Operators work in a group: groups, topics, what stands there, linked accounts, one-time codes."""

import sqlalchemy as sa
from alembic import op

from desk_core.kit.types import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operator_groups",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("inbox_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("teams", sa.JSON(), nullable=False),
        sa.Column("alerts", sa.JSON(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("linked_by", sa.String(), nullable=False),
        sa.Column("linked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["inbox_id"], ["inboxes.id"], name=op.f("fk_operator_groups_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_groups")),
        sa.UniqueConstraint("inbox_id", "chat", name=op.f("uq_operator_groups_inbox_id_chat")),
    )
    op.create_table(
        "group_topics",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("group_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("ticket_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("thread", sa.String(), nullable=True),
        sa.Column("face", sa.String(), nullable=False),
        sa.Column("head", sa.String(), nullable=True),
        sa.Column("head_text", sa.String(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("remade", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["operator_groups.id"], name=op.f("fk_group_topics_group_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_group_topics_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_topics")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_group_topics_ticket_id")),
    )
    with op.batch_alter_table("group_topics", schema=None) as batch_op:
        batch_op.create_index("ix_group_topics_group_id_thread", ["group_id", "thread"], unique=False)
    op.create_table(
        "group_messages",
        sa.Column("topic_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("message_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["group_topics.id"], name=op.f("fk_group_messages_topic_id")),
        sa.PrimaryKeyConstraint("topic_id", "message_id", name=op.f("pk_group_messages")),
    )
    with op.batch_alter_table("group_messages", schema=None) as batch_op:
        batch_op.create_index("ix_group_messages_topic_id_place", ["topic_id", "place"], unique=False)
    op.create_table(
        "agent_accounts",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("agent_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("linked_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_agent_accounts_agent_id")),
        sa.PrimaryKeyConstraint("channel", "address", name=op.f("pk_agent_accounts")),
    )
    with op.batch_alter_table("agent_accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_accounts_agent_id"), ["agent_id"], unique=False)
    op.create_table(
        "link_codes",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_link_codes")),
    )


def downgrade() -> None:
    op.drop_table("link_codes")
    op.drop_table("agent_accounts")
    op.drop_table("group_messages")
    op.drop_table("group_topics")
    op.drop_table("operator_groups")
