"""Licensing in memory."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from cuemark.contracts import licensing
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import Neighbour
from tests.unit.gateway.neighbours.playback import ANNAS_SESSION

KID = "00112233445566778899aabbccddeeff"
KEY = "0f0e0d0c0b0a09080706050403020100"


@dataclass
class Keys(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = licensing.Licensing.refusals
    asked: list[licensing.GetLicence] = field(default_factory=list)
    forwarded: list[licensing.ForwardChallenge] = field(default_factory=list)
    master_keys: list[int] = field(default_factory=lambda: [1])

    async def exchange_keys(self, request: licensing.ExchangeKeys) -> licensing.ExchangedKeys:
        self.check()
        if not request.document.startswith(b"<"):
            raise licensing.ExchangeInvalid("This document cannot be answered: it is no XML.")
        return licensing.ExchangedKeys(document=b"<answer/>")

    async def forward_challenge(
        self, request: licensing.ForwardChallenge
    ) -> licensing.ServerLicence:
        self.check()
        if (request.session_id, request.account_id) != (ANNAS_SESSION, "acc_anna"):
            raise licensing.LicenceRefused("This account has no such playback session.")
        if request.system == "fairplay":
            raise licensing.LicenceServerAway("The licence server for fairplay cannot be reached.")
        self.forwarded.append(request)
        return licensing.ServerLicence(licence=b"\0licence", media_type="text/xml")

    async def provision_keys(self, request: licensing.ProvisionKeys) -> licensing.ProvisionedKeys:
        raise AssertionError("the gateway provisions no keys")

    async def open_licences(self, request: licensing.OpenLicences) -> licensing.LicencesOpened:
        raise AssertionError("the gateway opens no licences")

    async def close_licences(self, request: licensing.CloseLicences) -> licensing.LicencesClosed:
        raise AssertionError("the gateway closes no licences")

    async def get_licence(self, request: licensing.GetLicence) -> licensing.Licence:
        self.check()
        self.asked.append(request)
        mine = (request.session_id, request.account_id) == (ANNAS_SESSION, "acc_anna")
        if not mine or request.kids != [KID]:
            raise licensing.LicenceRefused("This session may not have these keys.")
        key = licensing.LicenceKey(kid=KID, key=KEY)
        return licensing.Licence(keys=[key], expires_at=self.clock.now() + timedelta(minutes=5))

    async def list_key_ids(self, request: licensing.ListKeyIds) -> licensing.KeyIdPage:
        self.check()
        return licensing.KeyIdPage(keys=[licensing.KeyId(kid=KID, label="SD")])

    async def list_master_keys(self, request: licensing.ListMasterKeys) -> licensing.MasterKeyList:
        self.check()
        return licensing.MasterKeyList(
            keys=[
                licensing.MasterKeyState(
                    number=number, content_keys=7, wraps=number == self.master_keys[0]
                )
                for number in self.master_keys
            ]
        )

    async def rotate_master_key(
        self, request: licensing.RotateMasterKey
    ) -> licensing.MasterKeyList:
        self.check()
        self.master_keys.insert(0, self.master_keys[0] + 1)
        return await self.list_master_keys(licensing.ListMasterKeys())

    async def retire_master_key(
        self, request: licensing.RetireMasterKey
    ) -> licensing.MasterKeyList:
        self.check()
        if request.number not in self.master_keys:
            raise licensing.UnknownMasterKey(f"There is no master key {request.number}.")
        if request.number == self.master_keys[0]:
            raise licensing.MasterKeyInUse("The newest wraps: rotate first.")
        self.master_keys.remove(request.number)
        return await self.list_master_keys(licensing.ListMasterKeys())
