"""How often workers look into their queues."""

from collections.abc import Iterator

import pytest
from dbos import DBOSClient
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.encoding import wiring
from cuemark.contexts.encoding.model import queues
from cuemark.kit.clock import ManualClock

NAME = "pace"


class Workers:
    """Two workers of one queue, as far as they keep its pace, and what they ask the database."""

    def __init__(self, database_url: str) -> None:
        self.clock = ManualClock()
        self.clients = [
            DBOSClient(system_database_url=database_url, dbos_system_schema=wiring.WORKFLOW_SCHEMA)
            for _ in range(3)
        ]
        *working, self._looking = self.clients
        self.one, self.other = (
            wiring.Pace(
                [client.register_queue(NAME, polling_interval_sec=queues.BUSY_POLL_S)], self.clock
            )
            for client in working
        )
        self.asked: list[str] = []
        event.listen(Engine, "before_cursor_execute", self._note)

    def _note(self, connection: object, cursor: object, statement: str, *rest: object) -> None:
        self.asked.append(statement)

    def poll_s(self) -> float:
        """What every worker will wait from its next look on."""
        queue = self._looking.retrieve_queue(NAME)
        assert queue is not None
        return float(queue.polling_interval_sec)

    def close(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._note)
        for client in self.clients:
            client.destroy()


@pytest.fixture
def workers(database_url: str) -> Iterator[Workers]:
    wiring.migrate_workflows(database_url)
    workers = Workers(database_url)
    try:
        yield workers
    finally:
        workers.close()


def test_all_workers_look_less_often_while_nothing_is_to_be_made(workers: Workers) -> None:
    workers.one.keep(open_jobs=False)
    assert workers.poll_s() == queues.IDLE_POLL_S
    workers.other.keep(open_jobs=True)
    assert workers.poll_s() == queues.BUSY_POLL_S


def test_a_worker_that_wants_what_it_set_asks_the_database_nothing(workers: Workers) -> None:
    workers.one.keep(open_jobs=False)
    workers.asked.clear()
    for _ in range(19):
        workers.clock.advance(wiring.PACE_S)
        workers.one.keep(open_jobs=False)
    assert workers.asked == []
    workers.one.keep(open_jobs=True)
    assert workers.asked != []


def test_a_worker_that_set_what_was_true_before_sets_it_right(workers: Workers) -> None:
    workers.other.keep(open_jobs=True)
    workers.one.keep(open_jobs=False)
    assert workers.poll_s() == queues.IDLE_POLL_S
    workers.clock.advance(wiring.PACE_S)
    workers.one.keep(open_jobs=True)
    workers.other.keep(open_jobs=True)
    assert workers.poll_s() == queues.BUSY_POLL_S


def test_what_a_worker_set_before_it_died_holds_for_ten_seconds_only(workers: Workers) -> None:
    workers.other.keep(open_jobs=True)
    workers.one.keep(open_jobs=False)
    workers.clock.advance(wiring.PACE_HOLDS_S)
    workers.other.keep(open_jobs=True)
    assert workers.poll_s() == queues.BUSY_POLL_S


def test_what_could_not_be_set_is_set_the_next_time(workers: Workers, database_url: str) -> None:
    workers.one.keep(open_jobs=True)
    engine = create_engine(database_url)

    def execute(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    try:
        execute(f"alter table {wiring.WORKFLOW_SCHEMA}.queues rename to away")
        with pytest.raises(DBAPIError):
            workers.one.keep(open_jobs=False)
        execute(f"alter table {wiring.WORKFLOW_SCHEMA}.away rename to queues")
    finally:
        engine.dispose()
    workers.one.keep(open_jobs=False)
    assert workers.poll_s() == queues.IDLE_POLL_S
