"""Telling once that something stopped working, and once that it works again."""

import structlog


class InStep:
    """What is done over and over, by its name, and whether it went well the last time."""

    def __init__(self) -> None:
        self._away: dict[str, bool] = {}

    def note(self, what: str, trouble: str) -> None:
        """Log when something stops working, and when it works again; not at every attempt."""
        if bool(trouble) != self._away.get(what, False):
            self._away[what] = bool(trouble)
            log = structlog.get_logger()
            if trouble:
                log.warning("out_of_step", what=what, trouble=trouble)
            else:
                log.info("in_step_again", what=what)
