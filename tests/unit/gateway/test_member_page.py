"""The page and its files."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.gateway.member_page import page_file
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import Town

INDEX = b"<!doctype html><title>Cuemark</title>"
SCRIPT = b"console.log(1)"


@pytest.fixture
def page(town: Town) -> Path:
    folder = town.page_folder
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "assets/main-abc.js").write_bytes(SCRIPT)
    (folder / "favicon.svg").write_bytes(b"<svg/>")
    (folder / ".hidden").write_bytes(b"hidden")
    (folder.parent / "outside.txt").write_bytes(b"outside")
    (folder / "assets/link.js").symlink_to(folder.parent / "outside.txt")
    return folder


@pytest.mark.parametrize("path", ["/", "/login", "/watch/ttl_film", "/index.html", "/a/b/c.d"])
async def test_every_view_is_the_page(ask: Asker, page: Path, path: str) -> None:
    answer = await ask("GET", path)
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.header("content-type").startswith("text/html")
    assert answer.header("cache-control") == "no-cache"
    head = await ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == str(len(INDEX))


async def test_assets_are_kept_for_a_year(ask: Asker, page: Path) -> None:
    answer = await ask("GET", "/assets/main-abc.js")
    assert (answer.status, answer.body) == (200, SCRIPT)
    assert answer.header("content-type").startswith("text/javascript")
    assert answer.header("cache-control") == "public, max-age=31536000, immutable"


async def test_text_is_shrunk_for_those_who_take_it(ask: Asker, page: Path) -> None:
    headers = {"accept-encoding": "br, gzip, deflate"}
    answer = await ask("GET", "/assets/main-abc.js", headers=headers)
    assert gzip.decompress(answer.body) == SCRIPT
    assert (answer.header("content-encoding"), answer.header("vary")) == ("gzip", "accept-encoding")
    (page / "assets/main-abc.js").write_bytes(SCRIPT * 2)
    os.utime(page / "assets/main-abc.js", ns=(1, 1))
    rebuilt = await ask("GET", "/assets/main-abc.js", headers=headers)
    assert gzip.decompress(rebuilt.body) == SCRIPT * 2
    plain = await ask("GET", "/assets/main-abc.js", headers={"accept-encoding": "gzip;q=0"})
    assert (plain.body, plain.header("content-encoding")) == (SCRIPT * 2, "")
    assert [name for name, _ in answer.headers].count("content-type") == 1


@pytest.mark.parametrize("path", ["/assets", "/assets/", "/assets/gone.js", "/assets/x/y.css"])
async def test_an_asset_that_is_gone_is_404(ask: Asker, page: Path, path: str) -> None:
    answer = await ask("GET", path)
    assert (answer.status, answer.code) == (404, "not_found")


async def test_other_files_of_the_page_are_revalidated(ask: Asker, page: Path) -> None:
    answer = await ask("GET", "/favicon.svg")
    assert (answer.body, answer.header("content-type")) == (b"<svg/>", "image/svg+xml")
    assert answer.header("cache-control") == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.txt",
        "/assets/../../outside.txt",
        "/assets/..%2f..%2foutside.txt",
        "/assets/%2e%2e/%2e%2e/outside.txt",
        "/assets/..\\..\\outside.txt",
        "//etc/passwd",
        "/assets//etc/passwd",
        "/assets/%00",
        "/assets/main-abc.js%00.png",
        "/assets/link.js",
        "/.hidden",
        "/assets/" + "a" * 5000,
        "/assets/%F0%9F%8E%AC",
    ],
)
async def test_no_path_leaves_the_folder(ask: Asker, page: Path, path: str) -> None:
    answer = await ask("GET", path)
    assert answer.status in (200, 404)
    assert answer.body == INDEX or answer.code == "not_found"


@given(st.text(alphabet=st.sampled_from("./\\%a\x00é"), max_size=30))
def test_whatever_the_path_only_the_page_is_read(
    tmp_path_factory: pytest.TempPathFactory, path: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "page"
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder.parent / "a").write_bytes(b"outside")
    found = page_file(folder, "/" + path, takes_gzip=False)
    assert found is None or found.body == INDEX


async def test_without_a_build_the_page_says_so(ask: Asker) -> None:
    answer = await ask("GET", "/")
    assert answer.status == 503
    assert answer.header("content-type").startswith("text/html")
    assert b"web/" in answer.body
