"""Driving the portal in a real Chromium: people as browser windows, and what every page must keep to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

WAIT_MS = 30_000
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, summary, a')]
  .filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim()
    && e.getAttribute('aria-hidden') !== 'true' && !e.querySelector('img[alt]'))
  .map(e => e.outerHTML)"""


def chromium() -> str:
    """Path of the installed Chromium or Chrome; deploy/setup/browser puts one there."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), _MAC)
    assert Path(found).exists(), "no Chromium: run deploy/setup/browser"
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(_ARGUMENTS))
        yield started
        started.close()


class Window:
    """One person's browser window. Keeps what went wrong in it; `shot` also holds the page to its rules."""

    def __init__(
        self, browser: Browser, address: str, shots: Path, *, phone: bool = False, scripts: bool = True
    ) -> None:
        size = {"width": 390, "height": 844} if phone else {"width": 1200, "height": 850}
        self.context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            locale="th-TH",
            base_url=address,
            java_script_enabled=scripts,
            ignore_https_errors=True,
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.problems: list[str] = []
        self._shots, self._phone = shots, phone
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"{self.page.url}: {message.text}")

    def sign_in(self, username: str, password: str) -> None:
        """By keyboard alone: the name field has the focus, Tab leads to the password, Enter sends."""
        self.page.goto("/sign-in")
        expect(self.page.locator("#username")).to_be_focused()
        self.page.keyboard.type(username)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(password)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("details.account")).to_be_visible()

    def shot(self, name: str) -> None:
        """A screenshot, and: a language, no nameless control, no sideways scrolling, nothing gone wrong."""
        page = self.page
        assert page.locator("html").get_attribute("lang") in ("th", "en")
        assert page.evaluate(_UNNAMED) == []
        assert page.locator("h1").count() == 1
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"
        self._shots.mkdir(parents=True, exist_ok=True)
        suffix = "-phone" if self._phone else ""
        page.screenshot(path=self._shots / f"{name}{suffix}.png", full_page=True)
        assert not self.problems, self.problems

    def said(self, text: str) -> None:
        """The page says it, in a message at the top."""
        expect(self.page.locator(".alert", has_text=text).first).to_be_visible()

    def close(self) -> None:
        self.context.close()
