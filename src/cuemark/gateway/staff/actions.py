"""The actions of staff: what each route of operators is, for roles to allow it or not.

An action is a noun and a verb. Everything that only looks is ``read``, so that a role of readers
is one line of policy. Personal data and money have nouns of their own.
"""

from typing import Final

ACTIONS: Final = {
    "appliances.drain": "No new play is sent to an appliance, or it is again.",
    "appliances.read": "Which appliances there are, and how they do.",
    "catalog.launch": "When a title is launched.",
    "catalog.read": "Titles, works, people and their pictures.",
    "catalog.write": "Titles, works, people and their pictures are described and removed.",
    "clock.advance": "The payment sandbox's clock is put forward.",
    "coupons.write": "Coupons are made.",
    "errors.read": "The latest errors in the log.",
    "fill.plan": "A plan of what appliances hold is made.",
    "fill.read": "What appliances are to hold, and why.",
    "functions.read": "Functions and what they ran.",
    "functions.retry": "A function's run is tried again.",
    "functions.switch": "A function is switched on or off.",
    "ingest.read": "What of a master has arrived.",
    "ingest.write": "Masters are uploaded and made into versions.",
    "invoices.read": "The invoices of any member.",
    "invoices.refund": "Money goes back to a member.",
    "jobs.read": "Encoding jobs, their events and what they cost.",
    "jobs.steer": "Jobs are put first, canceled and tried again.",
    "keys.exchange": "Content keys are handed to an encryptor.",
    "ledger.read": "The ledger of the whole service.",
    "marks.read": "What a search for a watermark found: whose copy it was.",
    "marks.search": "A copy is searched for the watermark of a play.",
    "master_keys.read": "Which master keys there are, never the keys.",
    "master_keys.retire": "A master key is retired.",
    "master_keys.rotate": "A new master key takes over.",
    "members.create": "Accounts of members are made.",
    "members.enter": "A link that logs its bearer in as a member.",
    "members.log_out": "Every login of a member ends.",
    "network.read": "The routes of networks, and which appliance a client gets.",
    "operations.read": "The first page of operations.",
    "plans.write": "Plans and their prices.",
    "plays.read": "Who plays what now.",
    "plays.stop": "The play of any member is stopped.",
    "reference.read": "The machine-readable reference of the API.",
    "reports.read": "The quality reports of versions.",
    "rights.read": "In which windows titles may be shown.",
    "rights.write": "The windows of titles are set.",
    "rollouts.read": "How a release comes to the appliances.",
    "rollouts.steer": "A release goes out to appliances, is paused or taken back.",
    "self.enter": "A link to the pages of operations for one's own browser.",
    "self.read": "Who one is, and one's own login's end.",
    "taxes.read": "Tax rates by territory.",
    "taxes.write": "Tax rates are set.",
    "traces.read": "What a request did in every part of the service.",
    "traffic.read": "What appliances delivered, and the lines of their logs.",
}
"""Each action and what it allows, in a sentence."""
