"""The table ``[mail]`` of the settings: from whom letters come, and the way they go."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from cuemark.app.folder import DataFolder
from cuemark.kit.errors import OperatorError

if TYPE_CHECKING:
    from cuemark.kit.mail.sender import Way

Security = Literal["tls", "starttls", "none"]
PORTS = {"tls": 465, "starttls": 587, "none": 25}
MAX_PASSWORD_BYTES = 4096

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,9}"
)
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,9}")
_LOOPBACK = ("localhost", "127.0.0.1")


class MailPasswordUnreadable(OperatorError):
    """The file with the password of the SMTP server is not there, or holds something else."""


class Mail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``sender`` (``from`` in the file) is the address that letters come from. Without a ``host``
    they go into the folder ``mail`` of the data folder. ``port`` 0 is the usual one of
    ``security``; ``password_file`` is relative to the data folder."""

    sender: str = msgspec.field(name="from", default="cuemark@localhost")
    host: str = ""
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    security: Security = "starttls"
    user: str = ""
    password_file: str = ""


def complaint_about_mail(mail: Mail) -> str:
    """What is wrong with the table, as the end of a sentence; empty where nothing is."""
    if not _ADDRESS.fullmatch(mail.sender):
        return f"`mail.from` is {mail.sender!r}: write a mail address such as films@films.example"
    if not mail.host:
        return ""
    if not _HOST.fullmatch(mail.host):
        return f"`mail.host` is {mail.host!r}: write a name or an IPv4 address"
    if bool(mail.user) != bool(mail.password_file):
        return "`mail.user` and `mail.password_file` belong together: write both, or none"
    if mail.user and mail.security == "none" and mail.host not in _LOOPBACK:
        return "`mail.security` is none: a password is sent by tls or starttls only"
    return ""


def password_in(root: Path, mail: Mail) -> str:
    """The password of the SMTP server, empty where none is named."""
    if not mail.password_file:
        return ""
    path = root / mail.password_file
    try:
        with path.open("rb") as file:
            password = file.read(MAX_PASSWORD_BYTES).decode().strip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise MailPasswordUnreadable(
            f"`mail.password_file`: {path} cannot be read ({why}): write the password into it"
        ) from error
    if not password or any(ord(character) < 0x20 for character in password):
        raise MailPasswordUnreadable(
            f"`mail.password_file`: {path} must hold the password alone, on one line"
        )
    return password


def way_of(folder: DataFolder, mail: Mail, service_name: str) -> "Way":
    """How letters leave this install; raises ``MailPasswordUnreadable``."""
    from cuemark.kit.mail.folder import FolderWay
    from cuemark.kit.mail.letter import From

    sender = From(service_name, mail.sender)
    if not mail.host:
        return FolderWay(folder.mail, sender)
    from cuemark.kit.mail.smtp import SmtpServer, SmtpWay

    password = password_in(folder.root, mail)
    port = mail.port or PORTS[mail.security]
    return SmtpWay(SmtpServer(mail.host, port, mail.security, mail.user, password), sender)
