"""The role of PostgreSQL as which workers on other hosts log in: it writes what workers write."""

import psycopg
from psycopg import sql

from cuemark.app.engines.postgres import DATABASE, WORKER_ROLE
from cuemark.app.farm.keys import database_password
from cuemark.app.system import Install

SCHEMAS = ("encoding", "dbos")
"""Whose rows workers write. In the log they may append, and of the rest they see nothing."""


def shut(install: Install) -> None:
    """Log all workers on other hosts out, and let none in: what they know may be of yesterday."""
    if install.settings.postgres_url:
        return
    with _connected(install) as connection:
        if _there(connection):
            connection.execute(sql.SQL("alter role {} nologin").format(_ROLE))
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s",
                [WORKER_ROLE],
            )


def open_to_workers(install: Install) -> None:
    """Let workers in that have a ticket of now, where the settings let any in."""
    if install.settings.postgres_url or not install.settings.farm.listen:
        return
    with _connected(install) as connection:
        if not _there(connection):
            connection.execute(sql.SQL("create role {} nologin").format(_ROLE))
        statements = [
            sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(name), _ROLE)
            for name in (*SCHEMAS, "log")
        ]
        for name in SCHEMAS:
            statements += [
                sql.SQL("grant {} on all {} in schema {} to {}").format(
                    sql.SQL(rights), sql.SQL(what), sql.Identifier(name), _ROLE
                )
                for rights, what in (
                    ("select, insert, update, delete", "tables"),
                    ("usage", "sequences"),
                )
            ]
        statements.append(sql.SQL("grant insert on log.event to {}").format(_ROLE))
        for statement in statements:
            connection.execute(statement)
        # The server gets what it keeps, so that no log of its own can tell the password.
        secret = connection.pgconn.encrypt_password(
            database_password(install).encode(), WORKER_ROLE.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("alter role {} login password {}").format(_ROLE, sql.Literal(secret.decode()))
        )


_ROLE = sql.Identifier(WORKER_ROLE)


def _connected(install: Install) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(install.folder.run), user=DATABASE, dbname=DATABASE)


def _there(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    found = connection.execute("select from pg_roles where rolname = %s", [WORKER_ROLE])
    return found.fetchone() is not None
