"""What could stand for a title, and which of it an operator chose."""

import asyncio

from litestar import get, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Response

from cuemark.contracts.catalog import ChooseArtwork, GetTitle, NotPublished, Title, TitleInvalid
from cuemark.contracts.encoding.artwork import ArtworkCandidate, DrawTitleCard
from cuemark.contracts.encoding.reports import GetReport
from cuemark.contracts.ids import TitleId
from cuemark.gateway.errors import NotFound
from cuemark.gateway.parts import GatewayParts, Parts
from cuemark.gateway.views import (
    API,
    ArtworkBody,
    ArtworkListView,
    TitleView,
    artwork_list_view,
    title_view,
)

_TITLE = f"{API}/titles/{{title_id:str}}"


@get(f"{_TITLE}/artworks", opt={"access": "operator", "staff": "catalog.read"}, tags=["titles"])
async def list_artworks(title_id: FromPath[str], parts: Parts) -> ArtworkListView:
    """The candidates of the version that plays, the best first."""
    title, candidates = await _candidates(parts, TitleId(title_id))
    return artwork_list_view(title, candidates)


@get(
    f"{_TITLE}/artworks/{{number:str}}",
    opt={"access": "operator", "staff": "catalog.read"},
    media_type="image/jpeg",
    tags=["titles"],
)
async def get_candidate(
    title_id: FromPath[str],
    number: FromPath[str],
    parts: Parts,
    with_name: FromQuery[bool] = False,
) -> Response[bytes]:
    """A candidate's picture; with its title's name on it where ``with_name`` asks for that."""
    title, candidates = await _candidates(parts, TitleId(title_id))
    key = _numbered(candidates, int(number) if number.isdecimal() else 0)
    if with_name:
        key = await _card(parts, key, title.name)
    try:
        jpeg = await asyncio.to_thread(parts.objects.read, key)
    except FileNotFoundError as error:
        raise NotFound("The picture of this candidate is not here.") from error
    headers = {"cache-control": "private, max-age=60"}
    return Response(jpeg, media_type="image/jpeg", headers=headers)


@put(f"{_TITLE}/artwork", opt={"access": "operator", "staff": "catalog.write"}, tags=["titles"])
async def choose_artwork(
    title_id: FromPath[str], data: JSONBody[ArtworkBody], parts: Parts
) -> TitleView:
    """By its number; 0 lets the versions choose again.

    A name that cannot be set in type is refused here, so that nobody chooses what is not shown.
    """
    title, candidates = await _candidates(parts, TitleId(title_id))
    key = _numbered(candidates, data.number) if data.number else ""
    if data.language and data.with_name:
        raise TitleInvalid("A picture for one language has no name set on it: leave out with_name.")
    if data.with_name:
        await _card(parts, key or title.artwork_key, title.name)
    chosen = ChooseArtwork(
        title_id=title.title_id,
        artwork_key=key,
        with_name=data.with_name,
        language=data.language,
    )
    return title_view(await parts.catalog.choose_artwork(chosen))


async def _card(parts: GatewayParts, picture_key: str, name: str) -> str:
    card = DrawTitleCard(picture_key=picture_key, name=name)
    return (await parts.encoding.draw_title_card(card)).picture_key


async def _candidates(
    parts: GatewayParts, title_id: TitleId
) -> tuple[Title, list[ArtworkCandidate]]:
    title = await parts.catalog.get_title(GetTitle(title_id=title_id))
    if title.version_id is None:
        raise NotPublished("This title has no version yet, so there is nothing to choose from.")
    report = await parts.encoding.get_report(GetReport(version_id=title.version_id))
    return title, report.artworks


def _numbered(candidates: list[ArtworkCandidate], number: int) -> str:
    """The key of a candidate's picture; raises ``NotFound`` with what there is."""
    if not candidates:
        raise NotFound("This title's version was made by an older release, which kept no choice.")
    if not 1 <= number <= len(candidates):
        raise NotFound(f"This title has no artwork {number}: choose from 1 to {len(candidates)}.")
    return candidates[number - 1].picture_key
