"""The use cases of licensing."""

import structlog

from cuemark.contexts.licensing import model, store
from cuemark.contexts.licensing.model import LicenceSession, MasterKey, WrappedKey, WrongMasterKey
from cuemark.contracts.licensing import (
    CloseLicences,
    ContentKey,
    GetLicence,
    Licence,
    LicenceKey,
    LicenceRefused,
    LicencesClosed,
    LicencesOpened,
    Licensing,
    OpenLicences,
    ProvisionedKeys,
    ProvisionKeys,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable


class LicensingService(Licensing):
    """Content keys and licence sessions in PostgreSQL, the keys under ``master``."""

    def __init__(self, database: Database, clock: Clock, master: MasterKey) -> None:
        self._database = database
        self._clock = clock
        self._master = master

    async def provision_keys(self, request: ProvisionKeys) -> ProvisionedKeys:
        labels = model.labels_of(request.labels)
        fresh = [model.make_key(label, self._master) for label in labels]
        async with self._database.transaction() as transaction:
            await store.add_keys(transaction, request.version_id, fresh)
            stored = await store.keys_of(transaction, request.version_id)
        return ProvisionedKeys(
            keys=[
                ContentKey(label=key.label, kid=key.kid, key=self._open(key), iv=key.iv)
                for key in stored
                if key.label in labels
            ]
        )

    async def open_licences(self, request: OpenLicences) -> LicencesOpened:
        session = LicenceSession(
            request.session_id,
            request.account_id,
            request.version_id,
            request.expires_at,
            closed=False,
        )
        async with self._database.transaction() as transaction:
            opened = await store.open_session(transaction, session)
        if not opened:
            raise LicenceRefused("This playback session has ended, or is another account's.")
        return LicencesOpened()

    async def close_licences(self, request: CloseLicences) -> LicencesClosed:
        async with self._database.transaction() as transaction:
            await store.close_session(transaction, request.session_id)
        return LicencesClosed()

    async def get_licence(self, request: GetLicence) -> Licence:
        kids = model.kids_of(request.kids)
        known = model.is_session_id(request.session_id)
        async with self._database.transaction() as transaction:
            found = await store.session_of(transaction, request.session_id) if known else None
            session = model.admit(found, request.account_id, self._clock.now())
            keys = await store.keys_of(transaction, session.version_id)
        chosen = model.choose(kids, {key.kid: key for key in keys})
        return Licence(
            keys=[LicenceKey(key.kid, self._open(key)) for key in chosen],
            expires_at=session.expires_at,
        )

    def _open(self, key: WrappedKey) -> str:
        try:
            return self._master.unwrap(key.wrapped).hex()
        except WrongMasterKey as error:
            structlog.get_logger().error("content_key_does_not_open", kid=key.kid)
            raise Unavailable(
                "the content keys were stored under another master key: put back the one that "
                "this database was made with"
            ) from error
