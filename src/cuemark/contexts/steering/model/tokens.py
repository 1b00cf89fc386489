"""The token keys of the appliances, and what a token for one says."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import Rank, RankedAppliance
from cuemark.kit import cat
from cuemark.kit.networks import networks_of


def media_address(
    appliance: Appliance, request: Rank, key: cat.TokenKey, now: datetime
) -> RankedAppliance:
    """The version's root on ``appliance``, with a token that opens only this, only to the session.

    ``key`` is the appliance's own.
    """
    token = cat.mint(
        cat.Claims(
            subject=request.session_id,
            audience=appliance.appliance_id,
            path_prefix=f"/{request.version_id}/",
            issued_at_s=int(now.timestamp()),
            expires_at_s=int(request.expires_at.timestamp()),
            variants=request.variants,
            networks=networks_of(request.networks),
        ),
        key,
    )
    return RankedAppliance(
        appliance_id=appliance.appliance_id,
        media_url=f"{appliance.url.rstrip('/')}/t/{token}/{request.version_id}/",
    )


class Keyring:
    """The token keys of each enrolled appliance, derived once: the current key first."""

    def __init__(
        self, appliance_ids: Sequence[ApplianceId], masters: Sequence[cat.TokenKey]
    ) -> None:
        if not masters or len({master.kid for master in masters}) != len(masters):
            raise ValueError("give one or more token keys, each with a kid of its own")
        self._keys: Mapping[ApplianceId, list[cat.TokenKey]] = {
            appliance_id: [cat.derive_key(master, appliance_id) for master in masters]
            for appliance_id in appliance_ids
        }

    def __contains__(self, appliance_id: ApplianceId) -> bool:
        return appliance_id in self._keys

    def all_of(self, appliance_id: ApplianceId) -> list[cat.TokenKey]:
        return self._keys[appliance_id]

    def current_of(self, appliance_id: ApplianceId) -> cat.TokenKey:
        return self._keys[appliance_id][0]
