"""What is kept of a member, gathered from every context that keeps something."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import msgspec
from litestar import get
from litestar.response import Response

from cuemark.contracts.billing import NotSubscribed
from cuemark.contracts.billing.invoices import ListInvoices
from cuemark.contracts.billing.subscriptions import GetSubscription, Subscription
from cuemark.contracts.fraud import ExplainAccount
from cuemark.contracts.identity.changing import DescribeAccount
from cuemark.contracts.identity.logins import ListLogins
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.contracts.playback import ListOwnPlays
from cuemark.contracts.viewers import ListWatching
from cuemark.contracts.viewers.history import ListHistory
from cuemark.contracts.viewers.lists import ListMyList, ListRatings
from cuemark.gateway.account_views import (
    ExportView,
    KeptView,
    OpinionView,
    ViewingView,
    WatchedView,
)
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.views import API
from cuemark.kit.pages import MOST_ROWS

MOST_PAGES = 50
MOST_EXPORTED = MOST_PAGES * MOST_ROWS
T = TypeVar("T")
PageT = TypeVar("PageT", bound="_Page")


class _Page(Protocol):
    @property
    def next_cursor(self) -> str: ...


@get(f"{API}/account/export", opt={"access": "member"}, tags=["members"])
async def export_account(parts: Parts, request: AnyRequest) -> Response[ExportView]:
    """Where a part of the service is away there is none: with a hole it would look whole."""
    account_id = request.user.account_id
    account = await parts.identity.describe_account(DescribeAccount(account_id=account_id))
    logins = await parts.identity.list_logins(ListLogins(account_id=account_id))
    kept = [await _kept(parts, profile.profile_id) for profile in account.profiles]
    own = partial(ListOwnPlays, account_id=account_id, limit=MOST_ROWS)
    plays, all_plays = await _all(
        lambda after: parts.playback.list_own_plays(own(after=after)), lambda page: page.plays
    )
    subscription = await _subscription(parts, account_id)
    billed = partial(ListInvoices, account_id=account_id, limit=MOST_ROWS)
    invoices, all_invoices = await _all(
        lambda after: parts.billing.list_invoices(billed(after=after)), lambda page: page.invoices
    )
    found = await parts.fraud.explain(ExplainAccount(account_id=account_id, email=account.email))
    export = ExportView(
        service=parts.service_name,
        made_at=parts.clock.now(),
        account=account,
        logins=logins.logins,
        watched=[each for some in kept for each in some.watched],
        viewings=[each for some in kept for each in some.viewings],
        my_list=[each for some in kept for each in some.my_list],
        ratings=[each for some in kept for each in some.ratings],
        plays=plays,
        findings=found.findings,
        places=found.places,
        subscription=subscription,
        invoices=invoices,
        complete=all_plays and all_invoices and all(some.complete for some in kept),
    )
    name = {"content-disposition": 'attachment; filename="account.json"'}
    return Response(export, headers=name)


@dataclass(frozen=True)
class _Kept:
    """What viewers keeps of a profile. ``complete``: that is all."""

    watched: list[WatchedView]
    viewings: list[ViewingView]
    my_list: list[KeptView]
    ratings: list[OpinionView]
    complete: bool


async def _kept(parts: GatewayParts, profile_id: ProfileId) -> _Kept:
    viewers = parts.viewers
    watching = partial(ListWatching, profile_id=profile_id, limit=MOST_ROWS, ended=True)
    viewing = partial(ListHistory, profile_id=profile_id, limit=MOST_ROWS)
    listed = partial(ListMyList, profile_id=profile_id, limit=MOST_ROWS)
    rated = partial(ListRatings, profile_id=profile_id, limit=MOST_ROWS)
    watched = await _pages(lambda after: viewers.list_watching(watching(after=after)))
    history = await _pages(lambda after: viewers.list_history(viewing(after=after)))
    my_list = await _pages(lambda after: viewers.list_my_list(listed(after=after)))
    ratings = await _pages(lambda after: viewers.list_ratings(rated(after=after)))
    return _Kept(
        watched=_of(profile_id, WatchedView, (row for page in watched for row in page.titles)),
        viewings=_of(profile_id, ViewingView, (row for page in history for row in page.viewings)),
        my_list=_of(profile_id, KeptView, (row for page in my_list for row in page.works)),
        ratings=_of(profile_id, OpinionView, (row for page in ratings for row in page.works)),
        complete=not any(pages[-1].next_cursor for pages in (watched, history, my_list, ratings)),
    )


async def _pages(ask: Callable[[str], Awaitable[PageT]]) -> list[PageT]:
    """The first ``MOST_PAGES`` pages of a list; the last has a cursor where there are more."""
    pages = [await ask("")]
    while pages[-1].next_cursor and len(pages) < MOST_PAGES:
        pages.append(await ask(pages[-1].next_cursor))
    return pages


def _of(profile_id: ProfileId, view: type[T], rows: Iterable[msgspec.Struct]) -> list[T]:
    """Rows of a profile as the file has them."""
    whose = {"profile_id": profile_id}
    return [msgspec.convert(whose | msgspec.structs.asdict(row), view) for row in rows]


async def _all(
    ask: Callable[[str], Awaitable[PageT]], rows: Callable[[PageT], Iterable[T]]
) -> tuple[list[T], bool]:
    """The rows of the pages of a list, and whether these are all."""
    pages = await _pages(ask)
    return [row for page in pages for row in rows(page)], not pages[-1].next_cursor


async def _subscription(parts: GatewayParts, account_id: AccountId) -> Subscription | None:
    try:
        return await parts.billing.get_subscription(GetSubscription(account_id=account_id))
    except NotSubscribed:
        return None
