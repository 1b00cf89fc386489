"""Licensing: content keys, and licences that let one playback session use them.

Refusal
|-- LicenceRefused     the session is not this account's, is over, has no right to its title any
|                      more, is of one above the level of the profile that asks, or asks for a
|                      foreign key, or for one that demands more of a device
|-- LicenceInvalid     the licence request cannot be read
|-- ExchangeInvalid    a document that asks for keys cannot be read, or asks for what cannot be
|-- LicenceServerAway  the licence server of a DRM system gives no licence; says why
|-- KeysNotGiven       the key server gives no keys, or none that can be used; says why
|-- UnknownMasterKey   no master key has this number
|-- MasterKeyInUse     the master key cannot go; says why, and when it can
`-- PageInvalid        the limit or the cursor of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from cuemark.contracts.ids import AccountId, PlaySessionId, TitleId, VersionId
from cuemark.contracts.protection import KeySignal, Robustness, Scheme, System
from cuemark.contracts.rights import LicenceType
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid


class LicenceRefused(Refusal):
    code = "licence_refused"
    status = 403


class LicenceInvalid(Refusal):
    code = "licence_invalid"
    status = 400


class LicenceServerAway(Refusal):
    code = "licence_server_away"
    status = 502


class KeysNotGiven(Refusal):
    code = "keys_not_given"
    status = 502


class ExchangeInvalid(Refusal):
    code = "exchange_invalid"
    status = 400


class UnknownMasterKey(Refusal):
    code = "unknown_master_key"
    status = 404


class MasterKeyInUse(Refusal):
    code = "master_key_in_use"
    status = 409


class ProvisionKeys(msgspec.Struct, frozen=True, kw_only=True):
    """One key for each label (``AUDIO``, ``SD``, ``HD``, ``UHD1``, ``UHD2``) in each of so many
    crypto ``periods``, to be used by ``scheme``; asking again gives the same keys."""

    version_id: VersionId
    labels: list[str]
    scheme: Scheme = "cbcs"
    periods: int = 1


class ContentKey(msgspec.Struct, frozen=True, kw_only=True):
    """``kid`` and ``key`` are 16 bytes in hex; ``iv`` is the constant IV of cbcs, in hex.

    ``signals`` has one for each DRM system that the install names and that can use the key.
    ``period`` counts from 0.
    """

    label: str
    kid: str
    key: str
    iv: str
    signals: list[KeySignal] = []
    period: int = 0

    def __repr__(self) -> str:
        return f"ContentKey(label={self.label!r}, kid={self.kid!r}, key=hidden)"


class ProvisionedKeys(msgspec.Struct, frozen=True, kw_only=True):
    keys: list[ContentKey]


class OpenLicences(msgspec.Struct, frozen=True, kw_only=True):
    """Let ``session_id`` of ``account_id`` have licences for a version until ``expires_at``.

    ``title_id``, ``territory`` and ``licence_types`` are of what the play has its right: while it
    has none, it has no licence either. Without a title nobody is asked.
    ``robustness`` is what the device says of itself. A DRM system's licence server finds out
    whether it is so; keys in the clear are for ``software`` whatever it says.
    ``labels`` are of the keys that the play needs for what its device and its plan allow: it has no
    others. None is for all of them. ``login_id`` is the login that the play began with, on one
    device: no other login of the account has its licences. Empty is for any.
    """

    session_id: PlaySessionId
    account_id: AccountId
    version_id: VersionId
    expires_at: datetime
    robustness: Robustness = "software"
    title_id: TitleId | None = None
    territory: str = ""
    licence_types: list[LicenceType] = []
    labels: list[str] | None = None
    login_id: str = ""


class LicencesOpened(msgspec.Struct, frozen=True, kw_only=True):
    pass


class CloseLicences(msgspec.Struct, frozen=True, kw_only=True):
    session_id: PlaySessionId


class LicencesClosed(msgspec.Struct, frozen=True, kw_only=True):
    pass


class GetLicence(msgspec.Struct, frozen=True, kw_only=True):
    """``kids`` are hex. ``maturity`` is the age up to which titles are for the profile that asks,
    None for any; ``login_id`` the login by which it asks."""

    session_id: PlaySessionId
    account_id: AccountId
    kids: list[str]
    maturity: int | None = None
    login_id: str = ""


class LicenceKey(msgspec.Struct, frozen=True):
    kid: str
    key: str

    def __repr__(self) -> str:
        return f"LicenceKey(kid={self.kid!r}, key=hidden)"


class Licence(msgspec.Struct, frozen=True, kw_only=True):
    """Kids and keys in hex."""

    keys: list[LicenceKey]
    expires_at: datetime


class ForwardChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """What a DRM system's client asks its licence server, as it came from the device.

    ``media_type`` and ``soap_action`` are headers of that request; empty where it had none.
    ``maturity`` and ``login_id`` are as in ``GetLicence``.
    """

    session_id: PlaySessionId
    account_id: AccountId
    system: System
    challenge: bytes
    media_type: str = ""
    soap_action: str = ""
    maturity: int | None = None
    login_id: str = ""


class ServerLicence(msgspec.Struct, frozen=True, kw_only=True):
    """What a licence server answered, which only the system's client can read."""

    licence: bytes
    media_type: str


class ExchangeKeys(msgspec.Struct, frozen=True, kw_only=True):
    """``document`` is CPIX 2.3 as SPEKE v2.0 has it: it names the keys that are wanted."""

    document: bytes


class ExchangedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """``document`` is the one that asked, with its keys: in the clear, or for whom it names."""

    document: bytes

    def __repr__(self) -> str:
        return "ExchangedKeys(document=hidden)"


class ListKeyIds(msgspec.Struct, frozen=True, kw_only=True):
    """``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200."""

    version_id: VersionId
    after: str = ""
    limit: int = 200


class KeyId(msgspec.Struct, frozen=True, kw_only=True):
    """``kid`` in hex; ``period`` counts crypto periods from 0."""

    kid: str
    label: str
    period: int = 0


class KeyIdPage(msgspec.Struct, frozen=True, kw_only=True):
    """By period, then label; empty of a version that has no keys, or that there is not."""

    keys: list[KeyId]
    next_cursor: str = ""


class MasterKeyState(msgspec.Struct, frozen=True, kw_only=True):
    """``content_keys`` counts those that are stored under it, ``wraps`` says that new ones are.

    One that is not ``there`` and has content keys is missing: these open nothing.
    """

    number: int
    content_keys: int
    wraps: bool
    there: bool = True
    made_at: datetime | None = None


class ListMasterKeys(msgspec.Struct, frozen=True, kw_only=True):
    pass


class MasterKeyList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first."""

    keys: list[MasterKeyState]


class RotateMasterKey(msgspec.Struct, frozen=True, kw_only=True):
    """Make a new master key. What is stored under older ones is wrapped anew from then on."""


class RetireMasterKey(msgspec.Struct, frozen=True, kw_only=True):
    """Destroy a master key under which nothing is stored any more."""

    number: int


class Licensing(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        LicenceRefused,
        LicenceInvalid,
        ExchangeInvalid,
        LicenceServerAway,
        KeysNotGiven,
        UnknownMasterKey,
        MasterKeyInUse,
        PageInvalid,
    )

    async def provision_keys(self, request: ProvisionKeys) -> ProvisionedKeys: ...

    async def open_licences(self, request: OpenLicences) -> LicencesOpened: ...

    async def close_licences(self, request: CloseLicences) -> LicencesClosed: ...

    async def get_licence(self, request: GetLicence) -> Licence: ...

    async def forward_challenge(self, request: ForwardChallenge) -> ServerLicence: ...

    async def exchange_keys(self, request: ExchangeKeys) -> ExchangedKeys: ...

    async def list_key_ids(self, request: ListKeyIds) -> KeyIdPage: ...

    async def list_master_keys(self, request: ListMasterKeys) -> MasterKeyList: ...

    async def rotate_master_key(self, request: RotateMasterKey) -> MasterKeyList: ...

    async def retire_master_key(self, request: RetireMasterKey) -> MasterKeyList: ...
