"""Bytes that change on an appliance's disk: found, gone, and healed, while it serves."""

import random
from pathlib import Path

from blake3 import blake3

from tests.integration.edge.farm import farm, noise, until

FILES = {f"v1/{number}.m4s": noise(20_000, number) for number in range(9, 49)}
SCRUBBED = {"background_kbps": 1_000_000, "scrub_kbps": 1_000_000}


def flip(path: Path, at: int) -> None:
    body = bytearray(path.read_bytes())
    body[at] ^= 0x10
    path.write_bytes(bytes(body))


def test_every_flipped_byte_is_found_and_healed_and_then_none_is_served(tmp_path: Path) -> None:
    with farm(tmp_path, FILES, scrub_every_s=1.0, **SCRUBBED) as built:
        version_id = built.versions[0].version_id
        until(lambda: len(built.stored()) == len(FILES))
        rng = random.Random(3)
        names = sorted(built.stored())
        for name in rng.sample(names, 10):
            flip(tmp_path / "appliance" / "store" / name[:2] / name, rng.randrange(20_000))
        until(lambda: built.health().healed == 10, 20)
        assert built.health().rotten == len(built.logged("rot_found")) == 10
        until(lambda: len(built.stored()) == len(FILES))
        for path, body in FILES.items():
            assert built.get(built.target(version_id, path)).body == body


def test_what_nginx_has_open_is_not_served_once_it_was_found_changed(tmp_path: Path) -> None:
    with farm(tmp_path, FILES, scrub_every_s=1.0, **SCRUBBED) as built:
        until(lambda: len(built.stored()) == len(FILES))
        path, body = next(iter(FILES.items()))
        target, name = built.target(built.versions[0].version_id, path), blake3(body).hexdigest()
        built.children["origin"].kill()
        assert [built.get(target).body for _ in range(5)] == [body] * 5
        stored = tmp_path / "appliance" / "store" / name[:2] / name
        with stored.open("r+b") as file:
            file.seek(7)
            file.write(bytes([body[7] ^ 0x10]))

        def found() -> bool:
            built.get(target)
            return built.health().rotten == 1

        until(found, 20)
        replies = [built.get(target) for _ in range(40)]
        assert not any(reply.whole and reply.status == 200 for reply in replies)
        assert all(len(reply.body) < 100 for reply in replies)
        until(lambda: built.get(target).status == 503, 3)


def test_what_is_found_while_the_origin_is_away_is_a_miss_and_healed_later(tmp_path: Path) -> None:
    with farm(tmp_path, FILES, scrub_every_s=1.0, **SCRUBBED) as built:
        version_id = built.versions[0].version_id
        until(lambda: len(built.stored()) == len(FILES))
        built.children["origin"].kill()
        path, body = next(iter(FILES.items()))
        name = blake3(body).hexdigest()
        flip(tmp_path / "appliance" / "store" / name[:2] / name, 7)
        until(lambda: built.health().to_heal == 1, 20)
        assert built.get(built.target(version_id, path)).status == 503
        built.start("origin")
        until(lambda: built.health().healed == 1, 20)
        assert built.get(built.target(version_id, path)).body == body
