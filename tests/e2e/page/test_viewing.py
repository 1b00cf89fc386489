"""What a member keeps and thinks of titles, and what was watched."""

import pytest

from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import until, until_playing
from tests.e2e.page.test_using import TOO_WIDE, _faults

pytestmark = pytest.mark.slow


def test_a_title_is_put_on_my_list_rated_and_taken_off_again(
    member: Visitor, title_id: str, film_name: str
) -> None:
    page = member.page
    assert page.get_by_role("heading", name="My list").count() == 0
    page.goto(f"{member.origin}/title/{title_id}")
    page.get_by_role("button", name="My list", exact=True).click()
    page.get_by_role("button", name="On my list").wait_for()
    love, down = (page.get_by_role("button", name=name) for name in ("I love this", "Not for me"))
    love.click()
    down.click()
    assert _faults(member) == [[], [], []]
    page.get_by_role("link", name="All titles").click()
    row = page.get_by_role("region", name="My list")
    row.get_by_text(film_name).click()
    page.get_by_role("button", name="On my list").wait_for()
    assert down.get_attribute("aria-pressed") == "true"
    assert love.get_attribute("aria-pressed") == "false"
    down.click()
    page.get_by_role("button", name="On my list").click()
    page.get_by_role("button", name="My list", exact=True).wait_for()
    page.reload()
    page.get_by_role("button", name="My list", exact=True).wait_for()
    assert down.get_attribute("aria-pressed") == "false"
    page.goto(member.origin)
    page.get_by_role("heading", name="All titles").wait_for()
    assert page.get_by_role("heading", name="My list").count() == 0
    assert member.complaints == []


def test_what_was_watched_is_listed_and_can_be_taken_out(
    member: Visitor, title_id: str, film_name: str, long_title_id: str
) -> None:
    page = member.page
    for watched in (title_id, long_title_id):
        member.watch(watched)
        until_playing(page)
        until(page, lambda now: now["position_s"] > 2, "past a glance")
        page.keyboard.press("Escape")
        page.get_by_role("heading", name="All titles").wait_for()
    page.goto(f"{member.origin}/account")
    page.get_by_role("link", name="Look and tidy up").click()
    page.get_by_role("heading", name="What you watched").wait_for()
    remove = page.get_by_role("button", name=f"Take {film_name} out of the history")
    remove.wait_for()
    assert page.locator(".history li").count() == 2
    assert page.title() == "What you watched"
    assert _faults(member) == [[], [], []]
    for size in ((390, 844), (1920, 1080)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert page.evaluate(TOO_WIDE) <= 0
    remove.click()
    remove.wait_for(state="detached")
    page.reload()
    page.locator(".history li").first.wait_for()
    assert page.locator(".history li").count() == 1
    page.get_by_role("button", name="Clear all").click()
    page.get_by_role("button", name="Clear all of it for good").click()
    page.get_by_text("Nothing yet.").wait_for()
    page.goto(member.origin)
    page.get_by_role("heading", name="All titles").wait_for()
    assert page.get_by_role("heading", name="Continue watching").count() == 0
    assert member.complaints == []
