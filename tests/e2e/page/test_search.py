"""Search on the member page: typed with slips, gone through by keys, and shown as rights allow."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.installation import Installation, ffmpeg, wait_until
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import until_playing
from tests.e2e.page.test_using import FOCUSED, SIZES, TOO_WIDE, _faults

pytestmark = pytest.mark.slow

LIGHTHOUSE, SALT, HARBOUR = "Northern Lighthouse", "Salt and Iron", "The Harbour at Night"
PERSON = "Mara Lindqvist"


@pytest.fixture(scope="module")
def kino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Three short films of one director, one of them for children and told in German, too."""
    film = tmp_path_factory.mktemp("films") / "film.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc2=s=192x108:r=12:d=3", "-f", "lavfi"]
    flags = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    ffmpeg(sources, ["-i", "sine=440:r=48000:d=3"], flags, str(film))
    kino = Installation(tmp_path_factory.mktemp("kino") / "data")
    kino.up()
    try:
        director = kino.json("people", "add", PERSON)["person_id"]
        kino.cli("terms", "put", "theme", "sea", "The sea", "de=Das Meer")
        for name, rating in ((LIGHTHOUSE, "6"), (SALT, "16"), (HARBOUR, "16")):
            kino.ingest(film, name, effort="fast")
            told = ["--genre=drama", "--theme=sea", f"--credit=director:{director}"]
            kino.cli("works", "edit", name, f"--rating=fsk:{rating}", "--year=1984", *told)
        kino.cli("works", "edit", LIGHTHOUSE, "--language=de", "--name=Leuchtturm im Norden")
        told_last = ("search", "find", "leuchtturm im norden")
        wait_until(lambda: bool(kino.json(*told_last)["hits"]), 30, "all is taken in")
        yield kino
    finally:
        kino.down()


@pytest.fixture
def running_cuemark(kino: Installation) -> Installation:
    """The visitors of this module come to these films."""
    return kino


def field(page: Page) -> None:
    """Puts the focus into the field."""
    page.get_by_role("combobox", name="Search").click()


def found(page: Page) -> list[str]:
    """The names of the works on the page of results, in their order."""
    return page.locator("main .card-name").all_inner_texts()


def results(member: Visitor, text: str) -> Page:
    member.page.goto(f"{member.origin}/search?text={text}")
    member.page.locator("main[aria-busy=false]").wait_for()
    return member.page


def test_a_slip_is_understood_and_what_is_picked_by_keys_plays(member: Visitor) -> None:
    page = member.page
    field(page)
    page.keyboard.type("nothern lighth", delay=20)
    option = page.get_by_role("option").first
    expect(option).to_have_text(re.compile(f"^{LIGHTHOUSE}"))
    combobox = page.get_by_role("combobox", name="Search")
    assert combobox.get_attribute("aria-expanded") == "true"
    expect(page.get_by_role("search").get_by_role("status")).to_have_text(re.compile("^Suggestion"))
    assert _faults(member) == [[], [], []]
    page.keyboard.press("Escape")
    expect(combobox).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Alt+ArrowDown")
    expect(combobox).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    assert combobox.get_attribute("aria-activedescendant") == option.get_attribute("id")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=LIGHTHOUSE).wait_for()
    like = page.get_by_role("region", name="More like this")
    like.get_by_text(SALT).wait_for()
    assert LIGHTHOUSE not in like.inner_text()
    page.get_by_role("link", name="Play").click()
    until_playing(page)
    assert member.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_what_was_found_is_shown_on_every_screen(
    member: Visitor, size: str, tmp_path: Path
) -> None:
    page = member.page
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.locator(".card .artwork.shown").first.wait_for()
    field(page)
    page.keyboard.type("mara")
    page.get_by_role("option", name=f"{PERSON} Person").wait_for()
    page.screenshot(path=tmp_path / f"suggested-{size}.png")
    assert page.evaluate(TOO_WIDE) <= 0
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Found for “mara”").wait_for()
    people = page.get_by_role("region", name="People")
    people.get_by_role("link", name=PERSON).wait_for()
    works = page.get_by_role("region", name="To watch")
    works.locator(".artwork.shown").nth(2).wait_for()
    assert sorted(found(page)) == sorted([LIGHTHOUSE, SALT, HARBOUR])
    assert PERSON in works.inner_text(), "it is said what led to a work"
    page.screenshot(path=tmp_path / f"found-{size}.png")
    assert page.evaluate(TOO_WIDE) <= 0
    assert _faults(member) == [[], [], []]
    people.get_by_role("link", name=PERSON).click()
    page.get_by_role("heading", name=f"Found for “{PERSON}”").wait_for()
    works.get_by_text(SALT).click()
    page.get_by_role("heading", name=SALT).wait_for()
    page.get_by_role("region", name="More like this").locator(".artwork.shown").nth(1).wait_for()
    page.screenshot(path=tmp_path / f"like-{size}.png", full_page=True)
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_role("link", name="The sea").click()
    page.get_by_role("heading", name="Found for “The sea”").wait_for()
    page.get_by_role("region", name="Genres and themes").get_by_text("The sea").wait_for()
    assert member.complaints == []


def test_results_go_on_by_themselves_page_after_page(member: Visitor) -> None:
    page, asked = member.page, []

    def by_one(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_(url=f"{route.request.url}&limit=1")

    page.route("**/api/v1/search?*", by_one)
    results(member, "drama")
    page.get_by_role("button", name="Show more").wait_for(state="detached")
    assert sorted(found(page)) == sorted([LIGHTHOUSE, SALT, HARBOUR])
    assert len(asked) >= 4, "three films and their genre"
    assert member.complaints == []


def test_a_remote_goes_into_the_field_through_the_list_and_out_again(member: Visitor) -> None:
    page = member.page
    page.keyboard.press("ArrowDown")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED) == "Search"
    page.keyboard.type("salt")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == "Search"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) != "Search", "at its end an arrow leaves the text"
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Found for “salt”").wait_for()
    page.get_by_role("link", name=SALT).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=SALT).wait_for()
    assert member.complaints == []


def test_nothing_is_found_of_what_rights_forbid(member: Visitor, kino: Installation) -> None:
    page = member.page
    assert found(results(member, "harbour")) == [HARBOUR]
    kino.cli("rights", "set", HARBOUR, "--territory=KI")
    try:
        page = results(member, "harbour")
        page.get_by_text("Nothing was found. Another spelling may help").wait_for()
        field(page)
        page.keyboard.press("End")
        page.keyboard.type(" at")
        expect(page.get_by_role("search").get_by_role("status")).to_have_text("No suggestions.")
        assert sorted(found(results(member, PERSON))) == sorted([LIGHTHOUSE, SALT])
        page.goto(f"{member.origin}/title/{kino.title_id(SALT)}")
        like = page.get_by_role("region", name="More like this")
        like.get_by_text(LIGHTHOUSE).wait_for()
        assert HARBOUR not in like.inner_text()
    finally:
        kino.cli("rights", "undo", HARBOUR)
    assert found(results(member, "harbour")) == [HARBOUR]
    assert member.complaints == []


def test_a_child_finds_what_is_for_it_alone(member: Visitor, tmp_path: Path) -> None:
    page, headers = member.page, {"origin": member.origin}
    request = page.context.request
    kid = {"name": "Kim", "kids": True, "maturity": 6}
    made = request.post(f"{member.origin}/api/v1/profiles", data=kid, headers=headers).json()
    chosen = {"profile_id": made["profile_id"]}
    assert request.put(f"{member.origin}/api/v1/profile", data=chosen, headers=headers).ok
    page.goto(member.origin)
    page.get_by_role("heading", name="What would you like to see, Kim?").wait_for()
    field(page)
    page.keyboard.type("mara")
    page.get_by_role("option", name=f"{PERSON} Person").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("region", name="To watch").locator(".artwork.shown").first.wait_for()
    assert found(page) == [LIGHTHOUSE]
    page.screenshot(path=tmp_path / "kids.png")
    assert found(results(member, "salt and iron")) == []
    page.get_by_text("Nothing was found").wait_for()
    assert member.complaints == []


def test_a_reader_of_another_language_finds_and_reads_in_it(
    browser: Browser, kino: Installation
) -> None:
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(kino.login_link())
    page.get_by_role("combobox", name="Suche").fill("leuchturm")
    page.get_by_role("option", name="Leuchtturm im Norden").click()
    page.get_by_role("heading", name="Leuchtturm im Norden").wait_for()
    page.get_by_role("link", name="Das Meer").click()
    page.get_by_role("heading", name="Gefunden für „Das Meer“").wait_for()
    page.get_by_role("region", name="Zum Ansehen").get_by_text("Leuchtturm im Norden").wait_for()
    context.close()


def test_where_search_is_away_it_is_said_and_asked_again(member: Visitor) -> None:
    page = member.page
    away = '{"error": {"code": "unavailable", "message": "away"}}'
    page.route("**/api/v1/search**", lambda route: route.fulfill(status=503, body=away))
    field(page)
    page.keyboard.type("salt")
    status = page.get_by_role("search").get_by_role("status")
    expect(status).to_have_text(re.compile("^Search is away just now"))
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert").filter(has_text="Search is away just now")
    alert.wait_for()
    page.unroute("**/api/v1/search**")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("link", name=SALT).wait_for()
    assert alert.count() == 0
