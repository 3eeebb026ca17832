"""What Telegram's refusals mean for a message: a moved group is followed, a gone chat is told, a bot at rest waits for free."""

from datetime import UTC, datetime
from typing import Any

import pytest

from channels.telegram.bot import NotYet, verdict
from channels.telegram.connection import Connection
from channels.telegram.plan import Step
from channels.telegram.send import Sender
from desk_core.conversations.ports import OutboundMessage, Refused, RetryLater

# isort: split
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramMigrateToChat
from aiogram.methods import SendMessage
from aiogram.types import Chat, Message

OLD, NEW = -4711, -1004711
CONNECTION = Connection("7000000001:AAE" + "x" * 32)
CALL = SendMessage(chat_id=OLD, text="x")


class MovedGroup:
    """A bot in whose world a group has become a supergroup."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def send_message(self, chat_id: int, text: str, **_: Any) -> Message:
        self.asked.append(chat_id)
        if chat_id == OLD:
            raise TelegramMigrateToChat(method=CALL, message="group chat was upgraded to a supergroup chat", migrate_to_chat_id=NEW)
        return Message(message_id=len(self.asked), date=datetime(2026, 3, 2, tzinfo=UTC), chat=Chat(id=chat_id, type="supergroup"))


def letter(number: int) -> OutboundMessage:
    return OutboundMessage(
        message_id=f"m{number}", conversation_id="c", thread_key=str(OLD), to=str(OLD), to_name="", text="привет", language="ru",
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip


async def test_a_group_that_moved_is_followed_and_remembered() -> None:
    bot = MovedGroup()
    sender = Sender(CONNECTION, bot, blobs=None)  # type: ignore[arg-type]  # a bot that sends texts, and no files are sent
    receipts = [await sender.deliver(letter(number)) for number in range(2)]
    assert bot.asked == [OLD, NEW, NEW]
    assert [receipt.external_id for receipt in receipts] == [f"{NEW}:2", f"{NEW}:3"]


@pytest.mark.parametrize(
    "error",
    [
        TelegramForbiddenError(method=CALL, message="Forbidden: bot was blocked by the user"),
        TelegramForbiddenError(method=CALL, message="Forbidden: user is deactivated"),
        TelegramBadRequest(method=CALL, message="Bad Request: chat not found"),
        TelegramBadRequest(method=CALL, message="Bad Request: PEER_ID_INVALID"),
    ],
)
def test_a_person_who_cannot_be_reached_any_more_is_told_as_such(error: Exception) -> None:
    meant = verdict(error, CONNECTION)
    assert isinstance(meant, Refused)
    assert meant.blocked


def test_other_bad_requests_say_nothing_of_the_person() -> None:
    meant = verdict(TelegramBadRequest(method=CALL, message="Bad Request: message text is empty"), CONNECTION)
    assert isinstance(meant, Refused)
    assert not meant.blocked


def test_waiting_for_the_pace_is_no_failed_try() -> None:
    meant = verdict(NotYet(7), CONNECTION)
    assert isinstance(meant, RetryLater)
    assert meant.free
    assert not meant.uncertain
    assert meant.after is not None
    assert 7 <= meant.after.total_seconds() < 8


def test_a_message_whose_question_is_gone_is_sent_without_it() -> None:
    words = "Bad Request: message to be replied not found"
    easier = Step(html="x").easier(words)
    assert easier is not None
    assert not easier.as_reply
    assert easier.easier(words) is None


def test_a_topic_that_is_gone_is_told_as_such_since_the_desk_opens_it_again() -> None:
    words = "Bad Request: message thread not found"
    assert Step(html="x").easier(words) is None
