"""Staff with roles, their logins, and the log of what they did.

The log takes new rows and nothing else, whoever asks: the triggers hold for the owner of the table
too. They do not hold against who may drop them, which is what the chain of digests is for.
"""

from alembic import op

revision = "identity_0004"
down_revision = "identity_0003"


def upgrade() -> None:
    op.execute(
        """
        create table identity.staff (
          staff_id text primary key,
          email text not null,
          role text not null,
          created_at timestamptz not null,
          ended_at timestamptz
        );
        create unique index staff_by_email on identity.staff (email) where ended_at is null;
        create table identity.staff_login (
          token_sha256 bytea primary key,
          staff_id text not null references identity.staff,
          expires_at timestamptz not null
        );
        create index staff_login_by_staff on identity.staff_login (staff_id);
        create index staff_login_by_expiry on identity.staff_login (expires_at);
        create table identity.staff_link (
          code_sha256 bytea primary key,
          staff_id text not null references identity.staff,
          expires_at timestamptz not null
        );
        create index staff_link_by_expiry on identity.staff_link (expires_at);
        create table identity.act (
          number bigint primary key,
          at timestamptz not null,
          staff_id text not null,
          who text not null,
          role text not null,
          action text not null,
          subject text not null,
          result text not null,
          of bigint not null,
          status integer not null,
          client_address text not null,
          trace_id text not null,
          digest bytea not null
        );
        create index act_by_staff on identity.act (staff_id, number);
        create table identity.act_head (
          only_row boolean primary key default true check (only_row),
          number bigint not null,
          digest bytea not null,
          seal bytea not null
        );
        create function identity.act_is_kept() returns trigger language plpgsql as $$
        begin
          raise exception 'the log of acts takes new entries only';
        end $$;
        create trigger act_is_kept before update or delete on identity.act
          for each row execute function identity.act_is_kept();
        create trigger acts_are_kept before truncate on identity.act
          for each statement execute function identity.act_is_kept();
        create function identity.act_head_goes_on() returns trigger language plpgsql as $$
        begin
          if tg_op = 'UPDATE' and new.number = old.number + 1 then return new; end if;
          raise exception 'the head of the log of acts goes on by one';
        end $$;
        create trigger act_head_goes_on before update or delete on identity.act_head
          for each row execute function identity.act_head_goes_on();
        create trigger act_heads_are_kept before truncate on identity.act_head
          for each statement execute function identity.act_is_kept();
        """
    )
