"""Fast forward as a device does it: an I-frame playlist, a segment, a key, one picture."""

import re
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from urllib.parse import urljoin

import av
import m3u8
import numpy as np
import pytest
import requests
from numpy.typing import NDArray
from PIL import Image

from tests.e2e.conftest import FILM, FRAME_RATE, SECONDS
from tests.e2e.installation import Installation, wait_until


class Device:
    """A member's device in a play, which fetches by HTTP alone."""

    def __init__(self, installation: Installation) -> None:
        self._session = requests.Session()
        base = installation.api_url
        code = {"code": installation.login_code()}
        granted = self._session.post(f"{base}/login/link", json=code, timeout=10)
        assert granted.status_code == 200, granted.text
        self._session.headers["Authorization"] = f"Bearer {granted.json()['token']}"
        body = {"title_id": installation.title_id(FILM), "device": "web"}
        play = self._session.post(f"{base}/plays", json=body, timeout=10).json()
        self.master = self.text(urljoin(base, play["hls_url"]))
        self.key_base = re.findall(r'NAME="key_base",VALUE="([^"]+)"', self.master)[0]

    def text(self, url: str) -> str:
        answer = self._session.get(url, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.text

    def key(self, url: str) -> bytes:
        return self._session.get(url, timeout=10).content

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="module")
def device(running_cuemark: Installation) -> Iterator[Device]:
    made = Device(running_cuemark)
    yield made
    made.close()


def fetched(url: str) -> requests.Response:
    """What an appliance gives to somebody who has nothing but the address."""
    return requests.get(url, timeout=10)


def ranged(url: str) -> requests.Response:
    """As a player asks that looks at the fragment first."""
    return requests.get(url, headers={"Range": "bytes=0-99"}, timeout=10)


def missed(url: str, expected: bytes) -> bool:
    """Whether what was dropped is fetched again: nginx reads on for a second what it has open."""
    part = ranged(url)
    assert (part.status_code, part.content) == (206, expected)
    return "fwd=miss" in part.headers["Cache-Status"]


def one_picture(data: bytes, key: bytes, folder: Path) -> NDArray[np.uint8]:
    """What FFmpeg decodes of an I-frame with its init segment: exactly one picture."""
    file = folder / "one.mp4"
    file.write_bytes(data)
    options = {"decryption_key": key.hex(), "ignore_editlist": "1"}
    with av.open(str(file), options=options) as container:
        (frame,) = container.decode(video=0)
        assert isinstance(frame, av.VideoFrame)
        return np.asarray(frame.to_ndarray(format="gray"), np.uint8)


def stored(installation: Installation, url: str) -> Path:
    """The file behind an address of an appliance."""
    path = "/".join(url.split("/")[-3:])
    port = int(url.split(":")[2].split("/")[0])
    name = next(str(each["id"]) for each in installation.appliances if f":{port}" in each["url"])
    return installation.folder / "appliances" / name / "views" / path


def test_each_iframe_comes_alone_as_a_hit_and_as_a_miss_and_is_the_films(
    running_cuemark: Installation, device: Device, tmp_path: Path
) -> None:
    listed = m3u8.loads(device.master).iframe_playlists
    assert len(listed) == len(running_cuemark.appliances)
    best = listed[0]
    text = device.text(best.uri)
    frames = m3u8.loads(text)
    assert frames.is_i_frames_only
    init = fetched(urljoin(best.uri, frames.segment_map[0].uri)).content
    key = device.key(frames.keys[0].uri.replace("{$key_base}", device.key_base))
    digests = digests_of(device, best.uri)
    assert [sha256(each).digest()[:16] for each in (text.encode(), init)] == digests[:2]
    assert len(digests) == 2 + len(frames.segments)
    at_s, size_bytes = 0.0, 0
    for number, each in enumerate(frames.segments, 2):
        url = urljoin(best.uri, each.uri)
        file = stored(running_cuemark, url)
        # Filled ahead; where another test has emptied the store of this appliance, filled now.
        assert fetched(url).status_code == 200
        wait_until(file.exists, 30, "the I-frame is filled")
        hit, part = fetched(url), ranged(url)
        assert (hit.status_code, "; hit" in hit.headers["Cache-Status"]) == (200, True)
        assert (part.status_code, part.content) == (206, hit.content[:100])
        file.resolve().unlink()
        wait_until(partial(missed, url, hit.content[:100]), 5, "the I-frame is fetched again")
        assert sha256(hit.content).digest()[:16] == digests[number]
        picture = one_picture(init + hit.content, key, tmp_path)
        with Image.open(running_cuemark.film_frame(FILM, at_s, picture.shape[1])) as image:
            film = np.asarray(image.convert("L"), np.float64)
        assert np.abs(picture - film).mean() < 4, at_s
        at_s += each.duration
        size_bytes += len(hit.content)
    assert at_s == pytest.approx(SECONDS, abs=1 / FRAME_RATE)
    assert size_bytes * 8 / SECONDS <= int(best.iframe_stream_info.bandwidth)


def digests_of(device: Device, playlist_url: str) -> list[bytes]:
    """The list of digests that the manifest seals for a playlist."""
    track_id = playlist_url.rpartition("/")[2].removesuffix(".m3u8")
    sealed = {each.data_id: each.value for each in m3u8.loads(device.master).session_data}
    path, _, seal = sealed[f"org.cuemark.digests.{track_id}"].partition(" ")
    listed = requests.get(urljoin(playlist_url, path), timeout=10).content
    assert sha256(listed).hexdigest() == seal
    return [listed[at : at + 16] for at in range(0, len(listed), 16)]


def test_an_iframe_is_given_to_a_token_of_its_version_only(device: Device) -> None:
    best = m3u8.loads(device.master).iframe_playlists[0]
    each = m3u8.loads(device.text(best.uri)).segments[0]
    parts = urljoin(best.uri, each.uri).split("/")
    token = parts.index("t") + 1
    forged = [*parts[:token], parts[token][:-2] + "AA", *parts[token + 1 :]]
    assert fetched("/".join(forged)).status_code == 401
    elsewhere = [*parts[: token + 1], "ver_" + "0" * 26, *parts[token + 2 :]]
    assert fetched("/".join(elsewhere)).status_code == 403
