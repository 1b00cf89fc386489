"""When the log is told how far a job got: at each tenth of a stage, so a stage is ten events."""

STEPS = 10


def percent(done: int, total: int) -> int:
    """How much of a stage is done; all of one that has nothing to do."""
    return 100 if total <= 0 else 100 * min(done, total) // total


def tells(done: int, total: int) -> bool:
    """Whether the unit that makes it ``done`` of ``total`` brings the stage to its next tenth."""
    if total <= 0 or done > total:
        return False
    return STEPS * done // total > STEPS * (done - 1) // total
