"""What was encrypted decrypts to what was encoded, with its key and with no other."""

import io
import os
import stat
import tarfile
from pathlib import Path

import msgspec
import pytest

from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.packaging import Order, SoundToPackage, package
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.decoding import content_of
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contracts.encoding.versions import Version
from tests.integration.encoding.conftest import SHOT_FRAMES, SHOTS, Studio
from tests.integration.encoding.packaging.conftest import KEYS, NOW, order_of, root_of, segments_of


def test_every_segment_decrypts_and_is_nothing_without_the_key(
    studio: Studio, order: Order, version: Version, tmp_path: Path
) -> None:
    root = root_of(studio, order)
    for rung in order.rungs:
        track = root / f"v{rung.height}"
        clear = content_of(studio.shop.path(rung.key, pictures.RUNG), "video")
        samples: list[str] = []
        for segment in segments_of(track):
            whole = tmp_path / "segment.mp4"
            whole.write_bytes((track / "init.mp4").read_bytes() + segment.read_bytes())
            samples += content_of(whole, "video", KEYS[1].key).samples
            for foreign in ("", KEYS[0].key):
                assert first_picture(whole, foreign) != first_picture(whole, KEYS[1].key)
        assert samples == clear.samples
        assert len(samples) == SHOTS * SHOT_FRAMES


def first_picture(file: Path, key: str) -> str:
    """The hash of what a player with this key shows first; nothing where nothing decodes.

    Of small pictures cbcs leaves whole samples in the clear (less than one block of 16 bytes),
    so it is the IDR, which the others need, that must be hidden.
    """
    try:
        return content_of(file, "video", key).first_frame
    except ToolFailed:
        return ""


def test_another_key_than_was_asked_for_fails_the_round_trip(
    studio: Studio, sounds: list[SoundToPackage], captions_sha256: str, tmp_path: Path
) -> None:
    """A packager that encrypts with a key of its own: the version is refused and not kept.

    It may read nothing but itself, so what it gives out is in it.
    """
    foreign = [msgspec.structs.replace(key, key="ee" * 16) for key in KEYS]
    other = order_of(studio, "ver_foreign", sounds, captions_sha256)
    package(studio.shop, other, lambda _: foreign, NOW)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("v72", "v144", "a-de", "a-de.opus"):
            tar.add(root_of(studio, other) / folder, folder)
        tar.add(os.devnull, "packager.mpd", filter=as_empty_file)
    faulty = tmp_path / "packager"
    faulty.write_bytes(
        b"#!/bin/sh\nsed '1,/^PACKED$/d' \"$0\" | tar x\nexit\nPACKED\n" + packed.getvalue()
    )
    faulty.chmod(faulty.stat().st_mode | stat.S_IXUSR)
    programs = msgspec.structs.replace(studio.shop.programs, packager=faulty)
    # Another build of the packager would make new keys of results; the film is inspected anew.
    shop = Workshop(studio.shop.objects, programs)
    pictures.inspect(shop, studio.sha256)
    order = order_of(studio, "ver_faulty", sounds, captions_sha256)
    with pytest.raises(ToolFailed, match="does not decrypt"):
        package(shop, order, lambda _: KEYS, NOW)
    assert not os.path.lexists(root_of(studio, order))


def as_empty_file(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.type = tarfile.REGTYPE
    return entry


def test_a_ladder_of_sixty_renditions_needs_no_more_than_the_packager_may_have(
    studio: Studio, sounds: list[SoundToPackage], captions_sha256: str
) -> None:
    """Three codecs, of which two in two ranges, come near that; all are of one key in one run."""
    order = order_of(studio, "ver_many", sounds, captions_sha256)
    first = order.rungs[0]
    heights = {f"v{72 + each}": 72 + each for each in range(60)}
    rungs = [msgspec.structs.replace(first, height=height) for height in heights.values()]
    many = msgspec.structs.replace(order, rungs=rungs)
    made = package(studio.shop, many, lambda _: KEYS, NOW, with_thumbnails=False)
    assert {each.rendition_id for each in made.renditions} == set(heights)
