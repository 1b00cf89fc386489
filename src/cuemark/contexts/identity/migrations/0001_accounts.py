"""Accounts with their profiles, logins, and one-time login links.

Of a login's token and a link's code only the SHA-256 is kept: who reads this schema cannot log
in with what is found there. Both hold 256 random bits, so a plain hash of them is enough.
"""

from alembic import op

revision = "identity_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table identity.account (
          account_id text primary key,
          email text not null unique,
          password_hash text,
          created_at timestamptz not null
        );
        create table identity.profile (
          profile_id text primary key,
          account_id text not null references identity.account,
          name text not null,
          is_default boolean not null
        );
        create unique index profile_default on identity.profile (account_id) where is_default;
        create table identity.login (
          token_sha256 bytea primary key,
          account_id text not null references identity.account,
          created_at timestamptz not null,
          expires_at timestamptz not null
        );
        create index login_by_account on identity.login (account_id, created_at);
        create index login_by_expiry on identity.login (expires_at);
        create table identity.login_link (
          code_sha256 bytea primary key,
          account_id text not null references identity.account,
          expires_at timestamptz not null
        );
        create index login_link_by_expiry on identity.login_link (expires_at);
        """
    )
