"""What could stand for a title, as operators choose it."""

import msgspec
import pytest

from cuemark.contexts.encoding.model.report import Kept, of_version
from cuemark.contracts.encoding.artwork import ArtworkCandidate, ArtworkFrame
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, DRAFT, FILM, OPERATOR, Town
from tests.unit.playback.versions import version

JPEG = b"\xff\xd8\xff picture "
ARTWORKS = f"/api/v1/titles/{FILM}/artworks"
CANDIDATES = [
    ArtworkCandidate(
        number=number,
        picture_key=f"artworks/{number}.jpg",
        at_s=float(number),
        frame=ArtworkFrame(frame=24 * number, sharpness=20.0, brightness=0.5),
    )
    for number in (1, 2, 3)
]


@pytest.fixture
def choice(town: Town) -> Town:
    """The film's version has three candidates."""
    town.studio.reports["ver_1"] = of_version(version(), Kept(artworks=CANDIDATES), [], "")
    for each in CANDIDATES:
        town.objects.put(each.picture_key, JPEG + bytes([each.number]))
    return town


async def test_the_candidates_are_listed_with_what_speaks_for_them(
    ask: Asker, choice: Town
) -> None:
    listed = (await ask("GET", ARTWORKS, token=OPERATOR)).json()
    assert (listed["title_id"], listed["version_id"], listed["chosen"]) == (FILM, "ver_1", False)
    assert [each["number"] for each in listed["artworks"]] == [1, 2, 3]
    assert listed["artworks"][1] == {
        "number": 2,
        "at_s": 2.0,
        "sharpness": 20.0,
        "brightness": 0.5,
        "shown": False,
        "url": f"{ARTWORKS}/2",
    }
    picture = await ask("GET", f"{ARTWORKS}/2", token=OPERATOR)
    assert (picture.status, picture.body, picture.header("content-type")) == (
        200,
        JPEG + b"\x02",
        "image/jpeg",
    )


async def test_what_was_picked_is_what_viewers_get_until_it_is_given_back(
    ask: Asker, choice: Town
) -> None:
    choice.objects.put("artwork/film.jpg", JPEG)
    path = f"/api/v1/titles/{FILM}/artwork"
    assert (await ask("PUT", path, token=OPERATOR, json={"number": 3})).status == 200
    assert (await ask("GET", path, token=ANNA)).body == JPEG + b"\x03"
    listed = (await ask("GET", ARTWORKS, token=OPERATOR)).json()
    assert listed["chosen"] is True
    assert [each["number"] for each in listed["artworks"] if each["shown"]] == [3]
    assert (await ask("PUT", path, token=OPERATOR, json={"number": 0})).status == 200
    assert (await ask("GET", path, token=ANNA)).body == JPEG


async def test_a_title_card_is_shown_by_the_name_and_the_picture_that_were_picked(
    ask: Asker, choice: Town
) -> None:
    name = choice.films.titles[FILM].name
    choice.objects.put(f"artworks/2.jpg-{name}", b"card")
    path = f"/api/v1/titles/{FILM}/artwork"
    assert (await ask("GET", f"{ARTWORKS}/2?with_name=true", token=OPERATOR)).body == b"card"
    pick = {"number": 2, "with_name": True}
    assert (await ask("PUT", path, token=OPERATOR, json=pick)).status == 200
    shown = await ask("GET", path, token=ANNA)
    assert shown.body == b"card"
    assert (await ask("GET", f"{path}?plain=true", token=ANNA)).body == JPEG + b"\x02"
    assert (await ask("GET", ARTWORKS, token=OPERATOR)).json()["with_name"] is True
    renamed = msgspec.structs.replace(choice.films.titles[FILM], name="Renamed")
    choice.films.titles[FILM] = renamed
    choice.objects.put("artworks/2.jpg-Renamed", b"another card")
    again = await ask("GET", path, token=ANNA)
    assert again.body == b"another card"
    assert again.header("etag") != shown.header("etag")


async def test_a_name_that_cannot_be_set_in_type_is_not_picked_and_shows_the_picture(
    ask: Asker, choice: Town
) -> None:
    choice.studio.unprintable.add(choice.films.titles[FILM].name)
    path = f"/api/v1/titles/{FILM}/artwork"
    pick = {"number": 2, "with_name": True}
    refused = await ask("PUT", path, token=OPERATOR, json=pick)
    assert (refused.status, refused.code) == (422, "card_impossible")
    title = choice.films.titles[FILM]
    choice.films.titles[FILM] = msgspec.structs.replace(
        title, artwork_key="artworks/2.jpg", artwork_with_name=True
    )
    assert (await ask("GET", path, token=ANNA)).body == JPEG + b"\x02"


@pytest.mark.parametrize("number", ["0", "4", "-1", "x", "1.0", "9" * 400, "%00", "..", "²"])
async def test_a_candidate_that_there_is_not_is_not_found(
    ask: Asker, choice: Town, number: str
) -> None:
    answer = await ask("GET", f"{ARTWORKS}/{number}", token=OPERATOR)
    assert answer.status == 404
    picked = await ask("PUT", f"/api/v1/titles/{FILM}/artwork", token=OPERATOR, json={"number": 4})
    assert (picked.status, picked.code) == (404, "not_found")
    assert "choose from 1 to 3" in picked.json()["error"]["message"]


async def test_a_title_without_a_version_and_one_of_an_older_release_say_so(
    ask: Asker, choice: Town
) -> None:
    draft = await ask("GET", f"/api/v1/titles/{DRAFT}/artworks", token=OPERATOR)
    assert (draft.status, draft.code) == (409, "not_published")
    choice.studio.reports["ver_1"] = of_version(version(), Kept(), [], "")
    assert (await ask("GET", ARTWORKS, token=OPERATOR)).json()["artworks"] == []
    old = await ask("PUT", f"/api/v1/titles/{FILM}/artwork", token=OPERATOR, json={"number": 1})
    assert (old.status, "older release" in old.json()["error"]["message"]) == (404, True)


async def test_the_report_shows_the_pictures(ask: Asker, choice: Town) -> None:
    page = await ask("GET", "/api/v1/versions/ver_1/report", token=OPERATOR)
    assert page.status == 200
    assert page.body.decode().count("data:image/jpeg;base64,") == 3
