"""What licences of DRM systems may be."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.licensing.model.keys import WrappedKey
from cuemark.contexts.licensing.model.policy import Renewal, Terms, policy_of
from cuemark.contracts.protection import Hdcp

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = [
    WrappedKey(label, f"{number:032x}", b"", "") for number, label in enumerate(["AUDIO", "UHD1"])
]
SECONDS = st.integers(0, 400_000)


@given(
    licence_s=SECONDS,
    playback_s=SECONDS,
    renew_after_s=SECONDS,
    retry_s=st.integers(1, 600),
    grace_s=SECONDS,
    left_s=st.floats(0.001, 1_000_000),
)
def test_no_licence_outlasts_its_play_and_no_grace_outlasts_its_licence(
    licence_s: int, playback_s: int, renew_after_s: int, retry_s: int, grace_s: int, left_s: float
) -> None:
    terms = Terms(licence_s, playback_s, False, renew_after_s, retry_s, grace_s)
    ends_at = NOW + timedelta(seconds=left_s)
    policy = policy_of(terms, KEYS, {}, ends_at=ends_at, now=NOW)
    assert 1 <= policy.licence_s <= max(1, left_s)
    assert licence_s == 0 or policy.licence_s <= licence_s
    assert policy.playback_s <= policy.licence_s
    if policy.renewal:
        assert policy.renewal.after_s > 0
        assert policy.renewal.after_s + policy.renewal.grace_s <= policy.licence_s
    else:
        assert renew_after_s == 0 or renew_after_s >= policy.licence_s


def test_a_licence_lasts_as_long_as_its_play_where_nothing_is_said() -> None:
    policy = policy_of(Terms(), KEYS, {}, ends_at=NOW + timedelta(hours=3), now=NOW)
    assert (policy.licence_s, policy.playback_s, policy.persistent) == (3 * 3600, 0, False)
    assert policy.renewal is None


def test_what_is_said_of_a_label_holds_for_its_keys_alone() -> None:
    outputs: dict[str, Hdcp] = {"UHD1": "2.2"}
    terms = Terms(renew_after_s=60, renew_grace_s=30, outputs={"UHD1": "2.2"})
    policy = policy_of(terms, KEYS, {"UHD1": "hardware"}, ends_at=NOW + timedelta(hours=1), now=NOW)
    assert [(key.robustness, key.hdcp) for key in policy.keys] == [
        ("software", None),
        ("hardware", outputs["UHD1"]),
    ]
    assert policy.renewal == Renewal(60, 30, 30)
