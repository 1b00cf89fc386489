"""How somebody becomes a member by mail, and gets back in."""

import msgspec

from cuemark.kit.errors import Refusal


class SignUpClosed(Refusal):
    code = "sign_up_closed"
    status = 403


class CodeSpent(Refusal):
    code = "code_spent"
    status = 410


class TooManyTries(Refusal):
    code = "too_many_tries"
    status = 429


class SignUp(msgspec.Struct, frozen=True, kw_only=True):
    """``client_address`` is the IP address that asks, by which asking is limited; kept nowhere."""

    email: str
    client_address: str = ""


class CompleteSignUp(msgspec.Struct, frozen=True, kw_only=True):
    """``code`` came by mail, so the address is theirs who choose the password now.

    ``device`` and ``client_address`` are as in ``Login``.
    """

    code: str
    password: str
    profile_name: str = ""
    device: str = ""
    client_address: str = ""


class RequestReset(msgspec.Struct, frozen=True, kw_only=True):
    """``client_address`` as in ``SignUp``."""

    email: str
    client_address: str = ""


class RequestLoginLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter with a one-time login link, for whom a password alone does not let in now;
    ``client_address`` as in ``SignUp``."""

    email: str
    client_address: str = ""


class LetterUnderway(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said was written, if there is anybody to say it to: the answer is the same.

    ``delayed``: no letter could be sent when it was tried last, so this one waits.
    """

    delayed: bool = False


class CompleteReset(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    password: str


class Done(msgspec.Struct, frozen=True, kw_only=True):
    pass
