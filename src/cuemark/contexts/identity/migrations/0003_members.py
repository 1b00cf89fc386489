"""Members who join by mail: codes, tries, devices that ask to be let in, and accounts that go.

A login has an id by which it is listed and ended, and what is known of its device. The columns
have defaults: a release that does not know them goes on beside this one.
"""

from alembic import op

revision = "identity_0003"
down_revision = "identity_0002"


def upgrade() -> None:
    op.execute(
        """
        alter table identity.account add column erased_at timestamptz;
        create index account_by_erasure on identity.account (erased_at) where erased_at is not null;
        alter table identity.login
          add column login_id text not null
            default 'lgn_' || replace(gen_random_uuid()::text, '-', ''),
          add column device text not null default '',
          add column network text not null default '',
          add column seen_at timestamptz;
        create unique index login_by_id on identity.login (login_id);
        create table identity.code (
          code_sha256 bytea primary key,
          purpose text not null,
          email text not null,
          account_id text references identity.account,
          expires_at timestamptz not null
        );
        create index code_by_account on identity.code (account_id, purpose);
        create index code_by_expiry on identity.code (expires_at);
        create table identity.tried (
          key_sha256 bytea primary key,
          tries integer not null,
          expires_at timestamptz not null
        );
        create index tried_by_expiry on identity.tried (expires_at);
        create table identity.device (
          code_sha256 bytea primary key,
          user_code text not null unique,
          device text not null,
          network text not null,
          state text not null default 'waiting',
          account_id text references identity.account,
          interval_s integer not null,
          asked_at timestamptz not null,
          polled_at timestamptz,
          expires_at timestamptz not null
        );
        create index device_by_expiry on identity.device (expires_at);
        """
    )
