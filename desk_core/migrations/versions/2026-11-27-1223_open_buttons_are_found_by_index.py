"""Open buttons of a conversation, and the buttons of a message, are found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OPEN = sa.text("used_at IS NULL")


def upgrade() -> None:
    op.drop_index("ix_button_tokens_conversation_id", "button_tokens")
    op.create_index("ix_button_tokens_message_id", "button_tokens", ["message_id"])
    op.create_index("ix_button_tokens_open", "button_tokens", ["conversation_id"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index("ix_button_tokens_open", "button_tokens")
    op.drop_index("ix_button_tokens_message_id", "button_tokens")
    op.create_index("ix_button_tokens_conversation_id", "button_tokens", ["conversation_id"])
