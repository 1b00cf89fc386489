"""All the SQL of experiments."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from cuemark.contracts.experiments import Cell, Experiment
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query, Row

SCHEMA = "experiments"

_read_cells = msgspec.json.Decoder(list[Cell]).decode
_AT = Query(
    text(
        "select * from experiments.run where started_at <= :at "
        "and (stopped_at is null or stopped_at > :at) order by run_id"
    )
)


async def running_at(database: Database, at: datetime) -> list[Experiment]:
    """Those that ran, the oldest first."""
    return [_experiment(row) for row in await database.ask(_AT, {"at": at})]


async def lock(transaction: Transaction) -> list[Experiment]:
    """Those that run: nobody else starts or stops any before this transaction ends."""
    await transaction.execute(text("lock table experiments.run in share row exclusive mode"))
    return _experiments(
        await transaction.execute(
            text("select * from experiments.run where stopped_at is null order by run_id")
        )
    )


async def add(transaction: Transaction, started: Experiment) -> None:
    await transaction.execute(
        text(
            "insert into experiments.run (run_id, name, layer, first_bucket, share_bp, cells, "
            "started_at) values (:run_id, :name, :layer, :first_bucket, :share_bp, :cells, "
            ":started_at)"
        ),
        {
            "run_id": started.run_id,
            "name": started.name,
            "layer": started.layer,
            "first_bucket": started.first_bucket,
            "share_bp": started.share_bp,
            "cells": msgspec.json.encode(started.cells).decode(),
            "started_at": started.started_at,
        },
    )


async def stop(transaction: Transaction, name: str, now: datetime) -> None:
    """A run lasts for some time, also where the clock was set back."""
    await transaction.execute(
        text(
            "update experiments.run set stopped_at = greatest(:now, started_at) "
            "where name = :name and stopped_at is null"
        ),
        {"name": name, "now": now},
    )


async def last_of(transaction: Transaction, name: str) -> Experiment | None:
    """The last run of an experiment."""
    found = _experiments(
        await transaction.execute(
            text(
                "select * from experiments.run where name = :name "
                "order by stopped_at is null desc, run_id desc limit 1"
            ),
            {"name": name},
        )
    )
    return found[0] if found else None


async def page(transaction: Transaction, after: str, limit: int) -> list[Experiment]:
    """The last run of each, by their names."""
    return _experiments(
        await transaction.execute(
            text(
                "select distinct on (name) * from experiments.run where name > :after "
                "order by name, stopped_at is null desc, run_id desc limit :limit"
            ),
            {"after": after, "limit": limit},
        )
    )


def _experiments(rows: Iterable[Any]) -> list[Experiment]:
    return [_experiment(row) for row in rows]


def _experiment(row: Row) -> Experiment:
    return Experiment(
        name=row.name,
        layer=row.layer,
        cells=_read_cells(row.cells),
        share_bp=row.share_bp,
        state="running" if row.stopped_at is None else "stopped",
        run_id=row.run_id,
        first_bucket=row.first_bucket,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
    )
