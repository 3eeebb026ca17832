"""aiogram's `Bot` over our connection, and its errors in the desk's words. Imported late and lightly: aiogram is large."""

import channels.telegram.light_aiogram  # noqa: F401 - before anything of aiogram

# isort: split
import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods.base import TelegramMethod, TelegramType
from aiogram.utils.token import TokenValidationError

from channels.telegram.connection import CALL_SECONDS, CallFailed, Connection
from desk_core.conversations.ports import Refused, RetryLater, TopicGone

UPLOAD_SECONDS: Final = 300
PATIENCE: Final = 4.5
"""How long a call waits for its turn where it stands; what has to wait longer goes back to the queue."""
_MESSAGES: Final = ("Send", "Copy", "Forward", "EditMessage")
_NO_MESSAGES: Final = frozenset({"SendChatAction", "SendMessageDraft", "SendRichMessageDraft"})
_GONE: Final = ("chat not found", "peer_id_invalid", "user not found")
_TOPIC_GONE: Final = ("thread not found", "topic_deleted", "topic_id_invalid", "topic not found")


class NotYet(Exception):
    """The bot's pace, or Telegram itself, wants silence for so long; nothing was sent."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"Telegram takes no more messages for {seconds:.0f} seconds")


class SharedSession(AiohttpSession):
    """aiogram's session over the connection's own, so that a bot has one pool, one proxy, one pace and one place that closes it."""

    def __init__(self, connection: Connection) -> None:
        base = connection.base.replace("{", "{{").replace("}", "}}")
        super().__init__(api=TelegramAPIServer.from_base(base), timeout=CALL_SECONDS)
        self._connection = connection

    async def make_request(self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None) -> TelegramType:
        """The call in its turn; a 429 silences all senders of this bot and is tried again here where the wait is short."""
        pace, name = self._connection.pace, type(method).__name__
        is_message = name.startswith(_MESSAGES) and name not in _NO_MESSAGES
        chat = getattr(method, "chat_id", None) if is_message else None
        parts = getattr(method, "media", None)
        messages = len(parts) if isinstance(parts, list) else 1
        # Nobody should wait for a courtesy.
        patience = 0.0 if name in _NO_MESSAGES else PATIENCE
        while True:
            while (wait := await pace.take(chat, messages=messages)) > 0:
                if wait > patience:
                    raise NotYet(wait)
                patience -= wait
                await asyncio.sleep(wait)
            try:
                with self._connection.asked():
                    return await super().make_request(bot, method, timeout)
            except TelegramRetryAfter as error:
                # Jitter, so that those who were silenced together do not speak together.
                await pace.hold(error.retry_after + random.uniform(0.05, 0.5))

    async def create_session(self) -> aiohttp.ClientSession:
        return self._connection.session()

    async def close(self) -> None:
        """The connection closes what it opened."""


def build(connection: Connection) -> Bot:
    """The bot of a connection; raises `RetryLater` for a token that cannot be one, since correcting it cures everything queued."""
    try:
        return Bot(connection.token, session=SharedSession(connection))
    except TokenValidationError:
        raise RetryLater("the bot token does not look like one; copy it from @BotFather again") from None


@contextmanager
def translated(connection: Connection) -> Iterator[None]:
    """Errors of aiogram inside the block come out as `RetryLater` or `Refused`, without the token."""
    try:
        yield
    except (AiogramError, NotYet, CallFailed, aiohttp.ClientError, TimeoutError, OSError) as error:
        # Not chained: the cause may spell the address of the request, and with it the token.
        raise verdict(error, connection) from None


def verdict(error: Exception, connection: Connection) -> RetryLater | Refused:
    """What an error means for the message that met it."""
    words = connection.scrub(getattr(error, "message", None) or error)
    match error:
        case NotYet():
            return RetryLater(words, after=timedelta(seconds=error.seconds + random.uniform(0, 0.5)), free=True)
        case TelegramRetryAfter():
            return RetryLater(words, after=timedelta(seconds=error.retry_after), free=True)
        case TelegramEntityTooLarge():
            return Refused("the file is larger than Telegram takes from bots (50 MB)")
        case TelegramForbiddenError():
            return Refused(words, blocked=True)
        case TelegramMigrateToChat():
            return Refused(f"the group has become a supergroup with another number: {words}")
        case TelegramBadRequest() if any(sign in words.lower() for sign in _TOPIC_GONE):
            return TopicGone(words)
        case TelegramBadRequest() if any(gone in words.lower() for gone in _GONE):
            return Refused(words, blocked=True)
        case TelegramBadRequest():
            return RetryLater(words) if "temporarily unavailable" in words else Refused(words)
        case TelegramUnauthorizedError() | TelegramNotFound() | TelegramConflictError():
            # A matter of the inbox, not of the message: correcting the token cures it.
            return RetryLater(f"Telegram does not accept the bot's token or address: {words}")
        case TelegramServerError():
            return RetryLater(words, uncertain=True)
        case TelegramNetworkError():
            cause = error.__cause__ or error
            reached = not isinstance(cause, aiohttp.ClientConnectorError | aiohttp.InvalidURL)
            return RetryLater(words, uncertain=reached)
        case CallFailed():
            after = timedelta(seconds=error.retry_after) if error.retry_after else None
            if error.code is not None and 400 <= error.code < 500 and error.code not in (401, 404, 409, 429):
                return Refused(words)
            return RetryLater(words, after=after, uncertain=error.reached and error.code is None)
        case ClientDecodeError():
            return RetryLater("Telegram answered with something that could not be read", uncertain=True)
        case TelegramAPIError() if "too many requests" in words.lower():
            return RetryLater(words)
        case TelegramAPIError():
            return Refused(words)
        case _:
            return RetryLater(words or type(error).__name__, uncertain=True)


def sent_all_the_same(error: ClientDecodeError) -> list[int]:
    """Ids of the messages that an unreadable answer reports as sent: newer fields than the library knows are no failure."""
    answer: Any = error.data
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        return []
    result = answer.get("result")
    messages = result if isinstance(result, list) else [result]
    ids = [message.get("message_id") for message in messages if isinstance(message, dict)]
    return [one for one in ids if isinstance(one, int)]
