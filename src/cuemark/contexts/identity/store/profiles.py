"""Profiles, and which one a login is on."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Row, delete, select, update

from cuemark.contexts.identity.store import logins, tables
from cuemark.contracts.identity.profiles import Profile
from cuemark.contracts.ids import AccountId, LoginId, ProfileId
from cuemark.kit.database import Transaction


class OnProfile(NamedTuple):
    """A login of an account, and the profile that it is on; None where none was chosen."""

    login_id: LoginId
    profile_id: ProfileId | None


async def of_account(transaction: Transaction, account_id: AccountId) -> list[Profile]:
    """The oldest first: ids sort by time."""
    found = await transaction.execute(
        select(tables.profile)
        .where(tables.profile.c.account_id == account_id)
        .order_by(tables.profile.c.profile_id)
    )
    return [profile_of(row) for row in found]


async def add(
    transaction: Transaction, account_id: AccountId, profile: Profile, pin_hash: str | None
) -> None:
    await transaction.execute(
        tables.profile.insert().values(
            account_id=account_id, is_default=False, pin_hash=pin_hash, **_values(profile)
        )
    )


async def change(transaction: Transaction, profile: Profile) -> None:
    """All of it but for its PIN."""
    await transaction.execute(
        update(tables.profile)
        .where(tables.profile.c.profile_id == profile.profile_id)
        .values(**_values(profile))
    )


async def set_pin_hash(
    transaction: Transaction, profile_id: ProfileId, pin_hash: str | None
) -> None:
    await transaction.execute(
        update(tables.profile)
        .where(tables.profile.c.profile_id == profile_id)
        .values(pin_hash=pin_hash)
    )


async def pin_hash_of(
    transaction: Transaction, account_id: AccountId, profile_id: ProfileId
) -> str | None:
    found = await transaction.execute(
        select(tables.profile.c.pin_hash).where(
            tables.profile.c.account_id == account_id, tables.profile.c.profile_id == profile_id
        )
    )
    return found.scalar_one_or_none()


async def remove(
    transaction: Transaction, account_id: AccountId, profile: Profile, others: Sequence[Profile]
) -> list[LoginId]:
    """Delete a profile, and the logins that were ended with it. Those that were on it ask anew, or
    are ended where it was a kids' one; the account's first profile is one of ``others`` then."""
    ended = []
    if profile.kids:
        ended = await logins.end_logins_on(transaction, profile.profile_id)
    else:
        await transaction.execute(
            update(tables.login)
            .where(tables.login.c.profile_id == profile.profile_id)
            .values(profile_id=None)
        )
    gone = await transaction.execute(
        delete(tables.profile)
        .where(tables.profile.c.profile_id == profile.profile_id)
        .returning(tables.profile.c.is_default)
    )
    if gone.scalar_one():
        first = next(each for each in others if not each.kids)
        await transaction.execute(
            update(tables.profile)
            .where(
                tables.profile.c.account_id == account_id,
                tables.profile.c.profile_id == first.profile_id,
            )
            .values(is_default=True)
        )
    return ended


async def current(
    transaction: Transaction, account_id: AccountId, login_id: LoginId
) -> OnProfile | None:
    """The login, which nobody else changes meanwhile; None where it is not open."""
    found = await transaction.execute(
        select(tables.login.c.login_id, tables.login.c.profile_id)
        .where(tables.login.c.account_id == account_id, tables.login.c.login_id == login_id)
        .with_for_update()
    )
    row = found.one_or_none()
    if row is None:
        return None
    return OnProfile(LoginId(row.login_id), row.profile_id and ProfileId(row.profile_id))


async def put_on(transaction: Transaction, login_id: LoginId, profile_id: ProfileId) -> None:
    await transaction.execute(
        update(tables.login)
        .where(tables.login.c.login_id == login_id)
        .values(profile_id=profile_id)
    )


def profile_of(row: Row[tuple[object, ...]]) -> Profile:
    return Profile(
        profile_id=ProfileId(row.profile_id),
        name=row.name,
        color=row.color,
        avatar=row.avatar,
        language=row.language,
        sound_languages=list(row.sound_languages),
        caption_languages=list(row.caption_languages),
        maturity=row.maturity,
        kids=row.kids,
        has_pin=row.pin_hash is not None,
        autoplay=row.autoplay,
    )


def _values(profile: Profile) -> dict[str, object]:
    return {
        "profile_id": profile.profile_id,
        "name": profile.name,
        "color": profile.color,
        "avatar": profile.avatar,
        "language": profile.language,
        "sound_languages": profile.sound_languages,
        "caption_languages": profile.caption_languages,
        "maturity": profile.maturity,
        "kids": profile.kids,
        "autoplay": profile.autoplay,
    }
