"""A group with topics, as operators work in it: opening and changing topics, and writing into one of them and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramForbiddenError
from aiogram.types import InlineKeyboardMarkup, LinkPreviewOptions

from channels.telegram import render
from channels.telegram.bot import translated
from channels.telegram.connection import Connection
from channels.telegram.entities import clean
from channels.telegram.plan import Place
from channels.telegram.send import Sender, keyboard_of
from desk_core.conversations.ports import OutboundMessage, Receipt, Refused
from desk_core.groups.ports import Face, GroupUnreachable, Standing, TopicGone

LONGEST_TITLE: Final = 128
_TOPIC_GONE: Final = ("thread not found", "topic_deleted", "topic_id_invalid", "topic not found")
_UNREACHABLE: Final = (
    "chat not found", "not a member", "bot was kicked", "not enough rights", "chat_admin_required", "not a forum", "need administrator",
    "supergroup chat was upgraded", "upgraded to a supergroup", "chat is not a forum", "chat_write_forbidden",
)  # fmt: skip
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class GroupDesk:
    """The group side of one bot; implements what `Grouping` promises."""

    def __init__(self, connection: Connection, bot: Bot, sender: Sender) -> None:
        self._connection, self._bot, self._sender = connection, bot, sender
        self._icons: dict[str, str] | None = None

    async def standing(self, chat: str) -> Standing:
        """Title of the group, and what the bot still needs there."""
        # Read as plain JSON: what may be missing in an older server's answer, or new in a newer one's, matters not here.
        with self._meant():
            me = _object(await self._connection.call("getMe"))
            found = _object(await self._connection.call("getChat", {"chat_id": chat}))
            member = _object(await self._connection.call("getChatMember", {"chat_id": chat, "user_id": me.get("id")}))
        missing = [] if found.get("is_forum") is True else ["forum"]
        owns, is_admin = member.get("status") == "creator", member.get("status") in ("creator", "administrator")
        if not is_admin:
            missing.append("admin")
        elif not owns and member.get("can_manage_topics") is not True:
            missing.append("topics")
        # An administrator hears everything; anybody else only with the privacy mode off.
        if not is_admin and me.get("can_read_all_group_messages") is not True:
            missing.append("privacy")
        return Standing(str(found.get("title") or chat), tuple(missing))

    async def open_topic(self, chat: str, face: Face) -> str:
        icon = await self._icon(face.icon)
        with self._meant():
            made = await self._bot.create_forum_topic(chat, face.title[:LONGEST_TITLE], icon_custom_emoji_id=icon)
        return str(made.message_thread_id)

    async def show_topic(self, chat: str, thread: str, face: Face) -> None:
        icon = await self._icon(face.icon)
        with self._meant():
            # A closed topic cannot be renamed by everybody, an administrator may: so rename first, then close.
            await self._unless_so(self._bot.edit_forum_topic(chat, int(thread), name=face.title[:LONGEST_TITLE], icon_custom_emoji_id=icon))
            switch = self._bot.close_forum_topic if face.closed else self._bot.reopen_forum_topic
            await self._unless_so(switch(chat, int(thread)))

    @staticmethod
    async def _unless_so(call: "object") -> None:
        """It looks like that already: as good as done."""
        try:
            await call  # type: ignore[misc]  # one of aiogram's coroutines
        except TelegramBadRequest as refusal:
            if "not_modified" not in refusal.message.lower() and "not modified" not in refusal.message.lower():
                raise

    async def post(self, message: OutboundMessage) -> Receipt:
        with self._meant():
            return await self._sender.deliver(message)

    async def rewrite(self, message: OutboundMessage, place: str) -> None:
        where = Place.of(message.thread_key)
        message_id = where.message_id(place)
        if message_id is None:
            raise Refused(f"{place} is no message of this group")
        with self._meant():
            await self._unless_so(
                self._bot.edit_message_text(
                    render.split(render.to_html(clean(message.text)))[0],
                    chat_id=where.chat_id,
                    message_id=message_id,
                    parse_mode="HTML",
                    link_preview_options=_NO_PREVIEW,
                    reply_markup=keyboard_of(message.buttons) or InlineKeyboardMarkup(inline_keyboard=[]),
                )
            )

    async def _icon(self, emoji: str) -> str | None:
        """Telegram's own picture for a topic of this state; None where it has none, and then the title alone says it."""
        if self._icons is None:
            with translated(self._connection):
                try:
                    stickers = await self._bot.get_forum_topic_icon_stickers()
                except TelegramAPIError:
                    return None  # an ornament: asked for again the next time
            self._icons = {one.emoji: one.custom_emoji_id for one in stickers if one.emoji and one.custom_emoji_id}
        return self._icons.get(emoji)

    @contextmanager
    def _meant(self) -> Iterator[None]:
        """Refusals by what they mean for the group; everything else as for any message."""
        try:
            with translated(self._connection):
                try:
                    yield
                except (TelegramBadRequest, TelegramForbiddenError) as refusal:
                    self._judge(refusal.message, forbidden=isinstance(refusal, TelegramForbiddenError))
                    raise
        except Refused as refusal:
            self._judge(refusal.reason, forbidden=refusal.blocked)
            raise

    def _judge(self, reason: str, *, forbidden: bool) -> None:
        words = reason.lower()
        if any(one in words for one in _TOPIC_GONE):
            raise TopicGone
        if forbidden or any(one in words for one in _UNREACHABLE):
            raise GroupUnreachable(self._connection.scrub(reason))


def _object(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {}
