"""The names under which work is queued. A format: the next release does what this one queues."""

TITLE_QUEUE, TASK_QUEUE = "encoding-titles", "encoding-tasks"
TITLE_WORKFLOW, TASK_WORKFLOW = "encoding.title", "encoding.task"
TITLES_AT_ONCE = 64

BUSY_POLL_S, IDLE_POLL_S = 0.1, 0.5
"""How often each worker looks into each queue. A look costs it 4 ms of CPU."""


def poll_s(*, open_jobs: bool) -> float:
    """While nothing is to be made workers look less often; the first task waits a moment more."""
    return BUSY_POLL_S if open_jobs else IDLE_POLL_S
