"""What a function asked to read, found for one event."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from cuemark.contexts.functions.model.header import NEEDS, Reads
from cuemark.contexts.functions.tools.running import Given
from cuemark.contracts.catalog import Catalog, GetTitle, ListTitles, Title
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.reports import GetReport
from cuemark.contracts.encoding.versions import GetVersion
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit.objects import BadKey, Objects
from cuemark.kit.pages import MOST_ROWS

MOST_TITLES = 10_000


class NotGiven(Exception):
    """What a function asked for is not there; the text is one sentence."""


class Giver:
    """Finds for a function what its header asks for, in the contracts and among the objects."""

    def __init__(self, catalog: Catalog, encoding: Encoding, objects: Objects) -> None:
        self._catalog = catalog
        self._encoding = encoding
        self._objects = objects

    async def give(self, reads: Sequence[Reads], body: bytes) -> Given:
        """Raises ``NotGiven``, a ``Refusal``, and ``Unavailable``."""
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        documents: dict[str, bytes] = {}
        paths: dict[str, Path] = {}
        read: Mapping[str, Callable[[str], Awaitable[object]]] = {
            "title": self._title,
            "titles": self._titles,
            "version": self._version,
            "report": self._report,
        }
        for reading in reads:
            named = _named(reading, fields)
            if reading in read:
                documents[reading] = msgspec.json.encode(await read[reading](named))
            else:
                folder = "masters" if reading == "master" else "versions"
                paths[reading] = self._path(f"{folder}/{named}", reading)
        return Given(documents=documents, paths=paths)

    async def _title(self, title_id: str) -> object:
        return await self._catalog.get_title(GetTitle(title_id=TitleId(title_id)))

    async def _titles(self, _: str) -> object:
        """All that are published, the newest first."""
        titles: list[Title] = []
        after = ""
        while len(titles) < MOST_TITLES:
            page = await self._catalog.list_titles(ListTitles(after=after, limit=MOST_ROWS))
            titles += page.titles
            after = page.next_cursor
            if not after:
                break
        return titles[:MOST_TITLES]

    async def _version(self, version_id: str) -> object:
        return await self._encoding.get_version(GetVersion(version_id=VersionId(version_id)))

    async def _report(self, version_id: str) -> object:
        return await self._encoding.get_report(GetReport(version_id=VersionId(version_id)))

    def _path(self, key: str, reading: str) -> Path:
        try:
            path = self._objects.path(key)
        except BadKey as error:
            raise NotGiven(f"the event names no {reading} that there could be") from error
        if not path.exists():
            raise NotGiven(f"the {reading} that it reads is not there: {path}")
        return path


def _named(reading: Reads, fields: Mapping[str, msgspec.Raw]) -> str:
    wanted = NEEDS[reading]
    for name in wanted:
        value = msgspec.json.decode(fields[name]) if name in fields else ""
        if isinstance(value, str) and value:
            return value
    if wanted:
        raise NotGiven(f"it reads {reading!r}, which this event does not name")
    return ""
