"""Delivery of updates to a bot's webhook: in order within a chat, parallel across chats, repeated until taken."""

import asyncio
import ipaddress
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import httpx2

from channels.telegram.sandbox.chats import Json
from channels.telegram.sandbox.state import Bot, Webhook

SIGNING_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
LONGEST_PAUSE_SECONDS: Final = 60.0


def is_loopback(url: str) -> bool:
    """Whether the address is plainly this machine; names other than localhost are not resolved."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Webhooks:
    """One delivering task for each bot that has a webhook."""

    def __init__(self, *, seconds: Callable[[], int], first_pause: float) -> None:
        self._seconds = seconds
        self._first_pause = first_pause
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def start(self, bot: Bot) -> None:
        self.stop(bot)
        if bot.webhook is not None:
            self._tasks[bot.id] = asyncio.create_task(self._deliver(bot, bot.webhook))

    def stop(self, bot: Bot) -> None:
        if task := self._tasks.pop(bot.id, None):
            task.cancel()

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, bot: Bot, hook: Webhook) -> None:
        busy: dict[int, asyncio.Task[None]] = {}

        def done(chat_id: int, _task: asyncio.Task[None]) -> None:
            del busy[chat_id]
            bot.wake.ring()

        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=30) as client:
            try:
                while True:
                    for update in bot.updates.page(1000):
                        chat_id = _chat_of(update)
                        if chat_id not in busy and len(busy) < hook.max_connections:
                            busy[chat_id] = asyncio.create_task(self._hand_over(client, bot, hook, update))
                            busy[chat_id].add_done_callback(partial(done, chat_id))
                    await bot.wake.wait(30)
                    if bot.wake.closed:
                        return
            finally:
                for task in list(busy.values()):
                    task.cancel()

    async def _hand_over(self, client: httpx2.AsyncClient, bot: Bot, hook: Webhook, update: Json) -> None:
        """Post one update until the desk answers 2xx, with growing pauses."""
        pause = self._first_pause
        while True:
            error = await self._post(client, hook, update)
            if error is None:
                bot.updates.discard(update["update_id"])
                return
            hook.last_error_date, hook.last_error_message = self._seconds(), error
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _post(self, client: httpx2.AsyncClient, hook: Webhook, update: Json) -> str | None:
        headers = {SIGNING_HEADER: hook.secret_token} if hook.secret_token else {}
        try:
            response = await client.post(hook.url, json=update, headers=headers)
        except httpx2.TimeoutException:
            return "Read timeout expired"
        except httpx2.ConnectError:
            return "Connection refused"
        except httpx2.HTTPError as error:
            return f"Connection closed: {type(error).__name__}"
        if response.is_success:
            return None
        return f"Wrong response from the webhook: {response.status_code} {response.reason_phrase}"


def _chat_of(update: Json) -> int:
    """What updates must keep their order within: the chat, or the update itself where it has none."""
    for body in update.values():
        if isinstance(body, dict):
            message = body.get("message") if isinstance(body.get("message"), dict) else body
            chat = message.get("chat") if isinstance(message, dict) else None
            if isinstance(chat, dict):
                return int(chat["id"])
    return -int(update["update_id"])
