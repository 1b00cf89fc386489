"""The table ``[payments]`` of the settings: who charges members, and the keys for that."""

from pathlib import Path
from typing import Literal

import msgspec

from cuemark.kit.errors import OperatorError

ProviderName = Literal["sandbox", "debit", "stripe"]
MAX_KEY_BYTES = 4096
MOST_LINES, LONGEST_LINE = 10, 100


class PaymentKeyUnreadable(OperatorError):
    """A file with a key of the payment provider is not there, or holds something else."""


class Payments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``provider`` charges members once ``billing`` is on: the ``sandbox`` by cards of tests or by
    ``debit`` from accounts of tests, or ``stripe``. Of Stripe, ``key_file`` and
    ``webhook_secret_file`` are relative to the data folder, and ``publishable_key`` is what
    members' browsers show to it. ``seller`` says on invoices who sells, in up to ``MOST_LINES``
    lines of ``LONGEST_LINE`` characters at most."""

    provider: ProviderName = "sandbox"
    key_file: str = "secrets/stripe_key"
    webhook_secret_file: str = "secrets/stripe_webhook_secret"
    publishable_key: str = ""
    seller: tuple[str, ...] = ()


def complaint_about_payments(payments: Payments) -> str:
    """What is wrong with the table, as the end of a sentence; empty where nothing is."""
    if payments.provider == "stripe" and not payments.publishable_key.startswith("pk_"):
        return "`payments.publishable_key` is what Stripe shows beside the secret key: pk_..."
    for line in payments.seller:
        if not line.strip() or len(line) > LONGEST_LINE or not line.isprintable():
            return f"`payments.seller` has {line!r}: write lines of 1 to {LONGEST_LINE} characters"
    if len(payments.seller) > MOST_LINES:
        return f"`payments.seller` has {len(payments.seller)} lines: write {MOST_LINES} at most"
    return ""


def stripe_keys(root: Path, payments: Payments) -> tuple[str, str]:
    """The secret key and what signs webhooks, from the files in a data folder; raises
    ``PaymentKeyUnreadable``."""
    return (
        _key_in(root / payments.key_file, "payments.key_file", ("sk_", "rk_")),
        _key_in(root / payments.webhook_secret_file, "payments.webhook_secret_file", ("whsec_",)),
    )


def _key_in(path: Path, setting: str, starts: tuple[str, ...]) -> str:
    try:
        with path.open("rb") as file:
            key = file.read(MAX_KEY_BYTES).decode("ascii").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise PaymentKeyUnreadable(
            f"`{setting}`: {path} cannot be read ({why}): write the key into it"
        ) from error
    if not key.startswith(starts) or not key.replace("_", "").isalnum():
        raise PaymentKeyUnreadable(
            f"`{setting}`: {path} must hold the key alone, which begins with {starts[0]}"
        )
    return key
