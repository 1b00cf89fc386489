"""The written policy: what a finding does to the version that it was found in.

It is data. An install changes it, check by check, in its settings.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import get_args

import msgspec

from cuemark.contexts.encoding.model.validation.findings import Finding
from cuemark.contracts.encoding.validation import Action, Check, PolicyChanges, Rule

CHECKS: tuple[Check, ...] = get_args(Check)


class Actions(msgspec.Struct, frozen=True):
    """What is done about the errors and about the warnings of one check."""

    error: Action = "block"
    warning: Action = "warn"


Policy = Mapping[Check, Actions]

DEFAULT: Policy = MappingProxyType(
    {
        **dict.fromkeys(CHECKS, Actions()),
        "loudness": Actions(error="warn"),
        "clipping": Actions(error="warn"),
        "photosensitivity": Actions(error="warn"),
    }
)
"""What would be seen or heard as a defect of ours is not published. How loud a film is and how
much it flashes is its owner's to decide, who is told."""


def changed(changes: PolicyChanges) -> Policy:
    """The default policy with an install's changes."""
    policy = dict(DEFAULT)
    for check, change in changes.items():
        rule = change if isinstance(change, Rule) else Rule(error=change)
        default = policy[check]
        policy[check] = Actions(rule.error or default.error, rule.warning or default.warning)
    return policy


def action(finding: Finding, policy: Policy) -> Action:
    """What the policy does about a finding."""
    actions = policy.get(finding.check, Actions())
    return actions.error if finding.severity == "error" else actions.warning


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with what was done about it."""

    finding: Finding
    action: Action


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What validating a version came to. ``checks`` are those that were made."""

    checks: list[Check]
    judged: list[Judged]

    @property
    def blocking(self) -> list[Finding]:
        return [each.finding for each in self.judged if each.action == "block"]


def judge(checks: Sequence[Check], found: Sequence[Finding], policy: Policy) -> Validation:
    """The findings under a policy: what blocks first; what is ignored is not kept."""
    order: dict[Action, int] = {"block": 0, "warn": 1, "ignore": 2}
    judged = [Judged(finding=each, action=action(each, policy)) for each in found]
    kept = [each for each in judged if each.action != "ignore"]
    return Validation(checks=list(checks), judged=sorted(kept, key=lambda each: order[each.action]))


NOT_PUBLISHED = "the version was not published: "


def refusal(validation: Validation) -> str:
    """Why a version is not published, one sentence without its full stop; empty where it may be."""
    blocking = validation.blocking
    if not blocking:
        return ""
    more = len(blocking) - 1
    also = (
        f", and {more} more {'finding blocks' if more == 1 else 'findings block'} it"
        if more
        else ""
    )
    checks = ", ".join(dict.fromkeys(each.check for each in blocking))
    return (
        f"{NOT_PUBLISHED}{blocking[0].text}{also}; mend the film, or let it pass "
        f"by `validation` in the settings ({checks})"
    )
