"""The errors that cross a contract, and those that an operator can mend.

    ContractError
    |-- Refusal        the callee understood and says no; each contract lists its own subclasses
    `-- Unavailable    no answer in time: the callee is away, slow or broken
        `-- NoRoom     its disk is full

    OperatorError          a file, a port, a setting or an engine of this machine is not right

Every caller of a contract handles ``Unavailable`` with a fallback that it names, in one
process as over the network.
"""

from typing import ClassVar

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What decoding a message raises: it has another form, is no UTF-8, or is nested without end."""


class ContractError(Exception):
    """Root of what a contract call may raise."""


class Refusal(ContractError):
    """The callee says no. The message is one sentence for the person who caused it.

    One that ``tells`` more has it in ``details``, which may be missing: a callee of an older
    release does not send it.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400
    tells: ClassVar[type[msgspec.Struct] | None] = None

    def __init__(self, message: str, details: msgspec.Struct | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Unavailable(ContractError):
    """The callee gave no answer: away, late or broken."""


class NoRoom(Unavailable):
    """The callee's disk is full: it answers again when there is room."""


class OperatorError(Exception):
    """Something that an operator can mend. The message is one sentence: what, where, what to do."""
