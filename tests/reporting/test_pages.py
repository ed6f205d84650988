"""The pages in a real browser: no barrier that axe knows, no request to anybody else, no part that is cut off."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from services.reporting.pages import page
from services.reporting.pages.page import PAGES
from tests.reporting.city import NAMES, published

HOST = "http://numbers.test"
NARROW, WIDE = 320, 1280
ZOOMED = WIDE // 2
"""A page at 200 % has half of the width."""
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        if not own.exists() and CHROMIUM is None:
            pytest.skip("there is no Chromium here: install one, or run `playwright install chromium`")
        opened = playwright.chromium.launch(
            executable_path=str(own) if own.exists() else CHROMIUM, args=["--no-sandbox"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[str, str]]:
    tables = published()
    pages = {each.path: ("text/html", page.render(each, tables, NAMES)) for each in PAGES}
    return {**pages, page.STYLE_PATH: ("text/css", page.STYLE)}


def show(browser: Browser, answers: dict[str, tuple[str, str]], path: str, width: int) -> tuple[Page, list[str]]:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        kind, body = answers[route.request.url.removeprefix(HOST)]
        route.fulfill(status=200, body=body, headers={**page.HEADERS, "Content-Type": f"{kind}; charset=utf-8"})

    shown = browser.new_page(viewport={"width": width, "height": 900})
    shown.route("**/*", answer)
    shown.goto(HOST + path)
    return shown, asked


@pytest.mark.parametrize("width", [NARROW, ZOOMED, WIDE])
@pytest.mark.parametrize("path", [each.path for each in PAGES])
def test_a_page_has_no_barrier_and_fits(
    browser: Browser, answers: dict[str, tuple[str, str]], path: str, width: int
) -> None:
    shown, asked = show(browser, answers, path, width)
    try:
        assert asked == [HOST + path, HOST + page.STYLE_PATH], "it asks for itself and its style"
        wanted = shown.evaluate("document.documentElement.scrollWidth")
        assert wanted <= width, "a page is read without moving it sideways"
        found = Axe().run(shown, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, found.generate_report()
    finally:
        shown.close()


def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    shown = browser.new_page()
    shown.set_content("<html><body><img src='data:,'><p style='color:#eee'>pale</p></body></html>")
    assert Axe().run(shown).violations_count > 0
    shown.close()
