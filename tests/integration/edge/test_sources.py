"""An appliance and whom it asks: peers, the storage tier, the origin; right, wrong, slow, dead."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blake3 import blake3

from tests.integration.edge.farm import (
    SEGMENT,
    Farm,
    assert_no_token_in_logs,
    farm,
    noise,
    until,
)
from tests.integration.edge.test_scrub import flip
from tests.integration.edge.wire import Reply, fetch_async

BODY = noise(300_000)


@contextlib.contextmanager
def two(
    root: Path, files: dict[str, bytes], *, held_only: bool = True, **options: Any
) -> Iterator[tuple[Farm, Farm]]:
    """An appliance, and one beside it that has it as a source; both know the version ``files``."""
    with farm(root / "a", files) as first:
        second = Farm(root / "b", beside=first, **options)
        second.sources = [first.as_source(held_only=held_only)]
        second.tell()
        try:
            second.start_all()
            yield first, second
            assert_no_token_in_logs(root / "b")
        finally:
            second.stop_all()


@contextlib.contextmanager
def stopped(built: Farm, child: str) -> Iterator[None]:
    """A child stands still: its connections are taken, and nothing comes."""
    group = built.children[child].process.pid
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def of(built: Farm, path: str = SEGMENT) -> str:
    return built.target(built.versions[0].version_id, path)


def held_file(built: Farm, body: bytes) -> Path:
    name = blake3(body).hexdigest()
    return built.root / "appliance" / "store" / name[:2] / name


def test_an_appliance_is_filled_by_its_peer_with_the_origin_dead(tmp_path: Path) -> None:
    with two(tmp_path, {SEGMENT: BODY}) as (first, second):
        assert first.get(of(first)).body == BODY
        until(held_file(first, BODY).exists)
        first.children["origin"].kill()
        reply = second.get(of(second))
        assert reply.body == BODY
        assert reply.headers["cache-status"] == (
            "cuemark-appliance-2; fwd=miss; stored; detail=peer"
        )
        until(lambda: second.health().from_peers_bytes == len(BODY))
        until(lambda: second.get(of(second)).headers["cache-status"].endswith("hit"))
        assert second.health().from_origin_bytes == 0


def test_peers_ask_nobody_on_behalf_of_one_another(tmp_path: Path) -> None:
    with two(tmp_path, {SEGMENT: BODY}) as (first, second):
        first.sources = [second.as_source(held_only=True)]
        first.tell()
        assert second.get(of(second)).body == BODY
        assert second.health().from_origin_bytes == len(BODY)
        assert first.stored() == set()
        assert len(first.origin_requests(SEGMENT)) == 1
        assert first.get(of(first)).headers["cache-status"].endswith("detail=peer")


def test_the_storage_tier_fetches_what_it_lacks(tmp_path: Path) -> None:
    with two(tmp_path, {SEGMENT: BODY}, held_only=False) as (first, second):
        reply = second.get(of(second))
        assert reply.body == BODY
        assert reply.headers["cache-status"].endswith("; detail=storage")
        until(held_file(first, BODY).exists)
        (asked,) = first.origin_requests(SEGMENT)
        assert asked["appliance"] == "cuemark/appliance-1"
        health = second.health()
        assert (health.from_storage_bytes, health.from_origin_bytes) == (len(BODY), 0)


def test_no_viewer_sees_the_wrong_bytes_of_a_peer_which_then_loses_its_rank(tmp_path: Path) -> None:
    files = {SEGMENT: BODY, "v1/8.m4s": noise(50_000, 8)}
    with two(tmp_path, files) as (first, second):
        for path, body in files.items():
            assert first.get(of(first, path)).body == body
            until(held_file(first, body).exists)
        flip(held_file(first, BODY), 1000)

        async def ask() -> list[Reply]:
            port, target = second.appliance.port, of(second)
            return await asyncio.gather(*(fetch_async(port, target) for _ in range(10)))

        assert [reply.body == BODY for reply in asyncio.run(ask())] == [True] * 10
        (wrong,) = second.logged("source_wrong")
        assert wrong["source"] == "appliance-1"
        assert second.get(of(second, "v1/8.m4s")).body == files["v1/8.m4s"]
        assert second.filled("v1/8.m4s")["source"] == "origin"
        until(held_file(second, BODY).exists)
        assert blake3(held_file(second, BODY).read_bytes()).hexdigest() == (
            blake3(BODY).hexdigest()
        )


def test_wrong_bytes_of_the_storage_tier_are_not_stored_and_the_next_answer_is_right(
    tmp_path: Path,
) -> None:
    with two(tmp_path, {SEGMENT: BODY}, held_only=False) as (first, second):
        assert first.get(of(first)).body == BODY
        until(held_file(first, BODY).exists)
        flip(held_file(first, BODY), 299_999)
        reply = second.get(of(second))
        assert reply.body == BODY or not reply.whole
        assert second.get(of(second)).body == BODY
        assert second.logged("source_wrong")


def test_a_dead_peer_costs_next_to_nothing_and_a_silent_one_a_second_once(tmp_path: Path) -> None:
    files = {f"v{number}/9.m4s": noise(50_000, number) for number in range(6)}
    with two(tmp_path, files) as (first, second):
        paths = iter(files)
        with stopped(first, "nginx"):
            reply = second.get(of(second, path := next(paths)))
            assert reply.body == files[path]
            assert reply.seconds < 2.5
            reply = second.get(of(second, path := next(paths)))
            assert reply.body == files[path]
            assert reply.seconds < 0.8
        first.children["nginx"].kill()
        for path in paths:
            reply = second.get(of(second, path))
            assert reply.body == files[path]
            assert reply.seconds < 1.0


def test_a_silent_origin_holds_no_slot_for_long(tmp_path: Path) -> None:
    files = {f"v{number}/9.m4s": noise(20_000, number) for number in range(24)}
    with two(tmp_path, files, max_fills=4) as (first, second):
        known, *others = files
        assert first.get(of(first, known)).body == files[known]
        until(held_file(first, files[known]).exists)

        async def ask() -> list[Reply]:
            port = second.appliance.port
            return await asyncio.gather(*(fetch_async(port, of(second, path)) for path in others))

        with stopped(first, "origin"):
            begun_s = time.monotonic()
            replies = asyncio.run(ask())
            assert time.monotonic() - begun_s < 9
            assert {reply.status for reply in replies} == {503}
            assert {reply.headers["retry-after"] for reply in replies} == {"1"}
            reply = second.get(of(second, known))
            assert (reply.body, reply.seconds < 1.5) == (files[known], True)
        until(lambda: second.get(of(second, others[0])).body == files[others[0]])


def test_what_the_origin_lacks_is_asked_for_once_in_a_while(tmp_path: Path) -> None:
    with farm(tmp_path, {SEGMENT: BODY}) as built:
        path = built.objects / "versions" / built.versions[0].version_id / SEGMENT
        path.unlink()
        replies = [built.get(of(built)) for _ in range(10)]
        assert {reply.status for reply in replies} == {502}
        assert {reply.headers["cache-control"] for reply in replies} == {"no-store"}
        assert len(built.origin_requests(SEGMENT)) == 1
        path.write_bytes(BODY)
        until(lambda: built.get(of(built)).body == BODY)


def test_both_variants_of_a_marked_segment_come_from_a_peer(tmp_path: Path) -> None:
    files = {"v1/a9.m4s": noise(9000, 1), "v1/b9.m4s": noise(9000, 2)}
    rows = [b"\x00", b"\xff"]
    with two(tmp_path, files) as (first, second):
        version_id = first.versions[0].version_id

        def asked(built: Farm, row: bytes) -> Reply:
            return built.get(f"/t/{built.token(version_id, variants=row)}/{version_id}/v1/x9.m4s")

        assert [asked(first, row).body for row in rows] == list(files.values())
        until(lambda: len(first.stored()) == 2)
        first.children["origin"].kill()
        assert [asked(second, row).body for row in rows] == list(files.values())
        until(lambda: second.health().from_peers_bytes == 18_000)
