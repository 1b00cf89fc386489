"""The names under which work is queued. A format: the next release does what this one queues."""

TITLE_QUEUE, TASK_QUEUE = "encoding-titles", "encoding-tasks"
TITLE_WORKFLOW, TASK_WORKFLOW = "encoding.title", "encoding.task"
TITLES_AT_ONCE = 64
