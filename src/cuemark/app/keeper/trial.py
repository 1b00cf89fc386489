"""Whether a release that was put in the place of another one may stay. Pure.

As an Open Connect appliance goes back to the image before when a new one does not load, so does
this, and also when it loads and cannot be reached: an appliance whose agent does not come to word
could not be told to go back.
"""

from dataclasses import dataclass

UP_S = 60.0
STEADY_S = 5.0
"""It serves within ``UP_S``, for ``STEADY_S`` without a break."""
LOST_S = 60.0
CONTACT_S = 600.0
TRIAL_S = 1800.0


@dataclass(frozen=True)
class Trial:
    """A release on trial since ``started_s``. ``serves_since_s`` and ``silent_since_s`` are the
    beginning of what it does now; ``up`` says that it was steady once."""

    started_s: float
    silent_since_s: float
    serves_since_s: float | None = None
    up: bool = False
    heard: bool = False

    @staticmethod
    def begun(now_s: float) -> "Trial":
        return Trial(now_s, now_s)

    def seen(self, now_s: float, *, serves: bool, heard: bool) -> "Trial":
        """After one look: whether nginx and the agent answer, and whether control has."""
        serves_since_s = (self.serves_since_s or now_s) if serves else None
        steady = serves_since_s is not None and now_s - serves_since_s >= STEADY_S
        return Trial(
            self.started_s,
            now_s if serves else self.silent_since_s,
            serves_since_s,
            self.up or steady,
            self.heard or heard,
        )

    def fault(self, now_s: float) -> str:
        """Why the release has to go; empty while nothing speaks against it."""
        passed_s = now_s - self.started_s
        if not self.up:
            return f"it did not serve within {UP_S:.0f} s" if passed_s > UP_S else ""
        if now_s - self.silent_since_s > LOST_S:
            return f"it has not served for {LOST_S:.0f} s"
        if not self.heard and passed_s > CONTACT_S:
            return f"it did not reach the control plane within {CONTACT_S:.0f} s"
        return ""

    def over(self, now_s: float) -> bool:
        """Whether it has stood its trial."""
        return self.up and self.heard and now_s - self.started_s > TRIAL_S
