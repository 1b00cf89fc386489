"""Books, bills, the ledger, what is sold, the inbox of webhooks and how far movements were read.

The ledger is added to and never changed: the database itself refuses. A transfer is a debit of one
account and a credit of another in one row, so that no row can leave them unequal.
"""

from alembic import op

revision = "billing_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table billing.book (
          account_id text primary key,
          due_at timestamptz,
          body jsonb not null
        );
        create index book_due on billing.book (due_at) where due_at is not null;
        create table billing.bill (
          invoice_id text primary key,
          account_id text not null references billing.book,
          number bigint not null unique,
          open boolean not null,
          body jsonb not null
        );
        create index bill_by_account on billing.bill (account_id, invoice_id desc);
        create index bill_open on billing.bill (account_id) where open;
        create table billing.series (
          name text primary key,
          last bigint not null
        );
        insert into billing.series values ('invoice', 0);
        create table billing.entry (
          entry_id bigint generated always as identity primary key,
          key text not null unique,
          kind text not null,
          account_id text not null,
          invoice_id text not null,
          currency text not null,
          at timestamptz not null,
          access jsonb
        );
        create index entry_access on billing.entry (account_id, entry_id) where access is not null;
        create table billing.transfer (
          entry_id bigint not null references billing.entry,
          position integer not null,
          debit text not null,
          credit text not null,
          amount_minor bigint not null check (amount_minor > 0),
          primary key (entry_id, position),
          check (debit <> credit)
        );
        create function billing.refuse_change() returns trigger language plpgsql as $$
        begin
          raise exception 'the ledger is added to and never changed';
        end $$;
        create trigger entries_stay before update or delete or truncate on billing.entry
          execute function billing.refuse_change();
        create trigger transfers_stay before update or delete or truncate on billing.transfer
          execute function billing.refuse_change();
        create table billing.plan (plan_id text primary key, body jsonb not null);
        create table billing.tax (
          territory text not null,
          since timestamptz not null,
          body jsonb not null,
          primary key (territory, since)
        );
        create table billing.coupon (
          code text primary key,
          uses bigint not null,
          body jsonb not null
        );
        create table billing.notice (
          event_id text primary key,
          key text not null,
          received_at timestamptz not null,
          look_at timestamptz,
          settled boolean not null
        );
        create index notice_open on billing.notice (look_at) where not settled;
        create table billing.reading (name text primary key, cursor text not null);
        insert into billing.reading values ('movements', '');
        create table billing.discrepancy (
          movement_id text primary key,
          at timestamptz not null,
          body jsonb not null
        );
        """
    )
