"""Work that nobody wants any more: its tool is ended, and what it was making is gone."""

import threading
import time
from pathlib import Path

import pytest

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import Interrupted
from cuemark.contexts.encoding.workflow.hand import Hand
from cuemark.contexts.encoding.workflow.tasks import Task
from cuemark.contracts.ids import VersionId
from tests.integration.encoding.conftest import Studio

JOB, OTHER = VersionId("ver_1"), VersionId("ver_2")
SLOW = Recipe(1920, 1080, 18.0, "veryslow")


def task(studio: Studio) -> Task:
    return Task(
        kind="encode",
        version_id=JOB,
        stage="encode",
        urgency=Urgency.FULL,
        sha256=studio.sha256,
        made_for="a rung",
    )


def scratch(studio: Studio) -> list[Path]:
    return list((studio.shop.objects.root / "tmp").iterdir())


def test_a_tool_is_ended_soon_and_leaves_nothing_behind(studio: Studio) -> None:
    hand = Hand()
    timers = [threading.Timer(at_s, hand.drop, [job]) for at_s, job in ((0.1, OTHER), (1.0, JOB))]
    chunk = Chunk(0, 0, 90, [0, 30, 60])
    began_s = time.monotonic()
    with hand.holding(task(studio)):
        for timer in timers:
            timer.start()
        with pytest.raises(Interrupted):
            pictures.encode_chunk(studio.shop, studio.sha256, chunk, SLOW)
        assert 1.0 <= time.monotonic() - began_s < 2.5
    assert scratch(studio) == []
    assert not studio.shop.has(pictures.chunk_key(studio.shop, studio.sha256, chunk, SLOW))


def test_what_is_in_hand_is_told_and_what_is_not_cannot_be_dropped(studio: Studio) -> None:
    hand = Hand()
    assert hand.now() is None
    hand.drop(JOB)
    hand.check()
    with hand.holding(task(studio)):
        held = hand.now()
        assert held is not None
        assert (held.version_id, held.kind, held.made_for) == (JOB, "encode", "a rung")
        hand.drop(OTHER)
        hand.pause(0.01)
        hand.drop(JOB)
        with pytest.raises(Interrupted):
            hand.pause(60)
    assert hand.now() is None
    with hand.holding(task(studio)):
        hand.check()
