"""A local Bot API server: files beyond 20 MB, read from its disk where that is here and fetched from it otherwise."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from channels.telegram.channel import LARGEST_DOWNLOAD, TelegramChannel
from channels.telegram.local_files import within
from desk_core.conversations.ports import Refused
from desk_core.kit.clock import SystemClock
from tests.contract.telegram.wire import MemoryBlobs

TOKEN = "777000111:" + "L" * 35
FOLDER = "/var/lib/telegram-bot-api"


class Server:
    """Answers `getFile` as told and serves one folder, as a web server in front of a local one does."""

    def __init__(self) -> None:
        self.file: dict[str, Any] = {}
        self.fetched: list[str] = []
        self.url = ""

    async def get_file(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "result": {"file_id": "f", **self.file}})

    async def serve(self, request: web.Request) -> web.Response:
        self.fetched.append(request.match_info["path"])
        return web.Response(body=b"over the wire")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made, app = Server(), web.Application()
    app.router.add_post(f"/bot{TOKEN}/getFile", made.get_file)
    app.router.add_get(f"/file/bot{TOKEN}/{{path:.*}}", made.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def fetched(server: Server, *, local: bool = True) -> bytes:
    channel = TelegramChannel("box", TOKEN, blobs=MemoryBlobs(), clock=SystemClock(), api_url=server.url, local=local)
    try:
        return b"".join([chunk async for chunk in channel.fetch("f")])
    finally:
        await channel.close()


async def test_a_file_on_this_disk_is_read_from_it(server: Server, tmp_path: Path) -> None:
    place = tmp_path / TOKEN / "documents"
    place.mkdir(parents=True)
    (place / "file_1.bin").write_bytes(b"x" * (3 * 1024 * 1024 + 1))
    server.file = {"file_path": str(place / "file_1.bin"), "file_size": LARGEST_DOWNLOAD * 3}
    assert await fetched(server) == b"x" * (3 * 1024 * 1024 + 1)
    assert server.fetched == []


async def test_a_file_on_another_disk_is_fetched_by_its_address(server: Server) -> None:
    server.file = {"file_path": f"{FOLDER}/{TOKEN}/documents/file 2.pdf", "file_size": LARGEST_DOWNLOAD * 3}
    assert await fetched(server) == b"over the wire"
    assert server.fetched == ["documents/file 2.pdf"]


async def test_a_path_below_is_fetched_as_from_telegram(server: Server) -> None:
    server.file = {"file_path": "documents/file_3.pdf"}
    assert await fetched(server) == b"over the wire"


@pytest.mark.parametrize("path", ["/etc/passwd", f"{FOLDER}/{TOKEN}/../../../../etc/passwd", f"{FOLDER}/{TOKEN}"])
async def test_nothing_else_of_this_disk_is_read(server: Server, path: str) -> None:
    server.file = {"file_path": path}
    with pytest.raises(Refused):
        await fetched(server)
    assert server.fetched == []


async def test_a_link_that_leads_out_of_the_folder_is_not_followed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key")
    (tmp_path / TOKEN).mkdir()
    (tmp_path / TOKEN / "file_4").symlink_to(tmp_path / "secret")
    server.file = {"file_path": str(tmp_path / TOKEN / "file_4")}
    assert await fetched(server) == b"over the wire"


async def test_without_the_switch_the_limits_of_telegram_hold(server: Server) -> None:
    server.file = {"file_path": "documents/file_5.bin", "file_size": LARGEST_DOWNLOAD + 1}
    with pytest.raises(Refused):
        await fetched(server, local=False)


def test_a_folder_on_windows_has_no_colon() -> None:
    assert str(within(f"/data/{TOKEN.replace(':', '~')}/voice/a.oga", TOKEN)) == "voice/a.oga"
