"""Where an install keeps its master keys, as its settings say."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class MasterKeysIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where new master keys are made; those in the other place still open what they wrapped.

    ``library`` is the PKCS#11 library of a security module, ``token`` the label of the token in it
    which is this install's alone, and ``pin_file`` has its user's PIN, from the data folder.
    """

    kept: Literal["files", "module"] = "files"
    library: str = ""
    token: Annotated[str, Meta(max_length=32)] = ""
    pin_file: str = ""


def complaint_about_master_keys(settings: MasterKeysIn) -> str:
    """What is wrong with these settings; empty where nothing is."""
    told = {"library": settings.library, "token": settings.token, "pin_file": settings.pin_file}
    missing = [name for name, text in told.items() if not text]
    if missing and (settings.kept == "module" or len(missing) < len(told)):
        return f"`master_keys` has no `{missing[0]}`: a module has library, token and pin_file"
    return ""
