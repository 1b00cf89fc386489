"""What a piece of work that failed means: the film is at fault, or the machine hindered it.

What is wrong with a film stays wrong, so the title fails and its owner is told. A full disk, a
tool that somebody killed (the kernel does, where memory is short) and too little memory of our
own say nothing of the film: the work waits and is tried again. A crash of a tool (SIGSEGV,
SIGABRT) is held against the film, because the same film would crash it again, and so is a limit
that the tool ran into (SIGXCPU, SIGXFSZ, its address space).
"""

import errno
import signal

import msgspec

LITTLE_ROOM_BYTES = 4 << 20
"""A tool that failed with less than this free failed for it, whatever it says."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM_WORDS = ("no space left on device", "disk quota exceeded")
_KILLED_BY = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Hindrance(msgspec.Struct, frozen=True):
    """``sentence`` is for whoever looks at the job; ``tries`` bounds it, None for no bound."""

    sentence: str
    tries: int | None


NO_ROOM = Hindrance("waiting for room on the disk: free some, and it goes on", None)
AWAY = Hindrance("waiting for a part of the service that is away", None)
NO_MASTER = Hindrance("waiting for the uploaded file, which is not among the objects yet", None)
NO_MEMORY = Hindrance("waiting for memory", 6)
KILLED = Hindrance("beginning again what the machine ended", 6)


def no_keys(why: str) -> Hindrance:
    """What is in the way while the key server gives no keys; ``why`` is its sentence."""
    return Hindrance(f"waiting for content keys: {why}", None)


def of_tool(code: int, said: str) -> Hindrance | None:
    """What hindered a tool that ended with ``code`` (negative for a signal), if anything did."""
    words = said.lower()
    if any(each in words for each in _NO_ROOM_WORDS):
        return NO_ROOM
    return KILLED if -code in _KILLED_BY else None


def of_error(number: int | None) -> Hindrance | None:
    """What hindered a call of the system that failed with this ``errno``, if anything did."""
    if number in _NO_ROOM:
        return NO_ROOM
    return NO_MEMORY if number == errno.ENOMEM else None


def of_room(free_bytes: int) -> Hindrance | None:
    """Whether work that failed with so many bytes free on its disk failed for want of them."""
    return NO_ROOM if free_bytes < LITTLE_ROOM_BYTES else None


def tries_again(hindrance: Hindrance, tried: int) -> bool:
    """Whether work that was hindered like this ``tried`` times is tried once more."""
    return hindrance.tries is None or tried < hindrance.tries


def pause_s(tried: int) -> float:
    """How long to wait after so many attempts: each pause is twice the one before."""
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * float(1 << min(tried - 1, 10)))
