"""From the channels that a master has to those that are published: 5.1, and stereo.

Stereo is the downmix of ITU-R BS.775-4, annex 4: the center and the surrounds at -3 dB in each
side, no LFE. The level of the result does not matter, as it is measured and normalized; that the
center stays where it was does. A master of more channels than 5.1 is first brought to 5.1: what
lies between two of its channels goes into both at -3 dB, which keeps its power.
"""

from collections.abc import Mapping
from typing import Literal

Mix = Literal["stereo", "5.1"]
CHANNELS: Mapping[Mix, int] = {"stereo": 2, "5.1": 6}

HALF_POWER = 0.7071
_SIDES, _BACKS = frozenset({"SL", "SR"}), frozenset({"BL", "BR"})

Gains = dict[str, dict[str, float]]
"""For each published channel what it gets of each of the master's channels."""

LAYOUTS: Mapping[str, tuple[str, ...]] = {
    name: tuple(channels.split("+"))
    for name, channels in {
        "mono": "FC",
        "stereo": "FL+FR",
        "downmix": "DL+DR",
        "binaural": "BIL+BIR",
        "2.1": "FL+FR+LFE",
        "3.0": "FL+FR+FC",
        "3.0(back)": "FL+FR+BC",
        "3.1": "FL+FR+FC+LFE",
        "3.1.2": "FL+FR+FC+LFE+TFL+TFR",
        "4.0": "FL+FR+FC+BC",
        "4.1": "FL+FR+FC+LFE+BC",
        "quad": "FL+FR+BL+BR",
        "quad(side)": "FL+FR+SL+SR",
        "5.0": "FL+FR+FC+BL+BR",
        "5.0(side)": "FL+FR+FC+SL+SR",
        "5.1": "FL+FR+FC+LFE+BL+BR",
        "5.1(side)": "FL+FR+FC+LFE+SL+SR",
        "5.1.2": "FL+FR+FC+LFE+SL+SR+TFL+TFR",
        "5.1.2(back)": "FL+FR+FC+LFE+BL+BR+TFL+TFR",
        "5.1.4": "FL+FR+FC+LFE+SL+SR+TFL+TFR+TBL+TBR",
        "6.0": "FL+FR+FC+BC+SL+SR",
        "6.0(front)": "FL+FR+FLC+FRC+SL+SR",
        "hexagonal": "FL+FR+FC+BL+BR+BC",
        "6.1": "FL+FR+FC+LFE+BC+SL+SR",
        "6.1(back)": "FL+FR+FC+LFE+BL+BR+BC",
        "6.1(front)": "FL+FR+LFE+FLC+FRC+SL+SR",
        "7.0": "FL+FR+FC+BL+BR+SL+SR",
        "7.0(front)": "FL+FR+FC+FLC+FRC+SL+SR",
        "7.1": "FL+FR+FC+LFE+BL+BR+SL+SR",
        "7.1(wide)": "FL+FR+FC+LFE+BL+BR+FLC+FRC",
        "7.1(wide-side)": "FL+FR+FC+LFE+FLC+FRC+SL+SR",
        "7.1.2": "FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR",
        "7.1.4": "FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR+TBL+TBR",
        "octagonal": "FL+FR+FC+BL+BR+BC+SL+SR",
        "cube": "FL+FR+BL+BR+TFL+TFR+TBL+TBR",
    }.items()
}
"""FFmpeg's layouts that a mix is known for, by the names that ffprobe prints."""

_USUAL = {
    **{1: "mono", 2: "stereo", 3: "2.1", 4: "4.0"},
    **{5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"},
}
"""How FFmpeg takes so many channels of which the file does not say what they are."""

_INTO_SURROUND: Gains = {
    **{name: {name: 1.0} for name in ("FL", "FR", "FC", "LFE", "BL", "BR")},
    "SL": {"BL": 1.0},
    "SR": {"BR": 1.0},
    "BC": {"BL": HALF_POWER, "BR": HALF_POWER},
    "FLC": {"FL": HALF_POWER, "FC": HALF_POWER},
    "FRC": {"FR": HALF_POWER, "FC": HALF_POWER},
    "TFL": {"FL": HALF_POWER},
    "TFR": {"FR": HALF_POWER},
    "TBL": {"BL": HALF_POWER},
    "TBR": {"BR": HALF_POWER},
    **{name: {"FL": 1.0} for name in ("DL", "BIL")},
    **{name: {"FR": 1.0} for name in ("DR", "BIR")},
}
_INTO_STEREO: Gains = {
    "FL": {"FL": 1.0},
    "FR": {"FR": 1.0},
    "FC": {"FL": HALF_POWER, "FR": HALF_POWER},
    "BL": {"FL": HALF_POWER},
    "BR": {"FR": HALF_POWER},
    "LFE": {},
}


def layout_of(named: str, channels: int) -> str:
    """The layout of a sound, from what ffprobe says of it; empty where no mix is known for it."""
    if named in ("", "unknown", f"{channels} channels"):
        return _USUAL.get(channels, "")
    return named if len(LAYOUTS.get(named, ())) == channels else ""


def is_surround(layout: str) -> bool:
    """Whether a layout has what 5.1 is more than stereo: a center, and a channel on each side."""
    channels = set(LAYOUTS[layout])
    return "FC" in channels and (channels >= _SIDES or channels >= _BACKS)


def gains(layout: str, mix: Mix) -> Gains:
    """What each channel of the mix gets of the master's channels, as factors."""
    channels = LAYOUTS[layout]
    surround = {name: dict(_INTO_SURROUND[name]) for name in channels}
    if set(channels) >= _SIDES | _BACKS:
        surround["BL"], surround["BR"] = {"BL": HALF_POWER}, {"BR": HALF_POWER}
    targets = ("FL", "FR") if mix == "stereo" else LAYOUTS["5.1"]
    mixed: Gains = {target: {} for target in targets}
    for name, into in surround.items():
        for place, gain in into.items():
            ends = _INTO_STEREO[place] if mix == "stereo" else {place: 1.0}
            for target, share in ends.items():
                mixed[target][name] = mixed[target].get(name, 0.0) + gain * share
    return mixed


def mixing(layout: str, mix: Mix) -> str:
    """FFmpeg's filter that makes the mix of a sound of floating point samples."""
    written = [
        f"{target}={'+'.join(f'{gain:.4f}*{name}' for name, gain in parts.items()) or '0*FL'}"
        for target, parts in gains(layout, mix).items()
    ]
    return f"pan={'|'.join([mix, *written])}"
