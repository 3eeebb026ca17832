"""One desk and one Chromium for all tests of this folder; a fresh browser context for each test."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.acceptance.trained import trained_models
from tests.browser.people import Eyes
from tests.browser.running import RunningDesk
from tests.services.browser import find_browser

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-quic", "--disable-dev-shm-usage",
)  # fmt: skip
PATIENCE_MS = 20_000
"""A busy machine is slow, not wrong."""


@pytest.fixture(scope="package")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningDesk]:
    models = await asyncio.to_thread(trained_models)
    made = RunningDesk(tmp_path_factory.mktemp("desk"))
    try:
        yield await made.start(models=models)
    finally:
        await asyncio.to_thread(made.stop)


@pytest.fixture(scope="package")
async def filled(desk: RunningDesk) -> dict[str, int]:
    """Numbers of the requests that stand in the desk before a test begins, by who wrote."""
    return await desk.fill()


@pytest.fixture(scope="package")
async def chromium() -> AsyncIterator[Browser]:
    path = find_browser()
    assert path is not None, "these tests need Chromium: python -m tests.services.browser"
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@pytest.fixture
async def eyes(chromium: Browser, desk: RunningDesk) -> AsyncIterator[Eyes]:
    """Opens pages as somebody; when the test ends, no page may have complained in its console."""
    made = Eyes(chromium, desk, patience_ms=PATIENCE_MS)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where the screenshots go; git ignores it."""
    folder = Path(__file__).resolve().parents[2] / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
