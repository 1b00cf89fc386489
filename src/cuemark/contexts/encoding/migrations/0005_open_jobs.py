"""Workers ask twice a second whether any job is open."""

from alembic import op

revision = "encoding_0005"
down_revision = "encoding_0004"


def upgrade() -> None:
    op.execute(
        "create index job_open on encoding.job (version_id) where state in ('waiting', 'running')"
    )
