"""The HTML export in a real browser, opened from disk: it works, nothing leaves it, and nothing in it is alive."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.imaptap.exporting.exported import Tale, export, hostile, open_store, plain_session, recorded
from tests.need import need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from proxy.imap.transcript import Record

MANY = 10_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens the export of some sessions; at the end, the page has asked for nothing and complained of nothing."""
    asked: list[str] = []
    contexts = []

    def opened(*tales: list[Record], width: int = 1280, scheme: str = "light") -> Page:
        recorded(tmp_path / "imaptap.db", *tales, name="x")
        file = tmp_path / "x.html"
        with open_store(tmp_path / "imaptap.db", create=False) as store:
            file.write_bytes(export(store, "html")[0])
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: asked.append(str(error)))
        page.on("console", lambda message: asked.append(message.text))
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]")
        assert asked == [file.as_uri()]
        asked.clear()
        return page

    yield opened
    assert asked == []
    for context in contexts:
        context.close()


def shown(page: Page) -> list[str]:
    """The commands in view."""
    return [each.split()[0] for each in page.locator("article:visible .said").all_inner_texts()]


def sift(page: Page, words: str) -> None:
    turn = page.evaluate("document.documentElement.dataset.sifted ?? '0'")
    page.fill("#search", words)
    page.wait_for_function("(turn) => (document.documentElement.dataset.sifted ?? '0') !== turn", arg=turn)


def test_search_and_filters(show: Callable[..., Page]) -> None:
    page = show(plain_session(1), plain_session(2))
    assert page.inner_text("#sum") == "8 exchanges in 2 sessions"
    sift(page, "letter 399\r\n".strip().split()[0])
    assert set(shown(page)) == {"FETCH"}  # in the lines of the body, which nobody has opened
    assert page.inner_text("#sum") == "2 of 8 exchanges in 2 sessions"
    sift(page, "no-such-word")
    assert shown(page) == []
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.getElementById('sum').textContent === '8 exchanges in 2 sessions'")
    page.select_option("#kind", "NOOP")
    assert shown(page) == ["NOOP", "NOOP"]
    page.select_option("#session", "2")
    assert shown(page) == ["NOOP"]
    assert page.locator("section:visible h2").all_inner_texts() == ["Session 2"]


def test_what_was_said_opens(show: Callable[..., Page]) -> None:
    page = show(plain_session())
    head = page.locator("article .head").nth(1)
    head.click()
    assert head.get_attribute("aria-expanded") == "true"
    lines = page.locator("article").nth(1).locator(".said-lines")
    assert lines.locator("> .l").first.inner_text().split() == ["C:", "b", "FETCH", "1", "(BODY[])"]
    assert not lines.get_by_text("Line 7 of a letter.").is_visible()
    lines.locator("summary").click()
    lines.get_by_text("Line 7 of a letter.", exact=True).wait_for()
    page.locator("article .head").first.click()
    assert page.locator(".mask").inner_text() == "masked login"


def test_keyboard(show: Callable[..., Page]) -> None:
    page = show(plain_session())
    focused = "document.activeElement.closest('article')?.querySelector('.n').textContent"
    for key, number in (("j", "1"), ("j", "2"), ("ArrowDown", "3"), ("k", "2")):
        page.keyboard.press(key)
        assert page.evaluate(focused) == number
    page.keyboard.press("Enter")
    assert page.locator(".body").count() == 1
    page.keyboard.press("e")
    assert page.locator(".body").count() == 4
    page.keyboard.press("c")
    assert page.locator(".body").count() == 0
    page.keyboard.press("/")
    page.keyboard.type("je")
    assert page.input_value("#search") == "je"


@pytest.mark.parametrize("width", [1280, 400])
def test_dark_and_light(show: Callable[..., Page], width: int) -> None:
    """As the system likes it, or as the reader does; no line is wider than the page."""
    back = "getComputedStyle(document.body).backgroundColor"
    page = show(hostile(), width=width, scheme="dark")
    dark = page.evaluate(back)
    page.keyboard.press("e")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("d")
    assert page.evaluate(back) == dark
    page.keyboard.press("d")
    light = page.evaluate(back)
    assert light != dark
    page.emulate_media(color_scheme="light")
    page.keyboard.press("d")
    assert page.inner_text("#theme") == "auto"
    assert page.evaluate(back) == light


def test_hostile_content_stays_inert(show: Callable[..., Page]) -> None:
    page = show(hostile(), hostile(2))
    page.keyboard.press("e")
    for summary in page.locator("summary").all():
        summary.click()
    assert page.locator("main img, main script, main iframe, main a").count() == 0
    assert page.locator("body > script:not([type])").count() == 1
    text = page.locator("article").nth(1).text_content() or ""
    assert "<script>alert(1)</script>" in text
    assert r"\x1b]0;owned\x07" in text


def test_nothing_leaves_the_page(browser: Browser, show: Callable[..., Page]) -> None:
    """Even if something slipped in: the policy of the page lets nothing load, and nothing run."""
    page = show(plain_session())
    policy = page.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    other = browser.new_context().new_page()
    other.goto(page.url)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(Error, match="fetch"):
            other.evaluate("url => fetch(url)", url)
        slipped_in = f'<img src="{url}" onerror="window.alive = 1"><link rel="stylesheet" href="{url}">'
        other.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", slipped_in)
        other.wait_for_function("() => document.querySelector('img').complete")
        assert other.evaluate("window.alive") is None
        with pytest.raises(BlockingIOError):
            server.accept()
    other.context.close()


def test_ten_thousand_exchanges(show: Callable[..., Page]) -> None:
    """All are in the page, few of them are laid out, and it answers while they are put there."""
    tale = Tale().say("S: * OK ready")
    for index in range(MANY):
        tale.say(f"C: t{index} {'NOOP' if index % 3 else 'STATUS Archive (MESSAGES)'}\nS: t{index} OK done")
    page = show(tale.end())
    assert page.inner_text("#sum") == "10,000 exchanges in 1 session"
    page.wait_for_function("many => document.querySelectorAll('article').length === many", arg=MANY)
    assert page.locator("article").first.evaluate("each => getComputedStyle(each).contentVisibility") == "auto"
    sift(page, "t9999")
    assert page.inner_text("#sum") == "1 of 10,000 exchanges in 1 session"
    page.keyboard.press("Escape")
    page.click("#time", position={"x": 600, "y": 8})
    page.wait_for_function("() => document.activeElement.classList.contains('head')")
    assert 3000 < int(page.evaluate("document.activeElement.querySelector('.n').textContent")) < 7000
