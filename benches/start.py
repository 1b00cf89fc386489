"""Start: how long a play takes to its first decoded frame, and what of it is the control plane."""

from collections.abc import Sequence

from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.rider import Outcome, Ride
from benches.riders import riders
from benches.spread import percentile
from benches.stand import Stand

ABOUT = """
The reference player, its process warm, the title encoded: `startup_ms` of its report, from the
request to start the play to the first decoded frame. In between lie three calls to the control
plane (the play, the manifest, the licence; *control*), and the init segment and the first segment
of picture and of sound, fetched with a token from an appliance, decrypted and decoded. Fifty
plays one after the other by one process, then five times ten processes at the same moment, each
as a member of its own. The ten share the cores with the service.

The anchor is the best of three web players (hls.js) in Chromium, click to first frame with
licence, measured elsewhere on two loaded cores: it also draws, so the ratio is a reminder of what
members see and no race.
"""

PLAYS, AT_ONCE = 50, 10
QUICK_PLAYS = 10
_SECONDS = 0.3
_WEB = Anchor("hls.js in Chromium, elsewhere", 563)


def measure(stand: Stand) -> list[Figure]:
    made = stand.made(stand.trailer())
    install = stand.install()
    plays = QUICK_PLAYS if stand.quick else PLAYS
    tokens = install.members(AT_ONCE)
    title_id = made.job.title_id

    def ride(token: str) -> Ride:
        return Ride(token=token, from_s=0.0, seconds=_SECONDS)

    with riders(AT_ONCE, stand.scratch("start")) as ten:
        stand.tell("warming up")
        ten.ask(install.api_url, title_id, [ride(token) for token in tokens])
        at_once: list[Outcome] = []
        for number in range(plays // AT_ONCE):
            stand.tell(f"ten at once: {AT_ONCE * number} of {plays}")
            at_once += ten.ask(install.api_url, title_id, [ride(each) for each in tokens]).outcomes
    with riders(1, stand.scratch("start")) as one:
        one.ask(install.api_url, title_id, [ride(tokens[0])])
        in_turn: list[Outcome] = []
        for number in range(plays):
            stand.tell(f"one after the other: {number} of {plays}")
            in_turn += one.ask(install.api_url, title_id, [ride(tokens[0])]).outcomes
    return [
        *of_plays("start: one after the other", in_turn, _WEB),
        *of_plays("start: ten at once", at_once, None),
    ]


def of_plays(name: str, outcomes: Sequence[Outcome], anchor: Anchor | None) -> list[Figure]:
    """Median and 95th percentile, and the control plane's part; raises ``BenchFailed``."""
    for each in outcomes:
        if each.error:
            raise BenchFailed(f"a play did not start: {each.error}")
    starts = [float(each.startup_ms) for each in outcomes]
    shares = [100 * each.control_ms / each.startup_ms for each in outcomes]
    return [
        figure(f"{name}, p50", starts, "ms", anchor),
        figure(f"{name}, p95", percentile(starts, 0.95), "ms"),
        figure(f"{name}, control", [float(each.control_ms) for each in outcomes], "ms"),
        figure(f"{name}, control's share", shares, "%"),
    ]
