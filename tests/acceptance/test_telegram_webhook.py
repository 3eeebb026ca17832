"""The bot by webhook: the sandbox posts to the desk's own web server; strangers are refused, nothing is lost over a change of the way."""

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from channels.telegram.webhook import SECRET_HEADER
from desk_core.conversations.entities import Inbox, Message, RawInbound
from desk_core.tickets import service
from tests.acceptance.administrator import Administrator
from tests.acceptance.chat import Chat
from tests.acceptance.house import House, Served, eventually, kinds

pytestmark = pytest.mark.timeout(300)

PRINTER = "Не печатает принтер в кабинете 305, горит красная лампочка"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
PEOPLE, EACH = 20, 10


async def inbox_of(house: House) -> Inbox:
    async with house.front.database.read() as session:
        return (await session.scalars(select(Inbox).where(Inbox.name == "bot"))).one()


async def stored(house: House) -> int:
    async with house.front.database.read() as session:
        return await session.scalar(select(func.count()).select_from(RawInbound)) or 0


async def is_called_at(house: House, base: str) -> None:
    """Wait until Telegram has been told to call this address, or with an empty one to be asked."""

    def is_so() -> bool:
        return str(house.bot.webhook.url).startswith(base) if base and house.bot.webhook else not base and not house.bot.webhook

    await eventually(is_so, what=f"Telegram to be told: {base or 'polling'}", seconds=8)


@pytest.fixture(scope="module")
async def admin(house: House) -> Administrator:
    return await Administrator(house, bot=(await inbox_of(house)).id).logs_in()


@pytest.fixture
async def by_webhook(house: House, admin: Administrator) -> str:
    """The address that Telegram calls, once it does; whatever way was before."""
    await admin.sets_bot(mode="webhook", webhook_url=house.url)
    await is_called_at(house, house.url)
    return str(house.bot.webhook.url)


class TestARequest:
    @pytest.mark.usefixtures("by_webhook")
    async def test_goes_its_whole_way(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.take_over, number)
        await anna.hears_reply("taken_over")
        await house.acts(service.reply, number, text="Уже идём, какой этаж?")
        answer = await anna.hears(matching="какой этаж")
        said = await anna.says("второй этаж")
        await anna.edits(said["message_id"], "третий этаж")
        await anna.sends_album([(f"photo{n}.png", PNG) for n in range(3)], caption="вот как это выглядит")
        await anna.reacts(answer["message_id"], "👍")
        await house.quiet()
        ticket = await house.ticket(number)
        told = {one["text"]: one for one in ticket["messages"]}
        assert [one["text"] for one in told["третий этаж"]["versions"]] == ["второй этаж"]
        assert len(told["вот как это выглядит"]["attachments"]) == 3
        assert "edited" in kinds(ticket["events"])
        async with house.front.database.read() as session:
            liked = await session.get_one(Message, told["Уже идём, какой этаж?"]["id"])
        assert [(who, one["emoji"]) for who, one in liked.meta["reactions"].items()] == [(anna.address, ["👍"])]
        await house.acts(service.reply, number, text="Заменили картридж.", resolve=True)
        asked = await anna.hears_buttons("solved")
        await anna.chooses("solved", message_id=asked["message_id"])
        stars = await anna.hears_reply("rate")
        await anna.presses("5", message_id=stars["message_id"])
        await anna.hears_reply("rate_comment")
        await anna.says("Быстро и вежливо")
        await anna.hears_reply("rated")
        await house.quiet()
        ticket = await house.ticket(number)
        assert (ticket["status"], ticket["rating"]["score"], ticket["rating"]["comment"]) == ("closed", 5, "Быстро и вежливо")
        assert len(await anna.tickets()) == 1
        assert await house.dead() == []
        assert house.bot.webhook.last_error_message is None, "every call was answered with 200"


class TestCalls:
    async def test_of_strangers_are_refused_and_stored_nowhere(self, house: House, by_webhook: str) -> None:
        secret = house.front.box.open((await inbox_of(house)).secrets)["hook_secret"]
        await house.quiet()
        before, update = await stored(house), {"update_id": 1, "message": {"message_id": 1, "text": "впустите"}}

        async def answer(url: str, headers: dict[str, str]) -> int:
            return (await house.http.post(url, json=update, headers=headers)).status_code

        assert await answer(by_webhook, {}) == 403
        assert await answer(by_webhook, {SECRET_HEADER: ""}) == 403
        assert await answer(by_webhook, {SECRET_HEADER: secret[:-1]}) == 403
        assert await answer(f"{house.url}/hooks/telegram/{'x' * 32}", {SECRET_HEADER: secret}) == 404
        assert (await house.http.get(by_webhook, headers={SECRET_HEADER: secret})).status_code == 405
        await house.quiet()
        assert await stored(house) == before

    async def test_twice_with_the_same_update_act_once(self, house: House, by_webhook: str) -> None:
        secret = house.front.box.open((await inbox_of(house)).secrets)["hook_secret"]
        anna = await house.person()
        await anna.opens()
        await anna.hears_reply("greet")
        await house.quiet()
        heard, number = len(await anna.chat()), house.bot.updates.next_id
        house.bot.updates.next_id += 1
        told = {"message_id": 900001, "date": int(house.clock.now().timestamp()), "text": "позовите человека"}
        who = {"id": anna.id, "first_name": "Вера"}
        update = {"update_id": number, "message": {**told, "chat": {**who, "type": "private"}, "from": {**who, "is_bot": False}}}
        calls = [house.http.post(by_webhook, json=update, headers={SECRET_HEADER: secret}) for _ in range(3)]
        assert [one.status_code for one in await asyncio.gather(*calls)] == [200, 200, 200]
        await anna.hears_reply("human")
        await house.quiet()
        again = await house.http.post(by_webhook, json=update, headers={SECRET_HEADER: secret})
        assert again.status_code == 200
        await house.quiet()
        said = [one["text"] for one in await house.messages(anna.address) if one["direction"] == "inbound"]
        assert said == ["/start", "позовите человека"]
        assert len(await anna.tickets()) == 1
        assert len(await anna.chat()) == heard + 1


class TestSwitching:
    async def test_under_load_loses_nothing_and_doubles_nothing(self, house: House, admin: Administrator) -> None:
        await admin.sets_bot(mode="polling")
        await is_called_at(house, "")
        crowd = [await house.person() for _ in range(PEOPLE)]
        by_polling, on_the_way, by_webhook, on_the_way_back, by_polling_again = gates = [asyncio.Event() for _ in range(5)]
        # Commands are answered each by itself and without the models, so that what is measured is the way.
        words = [f"/my {number}" for number in range(EACH)]

        async def writes(who: Chat) -> None:
            for number, text in enumerate(words):
                await gates[number * len(gates) // EACH].wait()
                await who.says(text)

        writing = [asyncio.create_task(writes(who)) for who in crowd]
        by_polling.set()
        await eventually(lambda: len(house.bot.updates) > 0, what="the first to write")
        on_the_way.set()
        await admin.sets_bot(mode="webhook", webhook_url=house.url)
        await is_called_at(house, house.url)
        by_webhook.set()
        on_the_way_back.set()
        await admin.sets_bot(mode="polling")
        await is_called_at(house, "")
        by_polling_again.set()
        await asyncio.gather(*writing)

        def are_answered() -> bool:
            return all(len(house.bot.chats[who.id].messages) >= 2 * EACH for who in crowd)

        await eventually(are_answered, what="everybody to be answered", seconds=50)
        await house.quiet()
        for who in crowd:
            assert [one["text"] for one in await house.messages(who.address) if one["direction"] == "inbound"] == words
            assert [one["from"]["is_bot"] for one in await who.chat()].count(True) == EACH, "each once"
        assert await house.dead() == []


class Failing:
    """A web server in the desk's place that answers 500 to everything."""

    def __init__(self) -> None:
        self.called = 0
        self.served = Served(Starlette(routes=[Route("/{path:path}", self._fail, methods=["POST"])]))

    async def _fail(self, _request: Request) -> Response:
        self.called += 1
        return PlainTextResponse("no", status_code=500)


@pytest.fixture
async def failing() -> AsyncIterator[Failing]:
    made = Failing()
    await made.served.start()
    yield made
    await made.served.stop()


class TestAWebhookThatFails:
    async def test_is_told_in_words_with_its_cure_and_how_much_waits(self, house: House, admin: Administrator, failing: Failing) -> None:
        await house.quiet()
        await admin.sets_bot(mode="webhook", webhook_url=failing.served.url)
        await is_called_at(house, failing.served.url)
        anna = await house.person()
        for words in ("Здравствуйте", PRINTER, "/human"):
            await anna.says(words)
        await eventually(lambda: failing.called > 0, what="Telegram to call")
        await eventually(lambda: house.bot.webhook.last_error_message is not None, what="Telegram to know of the error")
        page = await admin.checks_bot()
        assert page.status == 200
        for words in ("В Telegram ждёт доставки: 3", "500 Internal Server Error", "priyom doctor"):
            assert words in page.text, page.text
        path = house.front.box.open((await inbox_of(house)).secrets)["hook_path"]
        assert path not in page.html
        await admin.sets_bot(webhook_url=house.url)
        await is_called_at(house, house.url)
        number = await anna.hears_number()
        assert await house.holds(number, PRINTER)
        await house.quiet()
        cured = await admin.checks_bot()
        assert "500 Internal Server Error" not in cured.text
