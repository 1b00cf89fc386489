"""What every caller of licensing may rely on."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from cuemark.contexts.licensing import wiring
from cuemark.contracts.ids import AccountId, PlaySessionId, TitleId, VersionId
from cuemark.contracts.licensing import (
    CloseLicences,
    ContentKey,
    GetLicence,
    Licence,
    LicenceInvalid,
    LicenceRefused,
    Licensing,
    ListKeyIds,
    OpenLicences,
    ProvisionKeys,
)
from cuemark.contracts.protection import Robustness
from cuemark.contracts.rights import Decision
from cuemark.kit.clock import ManualClock
from cuemark.kit.pages import PageInvalid, cursor_of
from tests.contract.conftest import Reach
from tests.databases import opened
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary, denied
from tests.vaults import vault_of

OWNER = AccountId("acc_owner")
SESSION = PlaySessionId("play_" + "0" * 26)
FILM = VersionId("ver_film")
TITLE = TitleId("ttl_film")
LABELS = ["AUDIO", "SD", "HD"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def notary(clock: ManualClock) -> Notary:
    return Notary(clock)


@pytest.fixture
def films(clock: ManualClock) -> Films:
    return Films(clock)


@pytest.fixture
async def licensing(
    reach: Reach, database_url: str, clock: ManualClock, notary: Notary, films: Films
) -> AsyncIterator[Licensing]:
    async with opened(database_url, wiring) as database:
        room = wiring.build(
            database=database,
            clock=clock,
            rights=notary,
            catalog=films,
            vault=vault_of(bytes(range(32))),
            demands={"UHD1": "hardware", "UHD2": "hardware"},
        )
        yield await reach(Licensing, room.service)


async def kids_of(licensing: Licensing, version_id: VersionId = FILM) -> dict[str, str]:
    """Kid to key of a version."""
    made = await licensing.provision_keys(ProvisionKeys(version_id=version_id, labels=LABELS))
    return {key.kid: key.key for key in made.keys}


async def open_session(
    licensing: Licensing, clock: ManualClock, account_id: AccountId = OWNER, ttl_s: float = 60
) -> None:
    await licensing.open_licences(
        OpenLicences(
            session_id=SESSION,
            account_id=account_id,
            version_id=FILM,
            expires_at=clock.now() + timedelta(seconds=ttl_s),
        )
    )


async def ask(
    licensing: Licensing,
    kids: list[str],
    account_id: AccountId = OWNER,
    session_id: str = SESSION,
) -> Licence:
    return await licensing.get_licence(
        GetLicence(session_id=PlaySessionId(session_id), account_id=account_id, kids=kids)
    )


async def test_a_session_has_licences_for_the_login_that_it_began_with_and_for_no_other(
    licensing: Licensing, clock: ManualClock
) -> None:
    kids = [*await kids_of(licensing)]
    opened = OpenLicences(
        session_id=SESSION,
        account_id=OWNER,
        version_id=FILM,
        expires_at=clock.now() + timedelta(seconds=60),
        login_id="log_tv",
    )
    await licensing.open_licences(opened)
    asked = GetLicence(session_id=SESSION, account_id=OWNER, kids=kids, login_id="log_tv")
    assert len((await licensing.get_licence(asked)).keys) == 3
    for other in ("log_phone", ""):
        with pytest.raises(LicenceRefused, match="another device"):
            await licensing.get_licence(msgspec.structs.replace(asked, login_id=other))
    await licensing.open_licences(msgspec.structs.replace(opened, login_id="log_phone"))
    with pytest.raises(LicenceRefused, match="another device"):
        await licensing.get_licence(msgspec.structs.replace(asked, login_id="log_phone"))


async def test_asking_again_gives_the_same_keys(licensing: Licensing) -> None:
    first = await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=LABELS))
    again = await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=LABELS[::-1]))
    assert again == first
    assert sorted(key.label for key in first.keys) == sorted(LABELS)
    assert len({part for key in first.keys for part in (key.kid, key.key, key.iv)}) == 9


async def test_a_label_added_later_leaves_the_others_as_they_were(licensing: Licensing) -> None:
    sd = await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["SD"]))
    both = await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["HD", "SD"]))
    assert sd.keys[0] in both.keys
    assert [key.label for key in sd.keys] == ["SD"]


async def test_versions_share_no_key(licensing: Licensing) -> None:
    film, other = await kids_of(licensing), await kids_of(licensing, VersionId("ver_other"))
    assert not film.keys() & other.keys()
    assert not set(film.values()) & set(other.values())


async def test_a_session_gets_the_keys_that_it_asks_for(
    licensing: Licensing, clock: ManualClock
) -> None:
    keys = await kids_of(licensing)
    await open_session(licensing, clock)
    for kid, key in keys.items():
        licence = await ask(licensing, [kid.upper()])
        assert [(found.kid, found.key) for found in licence.keys] == [(kid, key)]
        assert licence.expires_at == clock.now() + timedelta(seconds=60)
    assert len((await ask(licensing, list(keys))).keys) == 3


async def test_another_account_is_refused_as_if_there_were_no_session(
    licensing: Licensing, clock: ManualClock
) -> None:
    kids = list(await kids_of(licensing))
    await open_session(licensing, clock)
    said = []
    for session_id, account_id in (
        (SESSION, AccountId("acc_thief")),
        ("play_" + "1" * 26, OWNER),
        ("'; drop table licensing.session; --", OWNER),
        ("play_\0", OWNER),
    ):
        with pytest.raises(LicenceRefused) as refused:
            await ask(licensing, kids, account_id, session_id)
        said.append(refused.value.message)
    assert len(set(said)) == 1
    assert await ask(licensing, kids)


async def test_a_key_of_another_version_is_refused(
    licensing: Licensing, clock: ManualClock
) -> None:
    mine, other = (
        list(await kids_of(licensing)),
        list(await kids_of(licensing, VersionId("ver_b"))),
    )
    await open_session(licensing, clock)
    for kids in (other, [mine[0], other[0]], ["0" * 32]):
        with pytest.raises(LicenceRefused):
            await ask(licensing, kids)


async def test_licences_end_with_their_time(licensing: Licensing, clock: ManualClock) -> None:
    kids = list(await kids_of(licensing))
    await open_session(licensing, clock, ttl_s=60)
    clock.advance(59.9)
    assert await ask(licensing, kids)
    clock.advance(0.1)
    with pytest.raises(LicenceRefused, match="ran out"):
        await ask(licensing, kids)


async def test_a_closed_session_gets_none_and_stays_closed(
    licensing: Licensing, clock: ManualClock
) -> None:
    kids = list(await kids_of(licensing))
    await open_session(licensing, clock)
    for _ in range(2):
        await licensing.close_licences(CloseLicences(session_id=SESSION))
    with pytest.raises(LicenceRefused, match="has ended"):
        await ask(licensing, kids)
    with pytest.raises(LicenceRefused):
        await open_session(licensing, clock)


async def test_opening_again_moves_the_end_but_not_the_owner(
    licensing: Licensing, clock: ManualClock
) -> None:
    kids = list(await kids_of(licensing))
    await open_session(licensing, clock, ttl_s=10)
    await open_session(licensing, clock, ttl_s=100)
    assert (await ask(licensing, kids)).expires_at == clock.now() + timedelta(seconds=100)
    with pytest.raises(LicenceRefused):
        await open_session(licensing, clock, AccountId("acc_thief"))


async def test_a_request_that_cannot_be_read_is_invalid(
    licensing: Licensing, clock: ManualClock
) -> None:
    await open_session(licensing, clock)
    for kids in ([], ["zz"], ["0" * 31]):
        with pytest.raises(LicenceInvalid):
            await ask(licensing, kids)
    with pytest.raises(LicenceInvalid):
        await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["../SD"]))


async def test_closing_an_unknown_session_is_no_error(licensing: Licensing) -> None:
    assert await licensing.close_licences(CloseLicences(session_id=PlaySessionId("play_none")))


async def keys_of_periods(licensing: Licensing, periods: int) -> dict[tuple[str, int], ContentKey]:
    made = await licensing.provision_keys(
        ProvisionKeys(version_id=FILM, labels=LABELS, periods=periods)
    )
    return {(key.label, key.period): key for key in made.keys}


async def test_every_period_has_keys_of_its_own_that_more_periods_leave_alone(
    licensing: Licensing,
) -> None:
    first = await keys_of_periods(licensing, 1)
    three = await keys_of_periods(licensing, 3)
    assert len(three) == 9
    assert len({part for key in three.values() for part in (key.kid, key.key, key.iv)}) == 27
    assert {place: three[place] for place in first} == first
    assert await keys_of_periods(licensing, 1) == first


async def test_a_licence_has_the_keys_asked_for_and_those_of_the_next_period_alone(
    licensing: Licensing, clock: ManualClock
) -> None:
    keys = await keys_of_periods(licensing, 4)
    await open_session(licensing, clock)
    wanted = [keys["SD", 1].kid, keys["AUDIO", 1].kid]
    licence = await ask(licensing, wanted)
    assert [key.kid for key in licence.keys][:2] == wanted
    ahead = {keys["SD", 2].kid, keys["AUDIO", 2].kid}
    assert {key.kid for key in licence.keys[2:]} == ahead
    (last,) = (await ask(licensing, [keys["HD", 3].kid])).keys
    assert last.key == keys["HD", 3].key


async def test_no_licence_grows_past_the_most_keys_by_what_it_has_ahead(
    licensing: Licensing, clock: ManualClock
) -> None:
    keys = await keys_of_periods(licensing, 12)
    await open_session(licensing, clock)
    wanted = [keys[label, period].kid for label in LABELS for period in range(10)]
    assert len((await ask(licensing, wanted)).keys) == 32


async def test_key_ids_come_in_pages_by_period_and_label_without_a_key(
    licensing: Licensing,
) -> None:
    asked = ProvisionKeys(version_id=FILM, labels=LABELS, periods=3)
    made = (await licensing.provision_keys(asked)).keys
    await kids_of(licensing, VersionId("ver_other"))
    told, after = [], ""
    for _ in range(5):
        page = await licensing.list_key_ids(ListKeyIds(version_id=FILM, after=after, limit=2))
        told += [(each.period, each.label, each.kid) for each in page.keys]
        after = page.next_cursor
    assert after == ""
    assert told == sorted((key.period, key.label, key.kid) for key in made)
    unknown = await licensing.list_key_ids(ListKeyIds(version_id=VersionId("ver_none")))
    assert (unknown.keys, unknown.next_cursor) == ([], "")


async def test_a_page_of_key_ids_that_cannot_be_is_refused(licensing: Licensing) -> None:
    for after in ("x", cursor_of("1"), cursor_of("one", "SD"), cursor_of("-1", "SD"), "9" * 500):
        with pytest.raises(PageInvalid):
            await licensing.list_key_ids(ListKeyIds(version_id=FILM, after=after))
    for period in ("9" * 10, "\u0661", "1\0"):
        with pytest.raises(PageInvalid):
            await licensing.list_key_ids(ListKeyIds(version_id=FILM, after=cursor_of(period, "SD")))
    for limit in (0, 201):
        with pytest.raises(PageInvalid):
            await licensing.list_key_ids(ListKeyIds(version_id=FILM, limit=limit))


@pytest.mark.parametrize("periods", [0, -1, 2049])
async def test_periods_that_no_film_has_are_refused(licensing: Licensing, periods: int) -> None:
    with pytest.raises(LicenceInvalid, match="1 to 2048 crypto periods"):
        await keys_of_periods(licensing, periods)


@pytest.mark.parametrize("said", ["software", "hardware"])
async def test_a_key_in_the_clear_is_no_key_of_a_label_that_demands_hardware(
    licensing: Licensing, clock: ManualClock, said: Robustness
) -> None:
    """Whatever a client says of itself, and though it has guessed the key's id."""
    made = await licensing.provision_keys(
        ProvisionKeys(version_id=FILM, labels=["HD", "UHD1"], periods=2)
    )
    keys = {(key.label, key.period): key for key in made.keys}
    await licensing.open_licences(
        OpenLicences(
            session_id=SESSION,
            account_id=OWNER,
            version_id=FILM,
            expires_at=clock.now() + timedelta(seconds=60),
            robustness=said,
        )
    )
    for wanted in (["UHD1"], ["HD", "UHD1"]):
        with pytest.raises(LicenceRefused, match="only devices with better protection"):
            await ask(licensing, [keys[label, 0].kid for label in wanted])
    licence = await ask(licensing, [keys["HD", 0].kid])
    assert {key.kid for key in licence.keys} == {keys["HD", 0].kid, keys["HD", 1].kid}


async def open_titled(licensing: Licensing, clock: ManualClock) -> None:
    await licensing.open_licences(
        OpenLicences(
            session_id=SESSION,
            account_id=OWNER,
            version_id=FILM,
            expires_at=clock.now() + timedelta(seconds=60),
            title_id=TITLE,
            territory="DE",
        )
    )


async def test_a_session_whose_title_has_no_right_any_more_has_no_licence(
    licensing: Licensing, clock: ManualClock, notary: Notary
) -> None:
    (kid, *_) = await kids_of(licensing)
    await open_titled(licensing, clock)
    assert (await ask(licensing, [kid])).expires_at == clock.now() + timedelta(seconds=60)
    assert [(each.title_ids, each.territory) for each in notary.asked] == [([TITLE], "DE")]
    notary.said[TITLE] = denied(TITLE, "over")
    with pytest.raises(LicenceRefused, match="The right to play this title has ended"):
        await ask(licensing, [kid])


async def test_a_licence_ends_with_the_right_and_its_grace(
    licensing: Licensing, clock: ManualClock, notary: Notary
) -> None:
    (kid, *_) = await kids_of(licensing)
    await open_titled(licensing, clock)
    ends_at = clock.now() + timedelta(seconds=20)
    for allowed in (True, False):
        notary.said[TITLE] = Decision(
            title_id=TITLE,
            allowed=allowed,
            reason="held" if allowed else "over",
            shown=allowed,
            may_go_on=True,
            ends_at=ends_at,
        )
        assert (await ask(licensing, [kid])).expires_at == ends_at


async def test_while_rights_are_away_a_session_has_licences_until_its_own_end(
    licensing: Licensing, clock: ManualClock, notary: Notary
) -> None:
    (kid, *_) = await kids_of(licensing)
    await open_titled(licensing, clock)
    notary.away = True
    assert (await ask(licensing, [kid])).expires_at == clock.now() + timedelta(seconds=60)
    clock.advance(60)
    with pytest.raises(LicenceRefused, match="ran out"):
        await ask(licensing, [kid])
