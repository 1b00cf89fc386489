"""How often workers look into their queues."""

from dbos import DBOSClient

from cuemark.contexts.encoding import wiring
from cuemark.contexts.encoding.model import queues


def test_all_workers_look_less_often_while_nothing_is_to_be_made(database_url: str) -> None:
    wiring.migrate_workflows(database_url)
    one, other = (
        DBOSClient(system_database_url=database_url, dbos_system_schema=wiring.WORKFLOW_SCHEMA)
        for _ in range(2)
    )
    try:
        queue = one.register_queue("pace", polling_interval_sec=queues.BUSY_POLL_S)
        seen = other.retrieve_queue("pace")
        assert seen is not None
        wiring.keep_pace([queue], open_jobs=False)
        assert seen.polling_interval_sec == queues.IDLE_POLL_S
        wiring.keep_pace([seen], open_jobs=True)
        assert queue.polling_interval_sec == queues.BUSY_POLL_S
    finally:
        one.destroy()
        other.destroy()
