"""What is written to members. Codes stand in the fragment of a link: no server's log has them."""

from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from cuemark.contracts.identity.factors import FactorKind
from cuemark.kit.mail.letter import Letter, Link, letter

SIGN_UP_LASTS = timedelta(hours=24)
RESET_LASTS = timedelta(minutes=30)
LOGIN_LASTS = timedelta(minutes=30)
CHANGE_LASTS = timedelta(hours=24)
RESTORE_LASTS = timedelta(days=7)
GRACE = timedelta(days=14)
NOTICE_LASTS = timedelta(days=3)
"""How long a letter that only tells something is worth sending."""

_NOT_YOU = "If you did not ask for this, you need do nothing: without this link nothing happens."


class Service(NamedTuple):
    """In whose name letters are written, and where their links lead."""

    name: str
    base_url: str

    def link(self, label: str, path: str, code: str = "") -> Link:
        fragment = f"#code={quote(code, safe='')}" if code else ""
        return Link(label, f"{self.base_url.rstrip('/')}{path}{fragment}")

    def letter(
        self, to: str, subject: str, *paragraphs: str, link: Link | None = None, after: str = ""
    ) -> Letter:
        return letter(
            to=to,
            subject=f"{self.name}: {subject}",
            greeting="Hello,",
            paragraphs=paragraphs,
            link=link,
            after=[after] if after else [],
            signed=self.name,
        )


def welcome(service: Service, email: str, code: str) -> Letter:
    return service.letter(
        email,
        "confirm your mail address",
        f"with this link you choose a password for {service.name}. It is good for 24 hours, once.",
        link=service.link("Choose a password", "/join", code),
        after=_NOT_YOU,
    )


def known_already(service: Service, email: str) -> Letter:
    """To somebody who signs up anew: only who reads the address's mail learns of the account."""
    return service.letter(
        email,
        "you have an account",
        "somebody, perhaps you, wanted to sign up with this address. It has an account already. "
        "Log in there; if you do not know the password any more, ask for a new one.",
        link=service.link("Log in", "/login"),
    )


def reset(service: Service, email: str, code: str) -> Letter:
    return service.letter(
        email,
        "choose a new password",
        "with this link you choose a new password. It is good for 30 minutes, once. Every device "
        "is logged out then.",
        link=service.link("Choose a new password", "/reset", code),
        after=_NOT_YOU,
    )


def login(service: Service, email: str, code: str) -> Letter:
    return service.letter(
        email,
        "your login link",
        "with this link you log in. It is good for 30 minutes, once.",
        link=service.link("Log in", "/login", code),
        after=_NOT_YOU,
    )


def password_changed(service: Service, email: str) -> Letter:
    return service.letter(
        email,
        "your password was changed",
        "the password of your account was changed, and other devices were logged out.",
        "If that was not you, ask for a new password at once.",
        link=service.link("Ask for a new password", "/forgot"),
    )


def confirm_change(service: Service, email: str, code: str) -> Letter:
    return service.letter(
        email,
        "confirm your new mail address",
        "with this link this address becomes that of your account. It is good for 24 hours, once.",
        link=service.link("Use this address", "/email", code),
        after=_NOT_YOU,
    )


def address_taken(service: Service, email: str) -> Letter:
    return service.letter(
        email,
        "this address has an account",
        "somebody wanted to use this address for another account. It has an account already, so "
        "nothing was changed.",
    )


def email_changed(service: Service, old: str, new: str, code: str) -> Letter:
    return service.letter(
        old,
        "your mail address was changed",
        f"the mail address of your account is {new} from now on, and no longer this one.",
        "If that was not you, take it back with this link within 7 days. Every device is logged "
        "out then, and you choose a new password.",
        link=service.link("Take it back", "/email-back", code),
    )


def deletion_set(service: Service, email: str, erased_at: datetime) -> Letter:
    return service.letter(
        email,
        "your account will be deleted",
        f"your account will be deleted on {erased_at:%d %B %Y}, with all that we keep of you.",
        "To keep it, log in before that day.",
        link=service.link("Log in", "/login"),
    )


def deletion_undone(service: Service, email: str) -> Letter:
    return service.letter(
        email,
        "your account is kept",
        "somebody logged in to your account, so it will not be deleted.",
        "If that was not you, ask for a new password at once.",
        link=service.link("Ask for a new password", "/forgot"),
    )


_TAKEN_OVER = (
    "If that was not you, choose a new password at once, and write to whoever runs this service."
)
_FACTORS: dict[FactorKind, str] = {
    "totp": "an authenticator app",
    "recovery": "new recovery codes",
    "passkey": "a passkey",
}


def factor_added(service: Service, email: str, kind: FactorKind, name: str = "") -> Letter:
    return _protection(service, email, f"your account has {_named(kind, name)} from now on.")


def factor_removed(service: Service, email: str, kind: FactorKind, name: str = "") -> Letter:
    return _protection(service, email, f"{_named(kind, name)} was taken off your account.")


def _named(kind: FactorKind, name: str) -> str:
    return f"{_FACTORS[kind]} ({name})" if name else _FACTORS[kind]


def _protection(service: Service, email: str, changed: str) -> Letter:
    return service.letter(
        email,
        "the protection of your account was changed",
        changed,
        _TAKEN_OVER,
        link=service.link("See your account", "/account"),
    )


def factors_reset(service: Service, email: str) -> Letter:
    return service.letter(
        email,
        "the second step of your login was taken off",
        "whoever runs this service has taken authenticator app, passkeys and recovery codes off "
        "your account, and logged out every device. You log in with your password alone.",
        "If you did not ask for that, write to them at once.",
        link=service.link("Log in", "/login"),
    )


def recovery_code_used(service: Service, email: str, left: int) -> Letter:
    return service.letter(
        email,
        "a recovery code was used",
        f"somebody has used a recovery code of your account. {left} are left.",
        "If that was not you, choose a new password at once.",
        link=service.link("See your account", "/account"),
    )


def codes_guessed(service: Service, email: str) -> Letter:
    """To somebody whose password a stranger has: the code alone stands between."""
    return service.letter(
        email,
        "somebody tries codes of your account",
        "somebody tries codes of your authenticator app, many times, and they are wrong. If "
        "that is not you, they may know your password: choose a new one.",
        "Codes of the app wait for a while. A passkey or a recovery code lets you in meanwhile.",
        link=service.link("Ask for a new password", "/forgot"),
    )


def passkey_suspect(service: Service, email: str, name: str) -> Letter:
    return service.letter(
        email,
        "a passkey may have been copied",
        f"a login by your passkey ({name}) was refused: its counter went back, as that of a copy "
        "would. If you know no reason, remove the passkey and make another.",
        link=service.link("See your account", "/account"),
    )
