"""A licence server of the operator's own: the challenge as it came, the policy in a header.

So PlayReady's server SDK and FairPlay's Key Security Module are reached, whose servers their
licensees program: what these make of the policy is theirs.
"""

import json

from cuemark.contexts.licensing.model.dialects import Challenge, Dialect, Question
from cuemark.contexts.licensing.model.policy import LicencePolicy

CONTENT_HEADER, KIDS_HEADER = "cuemark-content-id", "cuemark-key-ids"
"""What tells a licence server which keys this play may have, so that it can refuse others."""
LEFT_OUT_HEADER = "cuemark-key-ids-left-out"
POLICY_HEADER = "cuemark-policy"
MAX_KIDS_BYTES = 4 << 10
"""Servers take 8 KiB of headers and more. Of a film of hours in short crypto periods more key ids
would come: its server has them from ``list_key_ids``, and from the policy which labels count."""


def forwarded() -> Dialect:
    return Dialect(_question)


def _question(challenge: Challenge) -> Question:
    policy = challenge.policy
    kids = ",".join(key.kid for key in policy.keys)
    named = (
        {KIDS_HEADER: kids}
        if len(kids) <= MAX_KIDS_BYTES
        else {LEFT_OUT_HEADER: str(len(policy.keys))}
    )
    return Question(
        challenge.body,
        {
            CONTENT_HEADER: challenge.version_id,
            **named,
            POLICY_HEADER: json.dumps(_told(policy), separators=(",", ":")),
        },
    )


def _told(policy: LicencePolicy) -> dict[str, object]:
    told: dict[str, object] = {
        "licence_s": policy.licence_s,
        "ends_at": policy.ends_at.isoformat(timespec="seconds"),
        "persistent": policy.persistent,
        "labels": {
            key.label: {"robustness": key.robustness} | ({"hdcp": key.hdcp} if key.hdcp else {})
            for key in policy.keys
        },
    }
    if policy.playback_s:
        told["playback_s"] = policy.playback_s
    if policy.renewal:
        told["renewal"] = {
            "after_s": policy.renewal.after_s,
            "retry_s": policy.renewal.retry_s,
            "grace_s": policy.renewal.grace_s,
        }
    return told
