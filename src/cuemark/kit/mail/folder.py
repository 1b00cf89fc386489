"""Letters into a folder, one ``.eml`` file each: for trying out, and where there is no SMTP."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from cuemark.kit.mail.letter import Envelope, From, message
from cuemark.kit.mail.sender import Outcome, WayClosed
from cuemark.kit.objects import make_folder, write_private

MOST_FILES = 1000


class FolderWay:
    """Keeps the latest ``MOST_FILES`` letters. A letter that is sent twice is one file."""

    def __init__(self, folder: Path, sender: From) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, envelopes: list[Envelope]) -> Mapping[str, Outcome]:
        try:
            await asyncio.to_thread(self._write, envelopes)
        except OSError as error:
            raise WayClosed(f"{self._folder} cannot be written: {error.strerror}") from error
        return {envelope.letter_id: Outcome.SENT for envelope in envelopes}

    def _write(self, envelopes: list[Envelope]) -> None:
        make_folder(self._folder, 0o700)
        for envelope in envelopes:
            path = self._folder / f"{envelope.letter_id}.eml"
            write_private(path, message(envelope, self._sender).as_bytes())
        for surplus in sorted(self._folder.glob("*.eml"))[:-MOST_FILES]:
            os.unlink(surplus)
