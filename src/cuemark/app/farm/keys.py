"""What workers on other hosts show: made of a secret, and of all that they must agree on with us.

So a ticket is void as soon as an upgrade or a setting changes what a worker makes of a film, and a
worker of yesterday cannot spoil the titles of today.
"""

import hashlib
import hmac

import msgspec

from cuemark.app import folder_format
from cuemark.app.system import Install
from cuemark.contracts.encoding.validation import PolicyChanges
from cuemark.contracts.protection import Scheme

SECRET = "farm"


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker must know to make the same of a film as any other worker."""

    pipeline: str
    thumbnails: bool
    scheme: Scheme
    validation: PolicyChanges


def work_of(install: Install) -> Work:
    settings = install.settings
    return Work(
        pipeline=folder_format.read(install.folder).pipeline,
        thumbnails=settings.thumbnails,
        scheme=settings.protection.scheme,
        validation=settings.validation,
    )


def farm_key(install: Install) -> bytes:
    """With what workers on other hosts sign their passports; 32 bytes."""
    return _derived(install, "passport")


def database_password(install: Install) -> str:
    """With what they log in to the database."""
    return _derived(install, "database").hex()


def _derived(install: Install, use: str) -> bytes:
    made_of = msgspec.json.encode([use, work_of(install)], order="sorted")
    return hmac.new(install.folder.secret(SECRET), made_of, hashlib.sha256).digest()
