"""What is kept of a member, gathered from every context that keeps something."""

from litestar import get
from litestar.response import Response

from cuemark.contracts.fraud import ExplainAccount
from cuemark.contracts.identity.changing import DescribeAccount
from cuemark.contracts.identity.logins import ListLogins
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.contracts.playback import ListOwnPlays, OwnPlay
from cuemark.contracts.viewers import ListWatching
from cuemark.gateway.account_views import ExportView, WatchedView
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.views import API
from cuemark.kit.pages import MOST_ROWS

MOST_PAGES = 50
MOST_EXPORTED = MOST_PAGES * MOST_ROWS


@get(f"{API}/account/export", opt={"access": "member"}, tags=["members"])
async def export_account(parts: Parts, request: AnyRequest) -> Response[ExportView]:
    """Where a part of the service is away there is none: with a hole it would look whole."""
    account_id = request.user.account_id
    account = await parts.identity.describe_account(DescribeAccount(account_id=account_id))
    logins = await parts.identity.list_logins(ListLogins(account_id=account_id))
    watched: list[WatchedView] = []
    complete = True
    for profile in account.profiles:
        seen, all_of_it = await _watched(parts, profile.profile_id)
        watched += seen
        complete = complete and all_of_it
    plays, all_of_them = await _plays(parts, account_id)
    found = await parts.fraud.explain(ExplainAccount(account_id=account_id, email=account.email))
    export = ExportView(
        service=parts.service_name,
        made_at=parts.clock.now(),
        account=account,
        logins=logins.logins,
        watched=watched,
        plays=plays,
        findings=found.findings,
        places=found.places,
        complete=complete and all_of_them,
    )
    name = {"content-disposition": 'attachment; filename="account.json"'}
    return Response(export, headers=name)


async def _watched(parts: GatewayParts, profile_id: ProfileId) -> tuple[list[WatchedView], bool]:
    """What a profile watched, and whether that is all."""
    watched: list[WatchedView] = []
    after = ""
    for _ in range(MOST_PAGES):
        page = await parts.viewers.list_watching(
            ListWatching(profile_id=profile_id, after=after, limit=MOST_ROWS, ended=True)
        )
        watched += [
            WatchedView(
                profile_id=profile_id,
                title_id=each.title_id,
                position_s=each.position_s,
                duration_s=each.duration_s,
                watched_at=each.watched_at,
            )
            for each in page.titles
        ]
        after = page.next_cursor
        if not after:
            return watched, True
    return watched, False


async def _plays(parts: GatewayParts, account_id: AccountId) -> tuple[list[OwnPlay], bool]:
    """The plays of an account, and whether these are all."""
    plays: list[OwnPlay] = []
    after = ""
    for _ in range(MOST_PAGES):
        page = await parts.playback.list_own_plays(
            ListOwnPlays(account_id=account_id, after=after, limit=MOST_ROWS)
        )
        plays += page.plays
        after = page.next_cursor
        if not after:
            return plays, True
    return plays, False
