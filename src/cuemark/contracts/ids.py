"""The ids that cross contracts: strings typed by kind (see ``kit.ids`` for their form)."""

from typing import NewType

AccountId = NewType("AccountId", str)
ProfileId = NewType("ProfileId", str)
LoginId = NewType("LoginId", str)
TitleId = NewType("TitleId", str)
AssetId = NewType("AssetId", str)
VersionId = NewType("VersionId", str)
UploadId = NewType("UploadId", str)
PlaySessionId = NewType("PlaySessionId", str)
ApplianceId = NewType("ApplianceId", str)

PLAY_SESSION_KIND = "play"
"""The kind that every ``PlaySessionId`` begins with."""
