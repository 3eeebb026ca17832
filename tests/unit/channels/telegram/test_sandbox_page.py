"""The chat page and the people's side, asked over ASGI without a socket."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

import channels.telegram.sandbox.pages as pages
from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import Person, SandboxRefused

TOKEN = "7000000001:AAE" + "x" * 32
PAGE = "http://desk/sandbox/telegram"


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox(translate=lambda language, text: f"{text}·ru" if language == "ru" else text)
    sandbox.add_bot(TOKEN, "help_bot", "Help")
    return sandbox


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    """The sandbox inside a FastAPI application, as the gateway has it."""
    app = FastAPI()
    app.router.routes.extend(sandbox.routes(bot_api="/sandbox/telegram"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://desk") as client:
        yield client


class TestThePage:
    async def test_speaks_the_language_asked_for_or_the_browsers(self, client: httpx2.AsyncClient) -> None:
        assert '<html lang="ru">' in (await client.get(f"{PAGE}?lang=ru", headers={"Accept-Language": "en"})).text
        assert "Add the person·ru" in (await client.get(PAGE, headers={"Accept-Language": "ru-RU,ru;q=0.9"})).text
        assert '<html lang="en">' in (await client.get(PAGE, headers={"Accept-Language": "de"})).text

    async def test_keeps_a_strict_policy_and_needs_nothing_from_elsewhere(self, client: httpx2.AsyncClient) -> None:
        page = await client.get(PAGE)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|<style", page.text)
        for address in re.findall(r'(?:src|href)="([^"#?]+)"', page.text):
            assert address.startswith("/sandbox/telegram/static/")
            assert (await client.get(address)).status_code == 200

    async def test_works_below_a_prefix_too(self, sandbox: Sandbox) -> None:
        app = FastAPI()
        app.mount("/inner", sandbox.app())
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://desk") as client:
            page = await client.get("/inner/sandbox/telegram")
            assert 'data-api="/inner/sandbox/telegram/api"' in page.text
            assert (await client.get("/inner/sandbox/telegram/static/chat.js")).status_code == 200

    def test_scripts_say_only_what_the_page_translates(self) -> None:
        static = Path(pages.__file__).parent / "static"
        used = {name for path in static.glob("*.js") for name in re.findall(r"\bsay\.(\w+)", path.read_text())}
        assert used <= pages.SCRIPT_TEXTS.keys()


class TestThePeoplesSide:
    async def test_acts_of_another_site_are_refused(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post(f"{PAGE}/api/users", json={"key": "mallory"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403

    async def test_two_new_people_of_one_name_are_two(self, client: httpx2.AsyncClient) -> None:
        ids = {(await client.post(f"{PAGE}/api/users", json={"first_name": "Иван"})).json()["id"] for _ in range(2)}
        assert len(ids) == 2

    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"text": ""}', b'{"location": 5}', b'{"text": "x", "reply_to": 1}'])
    async def test_nonsense_is_answered_not_raised(self, client: httpx2.AsyncClient, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await client.post(f"{PAGE}/api/chats/help_bot/anna/messages", content=body, headers=headers)
        assert (answer.status_code, answer.json()["ok"]) == (400, False)

    async def test_tokens_are_never_shown(self, client: httpx2.AsyncClient) -> None:
        async with Person(PAGE, "anna", client=client) as anna:
            await anna.says("hello")
            await anna.chat()
        shown = (await client.get(f"{PAGE}/api/world")).text + (await client.get(f"{PAGE}/api/events")).text
        assert TOKEN not in shown

    async def test_a_blocked_bot_cannot_be_written_to(self, client: httpx2.AsyncClient) -> None:
        anna = Person(PAGE, "anna", client=client)
        await anna.blocks_bot()
        with pytest.raises(SandboxRefused, match="unblock"):
            await anna.says("hello")

    async def test_a_file_that_is_no_picture_is_only_ever_saved(self, client: httpx2.AsyncClient) -> None:
        anna = Person(PAGE, "anna", client=client)
        sent = await anna.sends_file("page.html", b"<script>alert(1)</script>")
        answer = await client.get(f"{PAGE}/api/files/{sent['document']['file_id']}")
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] == "application/octet-stream"

    @pytest.mark.nonsense
    async def test_the_bot_api_answers_below_its_prefix(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get(f"/sandbox/telegram/bot{TOKEN}/getMe")
        assert answer.json()["result"]["username"] == "help_bot"
        missing = await client.post(f"/sandbox/telegram/bot{TOKEN}/fly")
        assert (missing.status_code, missing.json()) == (404, {"ok": False, "error_code": 404, "description": "Not Found"})

    async def test_json_and_query_parameters_are_taken_like_forms(self, client: httpx2.AsyncClient) -> None:
        anna = await Person(PAGE, "anna", client=client).joins()
        await anna.says("/start")
        address = f"/sandbox/telegram/bot{TOKEN}/sendMessage"
        by_json = await client.post(address, json={"chat_id": anna.id, "text": "<i>one</i>", "parse_mode": "HTML"})
        by_query = await client.get(address, params={"chat_id": str(anna.id), "text": "two"})
        by_form = await client.post(address, data={"chat_id": str(anna.id), "text": "three"})
        assert [answer.json()["result"]["text"] for answer in (by_json, by_query, by_form)] == ["one", "two", "three"]
        assert [message["text"] for message in await anna.chat()][1:] == ["one", "two", "three"]
