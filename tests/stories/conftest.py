"""The shipped preset with its trained models: a desk made once, and its tools, with which a story needs no store."""

import asyncio
import shutil
from pathlib import Path

import pytest

from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.setup import make_desk
from nlu.turn import Tools
from tests.acceptance.trained import KEY, PRESET, trained_models


@pytest.fixture(scope="session")
async def desk_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("desk")
    # A thread, because training runs an event loop of its own.
    shutil.copytree(await asyncio.to_thread(trained_models), home / "models")
    desk = Desk(Settings(home=home, secret_key=KEY))
    try:
        await make_desk(desk, preset=PRESET, language="ru", admin_email="admin@desk.test", admin_password="not-a-secret", train=False)
    finally:
        await desk.close()
    return home


@pytest.fixture(scope="session")
async def tools(desk_home: Path) -> Tools:
    desk = Desk(Settings(home=desk_home, secret_key=KEY))
    try:
        return await desk.tools()
    finally:
        await desk.close()
