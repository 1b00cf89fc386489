"""What a title may cost: one table of budgets, of which its job has one.

The quick version is the same under each of them: it is there to be early. So are the gate's
limits: less effort measures less often and corrects less, and publishes nothing worse.
"""

from collections.abc import Mapping

import msgspec

from cuemark.contracts.encoding.jobs import Effort

VMAF_EVERY = 5
_HD_PIXELS = 1920 * 1080


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What the making of a full version may spend.

    ``probe_points`` of ``ladder.probe_points`` are encoded (one more of a film of more than 1080
    lines), on about ``probe_frames`` frames of the film, fewer where they are larger than HD.
    ``corrections`` is how often a rung is encoded anew that does not measure what was predicted.
    Every ``vmaf_every``-th frame is scored. Which preset an encoder has is said in the file of its
    family.
    """

    probe_points: int
    probe_frames: int
    corrections: int
    vmaf_every: int = VMAF_EVERY

    def frames_to_probe(self, pixels: int) -> int:
        """How many frames are probed of pictures of so many pixels, so that it costs no more."""
        return round(self.probe_frames * min(1.0, _HD_PIXELS / pixels))


BUDGETS: Mapping[Effort, Budget] = {
    "fast": Budget(probe_points=4, probe_frames=500, corrections=1, vmaf_every=10),
    "balanced": Budget(probe_points=5, probe_frames=1500, corrections=2),
    "best": Budget(probe_points=5, probe_frames=3000, corrections=3, vmaf_every=3),
}
BALANCED = BUDGETS["balanced"]
