"""The use cases of licensing.

While rights are away, a session has licences as long as its right was told to last when it began.
While the catalog is away, a profile that has a bound gets none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec
import structlog

from cuemark.contexts.licensing import store
from cuemark.contexts.licensing.model import cpix, speke, systems
from cuemark.contexts.licensing.model import keys as rules
from cuemark.contexts.licensing.model.cpix import CpixInvalid, DocumentKey
from cuemark.contexts.licensing.model.keys import LicenceSession, WrappedKey
from cuemark.contexts.licensing.model.master_keys import Master
from cuemark.contexts.licensing.model.policy import Terms
from cuemark.contexts.licensing.model.sealing import Sealing, recipient_of
from cuemark.contexts.licensing.model.speke import GivenKey
from cuemark.contexts.licensing.servers.asking import Asker
from cuemark.contexts.licensing.servers.key_server import KeyServer
from cuemark.contexts.licensing.service.forwarding import Forwarding, LicenceServer
from cuemark.contexts.licensing.service.master_keys import Rotation
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.works import AdmitWorks
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.ids import VersionId, WorkId
from cuemark.contracts.licensing import (
    CloseLicences,
    ContentKey,
    ExchangedKeys,
    ExchangeInvalid,
    ExchangeKeys,
    ForwardChallenge,
    GetLicence,
    KeyIdPage,
    KeysNotGiven,
    Licence,
    LicenceKey,
    LicenceRefused,
    LicencesClosed,
    LicencesOpened,
    Licensing,
    ListKeyIds,
    ListMasterKeys,
    MasterKeyList,
    OpenLicences,
    ProvisionedKeys,
    ProvisionKeys,
    RetireMasterKey,
    RotateMasterKey,
    ServerLicence,
)
from cuemark.contracts.playback import PlayStopped
from cuemark.contracts.protection import Demands, KeySignal, Scheme, System
from cuemark.contracts.rights import Decide, Rights
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.outbox import Entry
from cuemark.kit.pages import PageInvalid, checked_limit, cursor_of, keys_of

LONGEST_PERIOD = 10
"""Digits that a crypto period's number is shorter than: its column holds as much."""


@dataclass(frozen=True)
class Protection:
    """Who may get keys how: ``systems`` are named in manifests, the preferred one first, and keys
    have ``demands`` by their labels. ``terms`` hold for the licences of DRM systems."""

    clearkey: bool
    systems: Sequence[System]
    licence_servers: Mapping[System, LicenceServer]
    demands: Demands = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)


class LicensingService(Licensing):
    """Content keys and licence sessions in PostgreSQL, the keys under those of ``masters``.

    Keys of new versions are made here, or by the key server where the install names one.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        rights: Rights,
        catalog: Catalog,
        masters: Rotation,
        asker: Asker,
        protection: Protection,
        key_server: KeyServer | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._rights = rights
        self._catalog = catalog
        self._masters = masters
        self._protection = protection
        self._forwarding = Forwarding(
            asker, clock, masters, protection.licence_servers, protection.terms, protection.demands
        )
        self._key_server = key_server

    async def provision_keys(self, request: ProvisionKeys) -> ProvisionedKeys:
        labels = rules.labels_of(request.labels)
        wanted = rules.wanted(labels, request.periods)
        stored = [
            key
            for key in await self._keys(request.version_id, wanted, request.scheme)
            if key.label in labels and key.period < request.periods
        ]
        opened = await self._masters.opened(stored)
        return ProvisionedKeys(
            keys=[
                ContentKey(
                    label=key.label,
                    kid=key.kid,
                    key=content_key.hex(),
                    iv=key.iv,
                    signals=self._signals(key, request),
                    period=key.period,
                )
                for key, content_key in zip(stored, opened, strict=True)
            ]
        )

    async def exchange_keys(self, request: ExchangeKeys) -> ExchangedKeys:
        try:
            document = cpix.read(request.document)
            labels, scheme = speke.wanted_labels(document), speke.scheme_of(document)
            periods = speke.wanted_periods(document)
            certificate = recipient_of(cpix.tree_of(request.document))
            sealing = None if certificate is None else Sealing(certificate)
        except CpixInvalid as error:
            raise ExchangeInvalid(f"This document cannot be answered: {error}.") from error
        content_id = VersionId(document.content_id)
        fresh = await self._masters.made(
            lambda master: [
                rules.make_key(label, master, kid, periods[kid]) for kid, label in labels.items()
            ]
        )
        async with self._database.transaction() as transaction:
            known = {key.kid: key for key in await store.keys_of(transaction, content_id)}
            new = [key for key in fresh if key.kid not in known]
            if new:
                await store.add_keys(transaction, content_id, new)
                known = {key.kid: key for key in await store.keys_of(transaction, content_id)}
            if missing := [label for kid, label in labels.items() if kid not in known]:
                raise ExchangeInvalid(
                    f"This content has another key for {missing[0]} than the one that is asked "
                    "for, or the key id is that of other content."
                )
        named = speke.systems_of(document)
        opened = await self._masters.opened([known[kid] for kid in labels])
        keys = {
            kid: DocumentKey(kid, content_key, bytes.fromhex(known[kid].iv), scheme)
            for kid, content_key in zip(labels, opened, strict=True)
        }
        signals = {kid: systems.signals_of(kid, scheme, named, content_id) for kid in labels}
        answer = speke.answer_of(document, keys, signals)
        return ExchangedKeys(document=cpix.write(answer, sealing))

    async def open_licences(self, request: OpenLicences) -> LicencesOpened:
        session = LicenceSession(
            request.session_id,
            request.account_id,
            request.version_id,
            request.expires_at,
            closed=False,
            robustness=request.robustness,
            title_id=request.title_id,
            territory=request.territory,
            licence_types=request.licence_types,
            labels=request.labels,
            login_id=request.login_id,
        )
        opened = await store.open_session(self._database, session)
        if not opened:
            raise LicenceRefused("This playback session has ended, or is another account's.")
        return LicencesOpened()

    async def close_licences(self, request: CloseLicences) -> LicencesClosed:
        await store.close_session(self._database, request.session_id)
        return LicencesClosed()

    async def follow(self, transaction: Transaction, entry: Entry) -> None:
        """An account that is no more has no licences, nor has a play that was stopped: whoever
        stopped it may have died before it closed them. Reading an entry again changes nothing."""
        if entry.kind == AccountDeleted.__name__:
            deleted = msgspec.json.decode(entry.body, type=AccountDeleted)
            await store.close_of_account(transaction, deleted.account_id)
        elif entry.kind == PlayStopped.__name__:
            stopped = msgspec.json.decode(entry.body, type=PlayStopped)
            await store.close_session(self._database, stopped.session_id)

    async def get_licence(self, request: GetLicence) -> Licence:
        if not self._protection.clearkey:
            raise LicenceRefused("This service gives no keys in the clear: use a DRM system's.")
        kids = rules.kids_of(request.kids)
        session, keys = await self._admitted(request)
        chosen = rules.choose(kids, {key.kid: key for key in keys})
        # Whatever the device says of itself: what it asks for here, it gets in the clear.
        rules.check_level(chosen, "software", self._protection.demands)
        rules.check_granted(chosen, session)
        given = rules.with_next(chosen, keys)
        opened = await self._masters.opened(given)
        return Licence(
            keys=[
                LicenceKey(key.kid, content_key.hex())
                for key, content_key in zip(given, opened, strict=True)
            ],
            expires_at=session.expires_at,
        )

    async def forward_challenge(self, request: ForwardChallenge) -> ServerLicence:
        self._forwarding.server_of(request.system)
        session, keys = await self._admitted(request)
        granted = rules.granted(keys, session)
        return await self._forwarding.licence(request, session, granted)

    async def _keys(
        self, version_id: VersionId, wanted: Sequence[tuple[str, int]], scheme: Scheme
    ) -> list[WrappedKey]:
        """The keys of a version, ``wanted`` ones (label and period) made where they are missing.

        Whoever stores a key first has made it: all others get that one.
        """
        async with self._database.transaction() as transaction:
            stored = await store.keys_of(transaction, version_id)
        there = {(key.label, key.period) for key in stored}
        missing = [each for each in wanted if each not in there]
        if not missing:
            return stored
        if self._key_server is None:
            fresh = await self._masters.made(
                lambda master: [
                    rules.make_key(label, master, "", period) for label, period in missing
                ]
            )
            return await self._stored(version_id, fresh)
        # A question for each period, and what it brings is kept: who asks again goes on there.
        several = len({period for _, period in wanted}) > 1
        for period in dict.fromkeys(period for _, period in missing):
            given = await self._key_server.keys(
                version_id,
                [label for label, of in missing if of == period],
                scheme,
                self._protection.systems,
                period if several else None,
            )
            fresh = await self._masters.made(partial(_wrapped, given, period))
            stored = await self._stored(version_id, fresh)
        return stored

    async def _stored(self, version_id: VersionId, fresh: Sequence[WrappedKey]) -> list[WrappedKey]:
        """Keep fresh keys; all keys of the version. Raises ``KeysNotGiven``."""
        wrapped = await self._masters.wraps(fresh)
        async with self._database.transaction() as transaction:
            periods = {key.period for key in fresh}
            if await store.known_elsewhere(transaction, version_id, periods, wrapped):
                # In cenc, two films under one key would share counters.
                raise KeysNotGiven(
                    "the answer of the key server cannot be used: it gives a key that another "
                    "version has, or another period of this one"
                )
            await store.add_keys(transaction, version_id, fresh)
            return await store.keys_of(transaction, version_id)

    async def _admitted(
        self, request: GetLicence | ForwardChallenge
    ) -> tuple[LicenceSession, list[WrappedKey]]:
        """The session and all keys of its version; raises ``LicenceRefused``."""
        known = rules.is_session_id(request.session_id)
        async with self._database.transaction() as transaction:
            found = await store.session_of(transaction, request.session_id) if known else None
            session = rules.admit(found, request.account_id, request.login_id, self._clock.now())
            keys = await store.keys_of(transaction, session.version_id)
        await self._check_level(session, request.maturity)
        return await self._within_rights(session), keys

    async def _check_level(self, session: LicenceSession, maturity: int | None) -> None:
        """Raises ``LicenceRefused`` where the title is not for a profile of this maturity."""
        if maturity is None or session.title_id is None:
            return
        title = WorkId(session.title_id)
        asked = AdmitWorks(work_ids=[title], maturity=maturity, territory=session.territory)
        if not (await self._catalog.admit_works(asked)).work_ids:
            raise LicenceRefused("This title is not for this profile.")

    async def _within_rights(self, session: LicenceSession) -> LicenceSession:
        """The session, ending with its right at the latest; raises ``LicenceRefused``."""
        if session.title_id is None:
            return session
        asked = Decide(
            title_ids=[session.title_id],
            territory=session.territory,
            licence_types=[*session.licence_types],
        )
        try:
            (right,) = (await self._rights.decide(asked)).decisions
        except Unavailable:
            structlog.get_logger().warning("right_not_asked", session_id=session.session_id)
            return session
        if not right.may_go_on:
            raise LicenceRefused("The right to play this title has ended.")
        ends_at = min(session.expires_at, right.ends_at or session.expires_at)
        return replace(session, expires_at=ends_at)

    def _signals(self, key: WrappedKey, request: ProvisionKeys) -> list[KeySignal]:
        """How the key is named: as its key server said, where that said something."""
        told = {signal.system: signal for signal in key.signals}
        ours = systems.signals_of(
            key.kid, request.scheme, self._protection.systems, request.version_id
        )
        return [told.get(signal.system, signal) for signal in ours]

    async def list_key_ids(self, request: ListKeyIds) -> KeyIdPage:
        limit = checked_limit(request.limit)
        after = _after(request.after)
        async with self._database.transaction() as transaction:
            found = await store.key_ids_of(transaction, request.version_id, after, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return KeyIdPage(
            keys=found[:limit],
            next_cursor=cursor_of(str(last.period), last.label) if last else "",
        )

    async def list_master_keys(self, request: ListMasterKeys) -> MasterKeyList:
        return await self._masters.listed()

    async def rotate_master_key(self, request: RotateMasterKey) -> MasterKeyList:
        return await self._masters.rotate()

    async def retire_master_key(self, request: RetireMasterKey) -> MasterKeyList:
        return await self._masters.retire(request.number)


def _after(cursor: str) -> tuple[int, str] | None:
    """The period and label after which a page begins; ``PageInvalid``."""
    keys = keys_of(cursor, 2)
    if keys is None:
        return None
    period, label = keys
    if not (period.isascii() and period.isdigit() and len(period) < LONGEST_PERIOD):
        raise PageInvalid("The cursor is not one of ours: ask for the first page, without one.")
    return int(period), label


def _wrapped(given: Sequence[GivenKey], period: int, master: Master) -> list[WrappedKey]:
    return [
        WrappedKey(
            *(key.label, key.kid, master.wrap(key.key), key.iv, key.signals),
            period=period,
            master=master.number,
        )
        for key in given
    ]
