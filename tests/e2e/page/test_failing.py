"""Appliances die while somebody watches; the film does not."""

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.installation import Installation
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import diagnostics, until, until_playing

pytestmark = pytest.mark.slow


def test_the_appliance_in_use_is_killed_and_the_play_goes_on(
    member: Visitor, running_cuemark: Installation, long_title_id: str
) -> None:
    page = member.page
    member.watch(long_title_id)
    until_playing(page)
    at_kill = until(page, lambda now: now["appliance"] != "", "a segment from an appliance")
    victim = next(
        each for each in running_cuemark.appliances if _same_port(each["url"], at_kill["appliance"])
    )
    running_cuemark.kill_appliance(victim["id"])
    # The supervisor brings it back within two seconds; for this viewer it stays away.
    page.route(f"{at_kill['appliance']}/**", lambda route: route.abort("connectionrefused"))
    killed = diagnostics(page)
    assert killed is not None
    beyond_s = min(killed["position_s"] + killed["buffer_s"] + 4, killed["duration_s"] - 1)
    _double_speed(member)
    moved = until(
        page, lambda now: now["position_s"] > beyond_s, "film that was not yet fetched", 60
    )
    assert moved["appliance"] != at_kill["appliance"]
    assert moved["stalls"] == 0
    assert moved["frames"] > killed["frames"] + 50


def test_an_appliance_that_hangs_costs_its_patience_once(
    member: Visitor, long_title_id: str
) -> None:
    page = member.page
    hung: list[Route] = []
    member.watch(long_title_id)
    first = until(page, lambda now: now["frames"] >= 10 and now["appliance"] != "", "a start")
    page.route(f"{first['appliance']}/**", lambda route: hung.append(route))
    member.seek_to_the_last_third()
    moved = until(
        page,
        lambda now: now["appliance"] != first["appliance"] and now["picture_s"] > 33,
        "film from the other appliance",
        8,
    )
    assert moved["restarts"] == 0
    until(page, lambda now: now["position_s"] > moved["position_s"] + 3, "film goes on")
    preview = [route for route in hung if "/thumbnails" in route.request.url]
    assert 1 <= len(hung) - len(preview) <= 3, "sound and picture each find out once"
    assert len(preview) <= 2, "the sheet under the pointer, and its digests"


def test_a_drained_appliance_is_left_by_the_film_that_plays(
    member: Visitor, running_cuemark: Installation, long_title_id: str
) -> None:
    """It answers all the while: only steering has the page leave it."""
    page = member.page
    plays = plays_asked_for(page)
    member.watch(long_title_id)
    until_playing(page)
    first = until(page, lambda now: now["appliance"] != "", "a segment from an appliance")
    victim = next(
        each for each in running_cuemark.appliances if _same_port(each["url"], first["appliance"])
    )
    with page.expect_response("**/api/v1/steering?**", timeout=30_000) as answered:
        running_cuemark.cli("appliances", "drain", victim["id"])
    try:
        assert victim["id"] not in answered.value.json()["PATHWAY-PRIORITY"]
        member.seek_to_the_last_third()
        moved = until(page, lambda now: now["picture_s"] > 33, "film past what was fetched")
        assert moved["appliance"] != first["appliance"]
        assert (moved["restarts"], len(plays)) == (0, 1)
    finally:
        running_cuemark.cli("appliances", "undrain", victim["id"])


def test_when_all_appliances_fail_the_play_starts_again_where_it_was(
    member: Visitor, long_title_id: str
) -> None:
    page = member.page
    plays = plays_asked_for(page)
    member.watch(long_title_id)
    until_playing(page)
    broken = True

    def media(route: Route) -> None:
        if broken:
            route.abort("connectionrefused")
        else:
            route.continue_()

    page.route("**/t/**", media)
    member.seek_to_the_last_third()
    until(page, lambda now: now["restarts"] == 1, "the play starts again", 30)
    broken = False
    again = until(page, lambda now: now["phase"] == "ready" and now["frames"] > 20, "film", 30)
    assert len(plays) == 2
    assert again["picture_s"] > 33


def test_when_nothing_delivers_the_page_says_so_and_offers_another_try(
    member: Visitor, title_id: str
) -> None:
    page = member.page
    page.route("**/t/**", lambda route: route.abort("connectionrefused"))
    member.watch(title_id)
    alert = page.get_by_role("alert")
    alert.wait_for(timeout=45_000)
    assert "No appliance can deliver" in alert.inner_text()
    assert "(Trace " in alert.inner_text()
    page.unroute("**/t/**")
    page.get_by_role("button", name="Try again").click()
    until_playing(page)


def plays_asked_for(page: Page) -> list[str]:
    """The addresses at which the page begins plays, from now on."""
    plays: list[str] = []
    page.on(
        "request", lambda asked: plays.append(asked.url) if asked.url.endswith("/plays") else None
    )
    return plays


def _same_port(one: str, other: str) -> bool:
    return one.rstrip("/").rpartition(":")[2] == other.rstrip("/").rpartition(":")[2]


def _double_speed(member: Visitor) -> None:
    member.wake()
    member.page.get_by_role("button", name="Speed").click()
    member.page.get_by_role("menuitemradio", name="2×").click()
