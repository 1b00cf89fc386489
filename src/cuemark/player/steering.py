"""Content Steering: the service says while a play runs where it shall fetch from.

One JSON for both formats (draft-pantos-hls-rfc8216bis section 7, ETSI TS 103 998). A player goes on
with what it has where no answer comes, and asks again after the TTL of the last one.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import msgspec

from cuemark.kit.errors import UNREADABLE
from cuemark.player.appliances import Appliances
from cuemark.player.download import Downloader, DownloadFailed
from cuemark.player.errors import ManifestInvalid
from cuemark.player.manifest import MAX_LOCATIONS, name_of, steering_address

FIRST_TTL_S = 300.0
"""What rfc8216bis has a player wait where no answer has named another TTL."""

SHORTEST_TTL_S, LONGEST_TTL_S = 1.0, 3600.0
MAX_ANSWER_BYTES = 65_536
_GONE = 410


class Guidance(msgspec.Struct, frozen=True):
    """An answer, read: the appliances to use, the best first, and when and where to ask again."""

    priority: tuple[str, ...]
    ttl_s: float
    url: str


class _Answer(msgspec.Struct, frozen=True):
    version: Literal[1] = msgspec.field(name="VERSION")
    priority: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_LOCATIONS)] = (
        msgspec.field(name="PATHWAY-PRIORITY")
    )
    ttl_s: float = msgspec.field(name="TTL", default=FIRST_TTL_S)
    reload_uri: str = msgspec.field(name="RELOAD-URI", default="")


def parse(body: bytes, asked: str) -> Guidance:
    """The answer that ``asked`` gave; raises ``ManifestInvalid``."""
    if len(body) > MAX_ANSWER_BYTES:
        raise ManifestInvalid("the steering answer is larger than any of ours")
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        url = urljoin(asked, answer.reload_uri)
    except (*UNREADABLE, ValueError) as error:
        raise ManifestInvalid("the steering answer is not one that a player reads") from error
    return Guidance(
        priority=tuple(name_of(each) for each in answer.priority),
        ttl_s=min(LONGEST_TTL_S, max(SHORTEST_TTL_S, answer.ttl_s)),
        url=steering_address(url),
    )


def asked_of(url: str, form: Literal["dash", "hls"], pathway: str, kbps: float | None) -> str:
    """``url`` with what a player says of itself: the appliance in use and its throughput."""
    prefix = f"_{form.upper()}_"
    parts = urlsplit(url)
    said = [pair for pair in parse_qsl(parts.query) if not pair[0].startswith(prefix)]
    if pathway:
        said.append((f"{prefix}pathway", pathway))
    if kbps is not None:
        said.append((f"{prefix}throughput", str(round(kbps * 1000))))
    return parts._replace(query=urlencode(said)).geturl()


class Steersman:
    """Asks for as long as a play runs, and tells its appliances. ``answers`` counts what came."""

    def __init__(
        self, appliances: Appliances, downloader: Downloader, form: Literal["dash", "hls"]
    ) -> None:
        self._appliances = appliances
        self._downloader = downloader
        self._form = form
        self.answers = 0

    async def follow(
        self, url: str, in_use: Callable[[], str], throughput_kbps: Callable[[], float | None]
    ) -> None:
        """Until cancelled, or until the service says that it steers this play no more."""
        ttl_s = FIRST_TTL_S
        while url:
            asked = asked_of(url, self._form, in_use(), throughput_kbps())
            try:
                guidance = parse((await self._downloader.fetch(asked)).body, asked)
            except DownloadFailed as failure:
                if failure.status == _GONE:
                    return
            except ManifestInvalid:
                pass
            else:
                self.answers += 1
                self._appliances.steer(guidance.priority)
                ttl_s, url = guidance.ttl_s, guidance.url
            await asyncio.sleep(ttl_s)
