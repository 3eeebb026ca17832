"""Addresses are proven by one-time codes."""

import sqlalchemy as sa
from alembic import op

from desk_core.kit.types import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INDEXED = ("address", "contact_id", "conversation_id")


def upgrade() -> None:
    op.create_table(
        "address_codes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("contact_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("conversation_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("inbox_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("void_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_address_codes_contact_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_address_codes_conversation_id")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inboxes.id"], name=op.f("fk_address_codes_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_codes")),
    )
    for column in INDEXED:
        op.create_index(op.f(f"ix_address_codes_{column}"), "address_codes", [column])


def downgrade() -> None:
    op.drop_table("address_codes")
