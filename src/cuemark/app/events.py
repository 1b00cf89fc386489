"""The events that an install tells, by the names under which functions are bound to them."""

from collections.abc import Mapping

import msgspec

from cuemark.contracts import (
    catalog,
    functions,
    identity,
    playback,
    rights,
    steering,
)
from cuemark.contracts.billing import events as billed
from cuemark.contracts.catalog import gathering, works
from cuemark.contracts.encoding import events
from cuemark.contracts.identity import changing

EVENTS: Mapping[str, type[msgspec.Struct]] = {
    f"{topic}.{kind.__name__}": kind
    for topic, kinds in {
        billed.TOPIC: (
            billed.SubscriptionChanged,
            billed.InvoiceIssued,
            billed.InvoicePaid,
            billed.PaymentDeclined,
            billed.MoneyGivenBack,
        ),
        catalog.TOPIC: (
            catalog.TitleCreated,
            catalog.ArtworkChosen,
            works.TitleDescribed,
            works.WorkChanged,
            gathering.PersonChanged,
            gathering.TermChanged,
        ),
        events.TOPIC: (
            events.MasterLanded,
            events.VersionPublished,
            events.EncodingFailed,
        ),
        functions.TOPIC: (functions.RunDied,),
        identity.TOPIC: (identity.AccountCreated, changing.AccountDeleted),
        playback.TOPIC: (playback.PlayStarted,),
        rights.TOPIC: (rights.RightsSet,),
        steering.TOPIC: (steering.VersionPlaced,),
    }.items()
    for kind in kinds
}
"""By ``topic.Name``: see docs/reference/functions.md."""
