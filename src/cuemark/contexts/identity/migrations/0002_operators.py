"""Logins of the operator's browser, and the one-time links that open them; SHA-256 only."""

from alembic import op

revision = "identity_0002"
down_revision = "identity_0001"


def upgrade() -> None:
    op.execute(
        """
        create table identity.operator_login (
          token_sha256 bytea primary key,
          expires_at timestamptz not null
        );
        create table identity.operator_link (
          code_sha256 bytea primary key,
          expires_at timestamptz not null
        );
        """
    )
