"""How much of a rollout is done at a time: what its policy may say, and what that comes to."""

import re

from cuemark.contracts.steering.rollouts import RolloutInvalid, RolloutPolicy

MOST_WAVES = 20
MOST_S = 7 * 86_400
_WAVE = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<share>%)?")


def check_policy(policy: RolloutPolicy) -> None:
    """Raises ``RolloutInvalid`` with a sentence for the first thing that cannot be."""
    if len(policy.waves) > MOST_WAVES:
        raise RolloutInvalid(f"waves has {len(policy.waves)} entries, more than {MOST_WAVES}")
    for wave in policy.waves:
        said = _WAVE.fullmatch(wave)
        if said is None or (said["share"] and int(said["count"]) > 100):
            raise RolloutInvalid(f"waves has {wave[:20]!r}: write a number, or a share such as 10%")
    for name, least in (("soak_s", 0), ("drain_s", 0), ("deadline_s", 10)):
        if not least <= getattr(policy, name) <= MOST_S:
            raise RolloutInvalid(f"{name} is {getattr(policy, name)}, not {least} to {MOST_S}")
    if not 1 <= policy.at_once_percent <= 100:
        raise RolloutInvalid(f"at_once_percent is {policy.at_once_percent}, not 1 to 100")


def needed(policy: RolloutPolicy, wave: int, members: int) -> int:
    """How many members are to run the release at the end of a wave, counted from 1.

    A share is rounded up; a wave has at least what those before it have, and the last one all.
    """
    if wave > len(policy.waves):
        return members
    counts = [_count(each, members) for each in policy.waves[:wave]]
    return min(members, max(counts))


def _count(wave: str, members: int) -> int:
    said = _WAVE.fullmatch(wave)
    assert said is not None, "a policy is checked before it is kept"
    count = int(said["count"])
    return -(-members * count // 100) if said["share"] else count


def at_once(policy: RolloutPolicy, size: int) -> int:
    """How many of a group of this size may be out at a time: at least one."""
    return max(1, size * policy.at_once_percent // 100)
