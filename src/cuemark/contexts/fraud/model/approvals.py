"""Mail addresses whose new devices come in by a letter alone, until a moment."""

from collections import OrderedDict
from datetime import datetime

MOST = 20_000


class Approvals:
    """Of as many as it holds, those that were asked for last."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, datetime] = OrderedDict()

    def ask(self, mail: str, until: datetime) -> None:
        self._until[mail] = until
        self._until.move_to_end(mail)
        if len(self._until) > MOST:
            self._until.popitem(last=False)

    def are_asked(self, mail: str, now: datetime) -> bool:
        until = self._until.get(mail)
        return until is not None and until > now

    def forget(self, mail: str) -> None:
        self._until.pop(mail, None)
