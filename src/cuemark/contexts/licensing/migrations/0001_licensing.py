"""Content keys by version and label, and the sessions that may have them."""

from alembic import op

revision = "licensing_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table licensing.content_key (
          version_id text not null,
          label text not null,
          kid text not null unique,
          wrapped bytea not null,
          iv text not null,
          primary key (version_id, label)
        );
        create table licensing.session (
          session_id text primary key,
          account_id text not null,
          version_id text not null,
          expires_at timestamptz not null,
          closed boolean not null default false
        );
        """
    )
