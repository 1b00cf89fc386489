"""Direct debits, by way of a bank's own page: who pays names the account there, and not to us.

A debit is asked for at once, and takes days to be paid or refused; for weeks after that its owner
may have it back. The bank is the sandbox: its protocol is ours, as each bank's is its own.
"""

from cuemark.contexts.billing.model.calls import Declined, Outcome, SetUp
from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contexts.billing.psp.sandbox.adapter import SandboxPsp

AT_THE_BANK = "bank"
"""Stands where a card's token stands with other providers."""


class DebitPsp(SandboxPsp):
    """Announces a payment (``authorize``), and collects it (``capture``): until the bank has said
    what came of that, the answer is unknown and a look says that it is pending."""

    async def tokenize(self, number: str) -> Outcome:
        return Declined(code="named_at_the_bank", retryable=False)

    async def setup_mandate(self, call: SetUp) -> Outcome:
        if call.card != AT_THE_BANK:
            return Declined(code="named_at_the_bank", retryable=False)
        asked = wire.DebitMandateAsked(key=call.key, return_url=call.return_url)
        return await self.outcome("/v1/debit-mandates", asked)
