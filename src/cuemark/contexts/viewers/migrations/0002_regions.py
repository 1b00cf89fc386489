"""Rows are stamped and can be read in the order of their changes; lists and ratings beside them.

A release before writes neither stamps nor what a viewing needs besides: the defaults are for it.
"""

from alembic import op

revision = "viewers_0002"
down_revision = "viewers_0001"

_STAMP = "lpad(to_hex((extract(epoch from {}) * 1000000)::bigint), 16, '0') || '.0000.before'"


def upgrade() -> None:
    now = _STAMP.format("clock_timestamp()")
    op.execute(
        f"""
        alter table viewers.session
          add column duration_s double precision not null default 0,
          add column since text collate "C" not null default '',
          add column stamp text collate "C" not null default {now},
          add column xid xid8 not null default pg_current_xact_id();
        update viewers.session s set stamp = {_STAMP.format("s.reported_at")},
          duration_s = coalesce((select p.duration_s from viewers.progress p
            where (p.profile_id, p.title_id) = (s.profile_id, s.title_id)), 0);
        create index session_history on viewers.session (profile_id, reported_at, session_id);
        create index session_changes
          on viewers.session (xid, profile_id, title_id, session_id);

        alter table viewers.progress
          alter column watched_at drop not null,
          add column stamp text collate "C" not null default {now},
          add column removed text collate "C" not null default '',
          add column removed_xid xid8;
        update viewers.progress set stamp = {_STAMP.format("watched_at")};
        create index progress_removals on viewers.progress (removed_xid, profile_id, title_id)
          where removed_xid is not null;

        create table viewers.my_list (
          profile_id text not null,
          work_id text not null,
          listed boolean not null,
          stamp text collate "C" not null,
          xid xid8 not null default pg_current_xact_id(),
          primary key (profile_id, work_id)
        );
        create index my_list_newest on viewers.my_list (profile_id, stamp, work_id) where listed;
        create index my_list_changes on viewers.my_list (xid, profile_id, work_id);

        create table viewers.rating (
          profile_id text not null,
          work_id text not null,
          rating text not null,
          stamp text collate "C" not null,
          xid xid8 not null default pg_current_xact_id(),
          primary key (profile_id, work_id)
        );
        create index rating_newest on viewers.rating (profile_id, stamp, work_id)
          where rating <> '';
        create index rating_changes on viewers.rating (xid, profile_id, work_id);

        create table viewers.erased (
          profile_id text primary key,
          xid xid8 not null default pg_current_xact_id()
        );
        create index erased_changes on viewers.erased (xid, profile_id);
        """
    )
