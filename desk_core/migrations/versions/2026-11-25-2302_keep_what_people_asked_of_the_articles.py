"""What people asked of the articles, what was offered and what they said of it."""

import sqlalchemy as sa
from alembic import op

import desk_core.kit.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "article_questions",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("category_key", sa.String(), nullable=True),
        sa.Column("conversation_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("contact_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("ticket_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("became", sa.String(), nullable=False),
        sa.Column("opinions", sa.JSON(), nullable=False),
        sa.Column("at", desk_core.kit.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answer_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("dismissed", sa.Boolean(), nullable=False),
        sa.Column("judged_by", sa.String(), nullable=True),
        sa.Column("judged_at", desk_core.kit.types.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answer_id"], ["articles.id"], name=op.f("fk_article_questions_answer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_questions")),
    )
    with op.batch_alter_table("article_questions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_questions_answer_id"), ["answer_id"], unique=False)
        batch_op.create_index("ix_article_questions_at", ["at"], unique=False)
        batch_op.create_index("ix_article_questions_conversation_id_at", ["conversation_id", "at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("article_questions", schema=None) as batch_op:
        batch_op.drop_index("ix_article_questions_conversation_id_at")
        batch_op.drop_index("ix_article_questions_at")
        batch_op.drop_index(batch_op.f("ix_article_questions_answer_id"))

    op.drop_table("article_questions")
