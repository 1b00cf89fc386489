"""Whether an operator wants the title's name on the artwork."""

from alembic import op

revision = "catalog_0004"
down_revision = "catalog_0003"


def upgrade() -> None:
    op.execute(
        "alter table catalog.browse add column chosen_with_name boolean not null default false;"
    )
