"""Second factors: authenticator apps, recovery codes, passkeys, and the challenges they answer.

An app's secret is sealed by a key that is not in this schema, and recovery codes are kept as an
HMAC by it: who reads the schema has no factor. A login of a release that does not know the columns
counts as one whose owner gave a password, long ago.
"""

from alembic import op

revision = "identity_0005"
down_revision = "identity_0004"


def upgrade() -> None:
    op.execute(
        """
        alter table identity.login
          add column level smallint not null default 1,
          add column proved_at timestamptz;
        create table identity.totp (
          account_id text primary key references identity.account,
          sealed_secret bytea not null,
          begun_at timestamptz not null,
          confirmed_at timestamptz,
          last_step bigint
        );
        create table identity.recovery_code (
          code_hmac bytea primary key,
          account_id text not null references identity.account
        );
        create index recovery_code_by_account on identity.recovery_code (account_id);
        create table identity.passkey (
          passkey_id text primary key,
          credential_id bytea not null unique,
          account_id text not null references identity.account,
          name text not null,
          public_key bytea not null,
          sign_count bigint not null,
          transports text not null,
          made_at timestamptz not null,
          used_at timestamptz,
          suspect boolean not null default false
        );
        create index passkey_by_account on identity.passkey (account_id, made_at);
        create table identity.challenge (
          challenge_sha256 bytea primary key,
          purpose text not null,
          account_id text references identity.account,
          tries integer not null default 0,
          expires_at timestamptz not null
        );
        create index challenge_by_account on identity.challenge (account_id);
        create index challenge_by_expiry on identity.challenge (expires_at);
        """
    )
