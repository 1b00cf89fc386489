"""Profiles of a household, and the one that a login is on.

Until now an account has had one profile, so every login is on that. A release that does not know
the columns goes on beside this one: its profiles have no bound, and its logins no profile, which
counts as the account's only one.
"""

from alembic import op

revision = "identity_0007"
down_revision = "identity_0005"


def upgrade() -> None:
    op.execute(
        """
        alter table identity.profile
          add column color text not null default 'blue',
          add column avatar text not null default 'circle',
          add column language text not null default '',
          add column sound_languages text[] not null default '{}',
          add column caption_languages text[] not null default '{}',
          add column maturity integer,
          add column kids boolean not null default false,
          add column pin_hash text,
          add column autoplay boolean not null default true;
        create index profile_by_account on identity.profile (account_id, profile_id);
        alter table identity.login add column profile_id text;
        update identity.login l set profile_id = p.profile_id
          from identity.profile p where p.account_id = l.account_id and p.is_default;
        create index login_by_profile on identity.login (profile_id);
        """
    )
