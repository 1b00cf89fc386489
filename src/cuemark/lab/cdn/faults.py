"""Faults by name: what breaks, when, and for how long.

``kill:edge-1@20+10`` kills the appliance edge-1 when the plays have run for 20 s, and starts it
again 10 s later; ``slow:client-3=600@5`` leaves a client's line 600 kbit/s from 5 s on.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

_FORM = re.compile(
    r"(?P<kind>[a-z]+):(?P<what>[a-z]+(?:-[0-9]{1,3})?)(?:=(?P<value>[0-9]{1,9}))?"
    r"@(?P<at>[0-9]{1,5}(?:\.[0-9]{1,3})?)(?:\+(?P<span>[0-9]{1,5}(?:\.[0-9]{1,3})?))?"
)
EDGE, NET, CLIENT, HUB = "edge", "net", "client", "hub"
CONTROL, ORIGIN = "control", "origin"


class FaultInvalid(ValueError):
    """No fault has this form, or none has this name; the text is one sentence."""


@dataclass(frozen=True)
class Kind:
    """``of`` are the kinds of places that it can befall, ``unit`` that of its value, empty for a
    fault without one; ``ends`` says whether it can end."""

    of: tuple[str, ...]
    told: str
    unit: str = ""
    ends: bool = True


KINDS = {
    "kill": Kind((EDGE, HUB), "every process there is killed; at the end it starts again"),
    "freeze": Kind((EDGE,), "an appliance stands still: it takes connections and answers nothing"),
    "drain": Kind((EDGE,), "the operator has plays led away from an appliance"),
    "rot": Kind((EDGE,), "a byte flips in so many of the files that it holds", "files", False),
    "cut": Kind((EDGE, NET, CLIENT, HUB), "its cable is pulled out"),
    "slow": Kind((EDGE, NET, CLIENT, HUB), "its line carries so much towards viewers", "kbps"),
    "withdraw": Kind((NET,), "the network's router withdraws its routes"),
    "silence": Kind((NET,), "the network's router dies, and its BGP sessions with it"),
    "away": Kind((CONTROL, ORIGIN), "the control plane or the origin stands still"),
}


@dataclass(frozen=True)
class Fault:
    """``value`` is in the unit of its kind, 0 where it has none; ``for_s`` None: to the end."""

    kind: str
    what: str
    at_s: float
    for_s: float | None = None
    value: int = 0

    @property
    def name(self) -> str:
        """As ``fault_of`` reads it."""
        value = f"={self.value}" if KINDS[self.kind].unit else ""
        span = "" if self.for_s is None else f"+{_written(self.for_s)}"
        return f"{self.kind}:{self.what}{value}@{_written(self.at_s)}{span}"

    @property
    def until_s(self) -> float:
        return float("inf") if self.for_s is None else self.at_s + self.for_s


def _written(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def fault_of(text: str, places: Collection[str]) -> Fault:
    """The fault that ``text`` names, in a lab that has these places; raises ``FaultInvalid``."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise FaultInvalid(f"{text!r} is no fault: write KIND:PLACE@SECONDS, as kill:edge-1@20+10")
    if found["kind"] not in KINDS:
        raise FaultInvalid(f"{text!r}: there is no {found['kind']!r}, but {', '.join(KINDS)}")
    kind, what = KINDS[found["kind"]], found["what"]
    if what.partition("-")[0] not in kind.of:
        raise FaultInvalid(f"{text!r}: {found['kind']} befalls {' or '.join(kind.of)}, not {what}")
    if what not in places:
        raise FaultInvalid(f"{text!r}: the lab has no {what}, but {', '.join(sorted(places))}")
    if bool(kind.unit) != (found["value"] is not None):
        wanted = f"write how many {kind.unit}, as ={100}" if kind.unit else "it takes no value"
        raise FaultInvalid(f"{text!r}: {wanted}")
    if found["span"] is not None and not kind.ends:
        raise FaultInvalid(f"{text!r}: {found['kind']} has no end, so leave +{found['span']} out")
    value = int(found["value"] or 0)
    span = None if found["span"] is None else float(found["span"])
    if kind.unit and value == 0:
        raise FaultInvalid(f"{text!r}: more than 0 {kind.unit} are wanted")
    if span == 0:
        raise FaultInvalid(f"{text!r}: it lasts for more than 0 s")
    return Fault(found["kind"], what, float(found["at"]), span, value)


@dataclass(frozen=True)
class Step:
    """A fault begins, or ends."""

    at_s: float
    fault: Fault
    begins: bool


def steps_of(faults: Collection[Fault], seconds: float) -> list[Step]:
    """What is done when, in order, within a run of so many seconds; ends come before beginnings."""
    steps = [Step(each.at_s, each, True) for each in faults]
    steps += [Step(each.until_s, each, False) for each in faults]
    return sorted(
        (step for step in steps if step.at_s <= seconds),
        key=lambda step: (step.at_s, step.begins),
    )
