"""Pictures of a report as a reader sees it: each tab of its first benchmark, its overview, and a phone in the dark.

Run: python benchmarks/screenshots.py benchsuite-reports/zero-shot; needs benchsuite[browser] and a Chromium.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

TALLEST = 1800  # pixels of a picture


def main() -> None:
    """Write screenshots/*.png beside the page."""
    folder = Path(sys.argv[1]).resolve()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": TALLEST})
        page.goto((folder / "index.html").as_uri())
        _save(page, folder / "screenshots" / "top.png")
        for tab in _benchmark(page).get_by_role("tab").all():
            _open(page, tab)
            _save(page, folder / "screenshots" / f"{tab.inner_text().lower().replace(' ', '-')}.png")
        _phone(browser, folder)
        browser.close()


def _benchmark(page: Page) -> Locator:
    return page.locator("section:has(.tabs)").first


def _open(page: Page, tab: Locator) -> None:
    """Open a tab and bring its top to that of the window; among ranks, choose the third-best architecture."""
    tab.click()
    if tab.inner_text() == "Ranks":
        _benchmark(page).locator(".scatter[data-ready]").wait_for()
        for key in ("Home", "ArrowRight", "ArrowRight"):
            _benchmark(page).locator("canvas").press(key)
    tab.evaluate(
        "tab => window.scrollTo({top: tab.closest('section').querySelector('.verdict').offsetTop, behavior: 'instant'})"
    )


def _phone(browser: Browser, folder: Path) -> None:
    page = browser.new_page(
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        color_scheme="dark",
        device_scale_factor=2,
    )
    page.goto((folder / "index.html").as_uri())
    _open(page, _benchmark(page).get_by_role("tab", name="Ranks"))
    _benchmark(page).locator("canvas").evaluate("canvas => canvas.scrollIntoView({block: 'end', behavior: 'instant'})")
    _save(page, folder / "screenshots" / "phone-dark.png")


def _save(page: Page, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    page.screenshot(path=file)


if __name__ == "__main__":
    main()
