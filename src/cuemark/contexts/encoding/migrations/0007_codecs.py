"""The codecs that a job makes its full version in."""

from alembic import op

revision = "encoding_0007"
down_revision = "encoding_0006"


def upgrade() -> None:
    op.execute("""alter table encoding.job add column codecs json not null default '["h264"]'""")
