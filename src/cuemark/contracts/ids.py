"""The ids that cross contracts: strings typed by kind (see ``kit.ids`` for their form)."""

from typing import NewType

AccountId = NewType("AccountId", str)
ProfileId = NewType("ProfileId", str)
WorkId = NewType("WorkId", str)
LoginId = NewType("LoginId", str)
TitleId = NewType("TitleId", str)
"""A title is a work that plays, and its id is the work's too."""
StaffId = NewType("StaffId", str)
PersonId = NewType("PersonId", str)
TermId = NewType("TermId", str)
AssetId = NewType("AssetId", str)
VersionId = NewType("VersionId", str)
UploadId = NewType("UploadId", str)
PlaySessionId = NewType("PlaySessionId", str)
ApplianceId = NewType("ApplianceId", str)

PLAY_SESSION_KIND = "play"
"""The kind that every ``PlaySessionId`` begins with."""
