"""The names under which work is queued. A format: the next release does what this one queues."""

from cuemark.contracts.encoding.jobs import Priority

TITLE_QUEUE, TASK_QUEUE = "encoding-titles", "encoding-tasks"
PREMIERE_QUEUE = "encoding-premieres"
"""For the workflows of premieres, which would otherwise wait for a slot of those of a backlog."""
TITLE_WORKFLOW, TASK_WORKFLOW = "encoding.title", "encoding.task"
MARK_WORKFLOW = "encoding.find_mark"
TITLES_AT_ONCE = 64

BUSY_POLL_S, IDLE_POLL_S, PREMIERE_POLL_S = 0.1, 0.5, 1.0
"""How often each worker looks into a queue. A look costs it 4 ms of CPU."""


def poll_s(*, open_jobs: bool) -> float:
    """While nothing is to be made workers look less often; the first task waits a moment more."""
    return BUSY_POLL_S if open_jobs else IDLE_POLL_S


def title_queue(priority: Priority) -> str:
    """Where the workflow of a title of this priority waits."""
    return PREMIERE_QUEUE if priority == "premiere" else TITLE_QUEUE


def title_number(priority: Priority) -> int:
    """The place of a title's workflow in its queue: the least is taken first."""
    return {"premiere": 1, "normal": 1, "backlog": 2}[priority]
