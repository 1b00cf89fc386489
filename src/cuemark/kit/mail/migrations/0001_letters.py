"""Letters that wait to be sent, and since when the way they go has been closed.

A letter is here only until it is sent: then its row is deleted, with the address and what it says.
"""

from alembic import op

revision = "mail_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table mail.letter (
          letter_id text primary key,
          recipient text not null,
          subject text not null,
          plain text not null,
          html text not null,
          written_at timestamptz not null,
          useless_at timestamptz not null,
          failures integer not null default 0,
          next_try_at timestamptz not null
        );
        create index letter_by_turn on mail.letter (next_try_at);
        create table mail.closed (
          one boolean primary key default true check (one),
          since timestamptz not null
        );
        """
    )
