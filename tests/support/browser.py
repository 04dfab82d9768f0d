"""Debian's Chromium, driven by Playwright. Nothing of it leaves this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from support import programs

__all__ = ["Browser", "BrowserContext", "Page", "chromium"]

# As root in a container there is no sandbox to be had; the rest keeps it from asking its maker's hosts for anything.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it, and end it with all that it opened."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.chromium(), args=[*ARGUMENTS], timeout=120_000)
        try:
            yield browser
        finally:
            browser.close()
