"""The shipped presets with their trained models: desks made once, and their tools, with which a story needs no store."""

import asyncio
import shutil
from pathlib import Path

import pytest

from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.setup import make_desk
from nlu.understood import Tools
from tests.acceptance.trained import KEY, PRESET, SHOP, trained_models


async def _home(folder: Path, preset: str) -> Path:
    # A thread, because training runs an event loop of its own.
    shutil.copytree(await asyncio.to_thread(trained_models, preset), folder / "models")
    desk = Desk(Settings(home=folder, secret_key=KEY))
    try:
        await make_desk(desk, preset=preset, language="ru", admin_email="admin@desk.test", admin_password="not-a-secret", train=False)
    finally:
        await desk.close()
    return folder


async def _tools(home: Path) -> Tools:
    desk = Desk(Settings(home=home, secret_key=KEY))
    try:
        return await desk.tools()
    finally:
        await desk.close()


@pytest.fixture(scope="session")
async def desk_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await _home(tmp_path_factory.mktemp("desk"), PRESET)


@pytest.fixture(scope="session")
async def tools(desk_home: Path) -> Tools:
    return await _tools(desk_home)


@pytest.fixture(scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    return await _tools(await _home(tmp_path_factory.mktemp("shop"), SHOP))
