"""The page of operations in a real browser, as the operator opens it."""

import pytest

from tests.e2e.installation import Installation
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import until_playing

pytestmark = pytest.mark.slow


def test_the_operator_opens_the_page_and_sees_a_play_begin(
    guest: Visitor, running_cuemark: Installation, title_id: str
) -> None:
    page = guest.page
    page.goto(f"{guest.origin}/operations")
    page.get_by_text("cuemark operations").wait_for()
    guest.complaints.clear()
    link = running_cuemark.json("operations")["url"]
    page.goto(link)
    page.get_by_role("heading", name="Jobs").wait_for()
    assert "code=" not in page.url
    page.get_by_text("processes down").wait_for()
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.tagName + document.activeElement.className")
    assert focused in ("A", "DIVframe")

    watching = page.context.new_page()
    watching.goto(running_cuemark.login_link())
    watching.get_by_role("heading", name="All titles").wait_for()
    watching.goto(f"{guest.origin}/watch/{title_id}")
    until_playing(watching)
    page.locator("#plays").get_by_role("cell", name="Chrome, Linux").first.wait_for()
    trace_id = page.locator("#plays a").first.get_attribute("title")
    watching.close()

    page.locator("#plays a").first.click()
    page.get_by_text("lines of the logs").wait_for()
    story = page.locator("main")
    story.get_by_text("/api/v1/plays/{session_id}/licence").first.wait_for()
    for _ in range(10):
        if "init.mp4" in story.inner_text():
            break
        page.wait_for_timeout(300)
        page.reload()
    assert "init.mp4" in story.inner_text(), f"no segment of {trace_id} in an appliance's log"
    page.get_by_role("link", name="Operations").click()

    page.get_by_role("link", name="Report").first.click()
    page.get_by_role("heading", name="Ladder").wait_for()
    assert page.locator("svg.plot").count() >= 3
    assert guest.complaints == []


def test_the_link_works_once_and_a_member_sees_nothing(
    member: Visitor, running_cuemark: Installation
) -> None:
    page = member.page
    link = running_cuemark.json("operations")["url"]
    page.goto(link)
    page.get_by_role("heading", name="Jobs").wait_for()
    page.context.clear_cookies(name="cuemark_operator")
    page.goto("about:blank")
    page.goto(link)
    page.get_by_text("used already").wait_for()
    page.goto(f"{member.origin}/operations")
    page.get_by_text("cuemark operations").wait_for()
