"""What of a version a play may have: what its device can play, as its plan allows."""

from typing import get_args

import msgspec

from cuemark.contexts.playback.model import presentation, protection
from cuemark.contexts.playback.model.protection import Offer
from cuemark.contracts.encoding.versions import AudioTrack, Codec, DynamicRange, Rendition, Version
from cuemark.contracts.playback import CannotPlay
from cuemark.contracts.playback.devices import Capabilities
from cuemark.contracts.protection import AUDIO, Robustness, ScreenHdcp, protects

MOST_NAMES, MOST_NAME_CHARS = 32, 40
MOST_LINES = 1 << 16


def entitle(
    version: Version, said: Capabilities, max_height: int, offer: Offer, name: str
) -> Version:
    """The version as a play of it may see it: renditions and sounds that the device can play, that
    its screen and its keys are protected well enough for, and that the plan allows.

    The smallest picture is left whatever the bound on its size, and the first rendition of each
    sound whatever the device says of sounds. ``max_height`` is the plan's, 0 for any. Raises
    ``CannotPlay``, about the title ``name``, where no picture or no sound is left.
    """
    pictures = [each for each in version.renditions if _shown(each, said)]
    if not pictures:
        raise CannotPlay(f"{name} is not there in a form that this device can play.")
    sounds = [each for sound in presentation.sounds(version) for each in _heard(sound, said)]
    able = msgspec.structs.replace(version, renditions=pictures, audio=sounds)
    safe = protection.within(able, protection.level_of(version, offer, said), offer)
    if not safe.renditions or (able.audio and not safe.audio):
        raise CannotPlay(f"{name} plays only on devices that protect its keys by hardware.")
    kept = [each for each in safe.renditions if protects(said.hdcp, each.label, offer.hdcp)]
    if not kept:
        raise CannotPlay(f"{name} plays only on screens that are reached by HDCP.")
    safe = msgspec.structs.replace(safe, renditions=kept)
    return _in_size(_in_size(safe, said.max_height), max_height)


def unasked(robustness: Robustness) -> Capabilities:
    """Of a device that a release before asked for its robustness alone: it had everything."""
    return Capabilities(
        codecs=list(get_args(Codec)),
        max_height=0,
        dynamic_ranges=list(get_args(DynamicRange)),
        hdcp=get_args(ScreenHdcp)[-1],
        robustness=robustness,
    )


def kept(said: Capabilities) -> Capabilities:
    """As much of what a device says as is kept of it."""
    return msgspec.structs.replace(
        said,
        codecs=_names(said.codecs),
        dynamic_ranges=_names(said.dynamic_ranges),
        sounds=_names(said.sounds),
        max_height=max(0, min(said.max_height, MOST_LINES)),
        max_channels=max(0, min(said.max_channels, MOST_LINES)),
    )


def in_clear(said: Capabilities) -> Capabilities:
    """The same device where it takes its keys in the clear."""
    return msgspec.structs.replace(said, system=None, robustness="software")


def labels(entitled: Version) -> list[str]:
    """The labels of the keys that a play needs for what it may see."""
    found = {each.label for each in entitled.renditions}
    return sorted(found | {AUDIO} if entitled.audio else found)


def _names(names: list[str]) -> list[str]:
    """Without characters that no database keeps."""
    return [name.replace("\0", "")[:MOST_NAME_CHARS] for name in names[:MOST_NAMES]]


def _shown(rendition: Rendition, said: Capabilities) -> bool:
    bright = rendition.dynamic_range
    return rendition.codec in said.codecs and (bright == "sdr" or bright in said.dynamic_ranges)


def _heard(sound: list[AudioTrack], said: Capabilities) -> list[AudioTrack]:
    first, *others = sound
    return [
        first,
        *(
            each
            for each in others
            if each.codec in said.sounds and each.channels <= said.max_channels
        ),
    ]


def _in_size(version: Version, max_height: int) -> Version:
    """The version without the renditions of more lines, 0 for any number of them."""
    if not max_height or not version.renditions:
        return version
    most = max(max_height, min(each.height for each in version.renditions))
    kept = [each for each in version.renditions if each.height <= most]
    return msgspec.structs.replace(version, renditions=kept)
