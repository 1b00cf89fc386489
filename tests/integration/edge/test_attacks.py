"""What a viewer with a good token does to an appliance, and what the others notice of it."""

import asyncio
import contextlib
import itertools
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from cuemark.edge.filling import MISSING_S
from tests.integration.edge.farm import SEGMENT, Farm, farm, noise, until
from tests.integration.edge.test_misses import until_held
from tests.integration.edge.wire import fetch, fetch_async

BODY = noise(300_000)
MANY = ",".join(f"{2 * n}-{2 * n}" for n in range(2000))
OVERLAPPING = ",".join(f"{n}-" for n in range(0, 200))
HEADER_TIMEOUT_S = 10
SLOW, OTHERS = 300, 20


RANGES = (MANY, OVERLAPPING, "0-,0-,0-", "9-1", "-", "a-b", "0-0," * 40, f"{'9' * 20}-")


def test_no_range_makes_an_answer_longer_than_the_file(tmp_path: Path) -> None:
    files = {f"v{number}/9.m4s": noise(100_000, number) for number in range(len(RANGES))}
    with farm(tmp_path, files) as built:
        version_id = built.versions[0].version_id
        for ranges, (path, body) in zip(RANGES, files.items(), strict=True):
            target = built.target(version_id, path)
            cold = built.get(target, Range=f"bytes={ranges}")
            until_held(built, target)
            for reply in (cold, built.get(target, Range=f"bytes={ranges}"), built.get(target)):
                assert reply.status in (200, 400, 416), ranges
                assert reply.status != 200 or reply.body == body, ranges


def test_what_stands_in_a_query_or_a_header_is_in_no_cache_and_goes_no_further(
    tmp_path: Path,
) -> None:
    poison = {
        "X-Forwarded-Host": "evil.example",
        "X-Original-URL": "/etc/passwd",
        "X-Rewrite-URL": "/etc/passwd",
        "X-Accel-Redirect": "/views/run/token_keys.json",
        "X-HTTP-Method-Override": "DELETE",
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Cookie": "a=evil.example",
        "Accept-Encoding": "gzip",
    }
    with farm(tmp_path, {SEGMENT: BODY}) as built:
        target = built.target(built.versions[0].version_id)
        queries = ("?evil=1", "?../../x", "?a=%00", f"?{'y' * 500}")
        replies = [built.get(target + query, **poison) for query in queries]
        until_held(built, target)
        replies += [built.get(target + query, **poison) for query in queries]
        assert {reply.status for reply in replies} == {200}
        assert all(reply.body == BODY for reply in replies)
        told = [value for reply in replies for value in reply.headers.values()]
        assert not any("evil" in value for value in told)
        assert len(built.origin_requests(SEGMENT)) == 1
        (origin_log,) = (tmp_path / "origin" / "logs").glob("access.jsonl")
        assert "evil" not in origin_log.read_text()


def test_an_error_is_kept_by_nobody_and_remembered_for_seconds_only(tmp_path: Path) -> None:
    with farm(tmp_path, {SEGMENT: BODY}) as built:
        version_id = built.versions[0].version_id
        stored = built.objects / "versions" / version_id / SEGMENT
        stored.rename(stored.with_suffix(".away"))
        failed = built.get(built.target(version_id))
        assert failed.status == 502
        assert failed.headers["cache-control"] == "no-store"
        stored.with_suffix(".away").rename(stored)
        until(lambda: built.get(built.target(version_id)).body == BODY, MISSING_S + 2)


def test_a_link_on_the_origin_leads_nowhere_whoever_asks(tmp_path: Path) -> None:
    """One in place of a published file, one that nobody published, and one to a whole folder."""
    secret = tmp_path / "secrets" / "key"
    secret.parent.mkdir()
    secret.write_bytes(b"the secret" * 30_000)
    secret.parent.chmod(0o755)
    with farm(tmp_path, {SEGMENT: BODY, "v3/9.m4s": BODY[::-1]}) as built:
        version_id = built.versions[0].version_id
        folder = built.objects / "versions" / version_id
        (folder / SEGMENT).unlink()
        (folder / SEGMENT).symlink_to(secret)
        (folder / "v2").symlink_to(secret.parent)
        shutil.rmtree(folder / "v3")
        (folder / "v3").mkdir()
        (folder / "v3/9.m4s").symlink_to("../../../../secrets/key")
        key = {"X-Origin-Key": built.origin.key}
        for path in (SEGMENT, "v2/key", "v3/9.m4s"):
            direct = fetch(built.origin.port, f"/{version_id}/{path}", key)
            assert direct.status in (403, 404), path
            reply = built.get(built.target(version_id, path))
            assert reply.status in (404, 502), path
            assert b"the secret" not in direct.body + reply.body


def test_the_token_of_one_session_gains_nothing_from_that_of_another(tmp_path: Path) -> None:
    """Neither its end, nor its variants, nor its life after it was revoked."""
    with farm(tmp_path, {SEGMENT: BODY}) as built:
        version_id = built.versions[0].version_id
        ours, theirs = (
            built.token(version_id, subject=f"play_{who}", expires_at_s=int(time.time()) + life_s)
            for who, life_s in (("ours", 600), ("theirs", 900))
        )
        half = len(ours) // 2
        mixed = [ours[:at] + theirs[at:] for at in (half, len(ours) - 43, len(ours) - 4)]
        assert built.get(f"/t/{ours}/{version_id}/{SEGMENT}").status == 200
        assert built.get(f"/t/{theirs}/{version_id}/{SEGMENT}").status == 200
        for token in mixed:
            assert token not in (ours, theirs)
            assert built.get(f"/t/{token}/{version_id}/{SEGMENT}").status == 401
        built.revoke("play_ours")
        until(lambda: built.get(f"/t/{ours}/{version_id}/{SEGMENT}").status == 401, 3)
        assert built.get(f"/t/{theirs}/{version_id}/{SEGMENT}").body == BODY
        assert built.get(f"/t/{mixed[0]}/{version_id}/{SEGMENT}").status == 401


@contextlib.asynccontextmanager
async def opened(built: Farm) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", built.appliance.port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.close()


async def served_s(built: Farm, targets: Sequence[str]) -> float:
    """How long the slowest of others waits for its first byte."""
    port = built.appliance.port
    replies = await asyncio.gather(*(fetch_async(port, target) for target in targets))
    assert all(reply.status == 200 and reply.whole for reply in replies)
    return max(reply.first_byte_s for reply in replies)


def test_who_sends_a_request_by_the_byte_holds_up_nobody_and_is_cut_off(tmp_path: Path) -> None:
    async def attack(built: Farm, target: str) -> None:
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\nX-A: ".encode()
        async with contextlib.AsyncExitStack() as stack:
            slow = [await stack.enter_async_context(opened(built)) for _ in range(SLOW)]
            begun_s = time.monotonic()
            for at in itertools.count():
                for _, writer in slow:
                    writer.write(request[at : at + 1] if at < len(request) else b"a")
                if at % 10 == 0:
                    assert await served_s(built, [target] * OTHERS) < 5
                if time.monotonic() - begun_s > HEADER_TIMEOUT_S + 2:
                    break
                await asyncio.sleep(0.2)
            async with asyncio.timeout(5):
                for reader, _ in slow:
                    with contextlib.suppress(ConnectionError):
                        assert b"200 OK" not in await reader.read()

    with farm(tmp_path, {SEGMENT: BODY}) as built:
        target = built.target(built.versions[0].version_id)
        until_held(built, target)
        asyncio.run(asyncio.wait_for(attack(built, target), 60))


def test_who_does_not_read_what_was_asked_for_holds_up_nobody(tmp_path: Path) -> None:
    """Neither of what is held, nor of what comes in meanwhile."""
    files = {SEGMENT: noise(4 << 20), **{f"v2/{n}.m4s": noise(200_000, n) for n in range(20, 26)}}

    async def attack(built: Farm, cold: str, fresh: Sequence[str]) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(SLOW):
                _, writer = await stack.enter_async_context(opened(built))
                writer.write(f"GET {cold} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await asyncio.sleep(1)
            assert await served_s(built, [cold] * 3) < 5
            assert await served_s(built, fresh) < 5

    with farm(tmp_path, files) as built:
        version_id = built.versions[0].version_id
        fresh = [built.target(version_id, path) for path in files if path != SEGMENT]
        asyncio.run(asyncio.wait_for(attack(built, built.target(version_id), fresh), 60))
