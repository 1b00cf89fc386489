"""What was found, which cards were given from where, and where an account was seen."""

from alembic import op

revision = "fraud_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table fraud.finding (
          finding_id text primary key,
          kind text not null,
          subject text not null,
          account_id text not null,
          step text not null,
          score integer not null,
          reasons text not null,
          found_at timestamptz not null,
          expires_at timestamptz not null,
          forgiven_at timestamptz
        );
        create index finding_of_account on fraud.finding (account_id) where account_id <> '';
        create index finding_of_subject on fraud.finding (subject);
        create index finding_expires on fraud.finding (expires_at);
        create table fraud.card (
          account_id text not null,
          login text not null,
          address text not null,
          network text not null,
          card bytea not null,
          given_at timestamptz not null,
          declined_at timestamptz,
          forgiven boolean not null default false
        );
        create index card_of_account on fraud.card (account_id, given_at);
        create index card_of_network on fraud.card (network, given_at);
        create index card_given on fraud.card (given_at);
        create table fraud.seen (
          account_id text not null,
          day date not null,
          login text not null,
          network text not null,
          territory text not null,
          first_at timestamptz not null,
          last_at timestamptz not null,
          primary key (account_id, day, login, network)
        );
        create index seen_day on fraud.seen (day);
        """
    )
