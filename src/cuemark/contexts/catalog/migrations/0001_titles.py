"""The titles, which are the source, and the view of them that a follower builds."""

from alembic import op

revision = "catalog_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table catalog.title (
          title_id text primary key,
          name text not null,
          synopsis text not null,
          created_at timestamptz not null
        );
        create table catalog.browse (
          title_id text primary key,
          name text,
          synopsis text,
          created_at timestamptz,
          version_id text,
          quality text not null,
          duration_s double precision not null,
          artwork_key text not null,
          published_at timestamptz
        );
        """
    )
