"""Sending through aiogram's `Bot`: every part once where that can be known, every refusal by its meaning."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramBadRequest, TelegramMigrateToChat
from aiogram.types import (
    BufferedInputFile,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    LinkPreviewOptions,
    MediaUnion,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)

from channels.telegram import render
from channels.telegram.bot import UPLOAD_SECONDS, sent_all_the_same, translated
from channels.telegram.connection import Connection
from channels.telegram.content import safe_name
from channels.telegram.plan import LARGEST_LOCAL_UPLOAD, LARGEST_UPLOAD, MEGABYTE, Buttons, Place, Step, steps
from desk_core.conversations.ports import Blobs, OutboundFile, OutboundMessage, Receipt, Refused, RetryLater, Topic
from desk_core.kit.errors import NotFound

LONGEST_CALLBACK_ANSWER: Final = 200
LONGEST_COPY: Final = 256
LONGEST_TOPIC: Final = 128
_REMEMBERED: Final = 1_000
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class Sender:
    """Delivers messages of one bot. Remembers which parts of an unfinished message went out, so that a retry sends the rest."""

    def __init__(self, connection: Connection, bot: Bot, *, blobs: Blobs, local: bool = False) -> None:
        self._connection = connection
        self._largest = LARGEST_LOCAL_UPLOAD if local else LARGEST_UPLOAD
        self._bot = bot
        self._blobs = blobs
        # In memory only: after a crash between parts the whole message is sent again, which is what "at least once" means.
        self._sent: OrderedDict[str, list[list[int]]] = OrderedDict()
        self._icons: dict[str, str] | None = None
        self._moved: dict[int | str, int] = {}

    async def deliver(self, message: OutboundMessage) -> Receipt:
        """Send all parts; raises `RetryLater` or `Refused`."""
        place = Place.of(message.thread_key)
        plan = steps(message)
        if not plan:
            raise Refused("there is nothing to send: the message has neither text nor files")
        sent = self._sent.setdefault(message.message_id, [])
        self._sent.move_to_end(message.message_id)
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        try:
            for step in plan[len(sent) :]:
                # A group that became a supergroup has another number; its old one says so, and its new one is written to.
                ids, place = await self._send(step, self._moved_to(place), message=message, first=not sent)
                sent.append(ids)
        except RetryLater as later:
            raise RetryLater(later.reason, after=later.after, uncertain=later.uncertain or bool(sent), free=later.free) from None
        except Refused:
            self._sent.pop(message.message_id, None)
            raise
        del self._sent[message.message_id]
        return _receipt([number for ids in sent for number in ids], place, by_keyboard=bool(plan[-1].buttons))

    async def _send(self, step: Step, place: Place, *, message: OutboundMessage, first: bool) -> tuple[list[int], Place]:
        """One step, and again without what Telegram refuses of it: markup first becomes plain text, never silence."""
        with translated(self._connection):
            while True:
                try:
                    send = self._send_files if step.files or step.written else self._send_text
                    return await send(step, place, message=message, first=first and step.as_reply), place
                except TelegramMigrateToChat as moved:
                    if self._moved.get(place.chat_id) == moved.migrate_to_chat_id:
                        raise
                    self._moved[place.chat_id] = moved.migrate_to_chat_id
                    place = self._moved_to(place)
                except TelegramBadRequest as refusal:
                    easier = step.easier(refusal.message)
                    if easier is None:
                        raise
                    step = easier
                except ClientDecodeError as unread:
                    if ids := sent_all_the_same(unread):
                        return ids, place
                    raise

    def _moved_to(self, place: Place) -> Place:
        chat_id = self._moved.get(place.chat_id)
        return place if chat_id is None else Place(chat_id)

    async def _send_text(self, step: Step, place: Place, *, message: OutboundMessage, first: bool) -> list[int]:
        parts = render.split(step.html) if step.formatted else render.split_plain(render.plain(step.html))
        ids = []
        for number, part in enumerate(parts, start=1):
            sent = await self._bot.send_message(
                place.chat_id,
                part,
                message_thread_id=place.thread_id,
                parse_mode="HTML" if step.formatted else None,
                link_preview_options=_NO_PREVIEW,
                disable_notification=message.silent or None,
                reply_parameters=_reply(place, message) if first and number == 1 else None,
                reply_markup=keyboard_of(step.buttons) or phone_button_of(message) if number == len(parts) else None,
            )
            ids.append(sent.message_id)
        return ids

    async def _send_files(self, step: Step, place: Place, *, message: OutboundMessage, first: bool) -> list[int]:
        uploads = [await self._upload(file) for file in step.files]
        if step.written is not None:
            uploads = [BufferedInputFile(step.written.content, filename=step.written.name)]
        thread_id = place.thread_id
        caption = (step.html if step.formatted else render.plain(step.html)[: render.LONGEST_CAPTION]) or None
        parse_mode = "HTML" if step.formatted else None
        silent = message.silent or None
        reply = _reply(place, message) if first else None
        if len(uploads) > 1:
            kind = InputMediaPhoto if step.as_photos else InputMediaDocument
            # Telegram shows the caption of the only item that has one: of the first photo, of the last document.
            captioned = 0 if step.as_photos else len(uploads) - 1
            media: list[MediaUnion] = [
                kind(media=upload, caption=caption if number == captioned else None, parse_mode=parse_mode)
                for number, upload in enumerate(uploads)
            ]
            album = await self._bot.send_media_group(
                place.chat_id,
                media,
                message_thread_id=thread_id,
                disable_notification=silent,
                reply_parameters=reply,
                request_timeout=UPLOAD_SECONDS,
            )
            return [sent.message_id for sent in album]
        keyboard = keyboard_of(step.buttons)
        if step.as_photos:
            sent = await self._bot.send_photo(
                place.chat_id,
                uploads[0],
                message_thread_id=thread_id,
                caption=caption,
                parse_mode=parse_mode,
                disable_notification=silent,
                reply_parameters=reply,
                reply_markup=keyboard,
                request_timeout=UPLOAD_SECONDS,
            )
        else:
            sent = await self._bot.send_document(
                place.chat_id,
                uploads[0],
                message_thread_id=thread_id,
                caption=caption,
                parse_mode=parse_mode,
                disable_notification=silent,
                reply_parameters=reply,
                reply_markup=keyboard,
                request_timeout=UPLOAD_SECONDS,
            )
        return [sent.message_id]

    async def _upload(self, file: OutboundFile) -> BufferedInputFile:
        if file.size > self._largest:
            raise Refused(f"the file {file.name} is larger than Telegram takes from bots ({self._largest // MEGABYTE} MB)")
        try:
            content = await self._blobs.read(file.sha256)
        except NotFound:
            raise Refused(f"the content of the file {file.name} is gone from the store") from None
        # The name stands in a header of the upload, where a quotation mark would end it.
        return BufferedInputFile(content, filename=safe_name(file.name, "file").replace('"', "'"))

    async def edit(self, message: OutboundMessage, shown: Receipt) -> Receipt:
        """Make the parts that were sent show what `message` says now. All of them or, raising `Refused`, none."""
        place = Place.of(message.thread_key)
        plan = steps(message)
        ids = sorted(number for one in (shown.external_id, *shown.extra) if (number := place.message_id(one)) is not None)
        needed = sum(len(step.files) or 1 for step in plan)
        if not plan or needed > len(ids) or (needed < len(ids) and any(step.files for step in plan)) or any(step.written for step in plan):
            raise Refused("what was sent has other parts than what it should be now")
        left = list(ids)
        for step in plan:
            mine, left = left[: len(step.files) or 1], left[len(step.files) or 1 :]
            await self._edit(step, place, mine)
        for number in left:
            await self._delete(place, number)
        return _receipt(ids[:needed], place, by_keyboard=bool(plan[-1].buttons))

    async def _edit(self, step: Step, place: Place, ids: list[int]) -> None:
        """One step over what it once sent; of files only the caption can change."""
        with translated(self._connection):
            while True:
                text = step.html if step.formatted else render.plain(step.html)
                parse_mode, keyboard = "HTML" if step.formatted else None, keyboard_of(step.buttons)
                try:
                    if step.files:
                        captioned = ids[0] if step.as_photos else ids[-1]
                        await self._bot.edit_message_caption(
                            chat_id=place.chat_id, message_id=captioned, caption=text, parse_mode=parse_mode, reply_markup=keyboard
                        )
                    else:
                        await self._bot.edit_message_text(
                            text, chat_id=place.chat_id, message_id=ids[0], parse_mode=parse_mode, link_preview_options=_NO_PREVIEW,
                            reply_markup=keyboard,
                        )  # fmt: skip
                except TelegramBadRequest as refusal:
                    if "not modified" in refusal.message:
                        return
                    easier = step.easier(refusal.message)
                    if easier is None:
                        raise
                    step = easier
                except ClientDecodeError as unread:
                    if not sent_all_the_same(unread):
                        raise
                    return
                else:
                    return

    async def delete(self, thread_key: str, external_ids: Sequence[str]) -> None:
        place = Place.of(thread_key)
        for number in sorted(number for one in external_ids if (number := place.message_id(one)) is not None):
            await self._delete(place, number)

    async def _delete(self, place: Place, message_id: int) -> None:
        with translated(self._connection):
            try:
                await self._bot.delete_message(place.chat_id, message_id)
            except TelegramBadRequest as refusal:
                if "message to delete not found" not in refusal.message:
                    raise

    async def react(self, thread_key: str, external_id: str, emoji: str | None) -> None:
        place = Place.of(thread_key)
        message_id = place.message_id(external_id)
        if message_id is None:
            raise Refused(f"{external_id} is no message of this chat")
        with translated(self._connection):
            await self._bot.set_message_reaction(
                place.chat_id, message_id, reaction=[ReactionTypeEmoji(emoji=emoji)] if emoji is not None else []
            )

    async def typing(self, thread_key: str) -> None:
        place = Place.of(thread_key)
        with translated(self._connection):
            await self._bot.send_chat_action(place.chat_id, "typing", message_thread_id=place.thread_id)

    async def answer_press(self, callback_id: str, text: str | None) -> None:
        with translated(self._connection):
            await self._bot.answer_callback_query(callback_id, text=text[:LONGEST_CALLBACK_ANSWER] if text else None)

    async def open_topic(self, thread_key: str, topic: Topic) -> str:
        place = Place.of(thread_key)
        with translated(self._connection):
            icon = await self._icon(topic)
            try:
                made = await self._bot.create_forum_topic(place.chat_id, _name(topic, icon), icon_custom_emoji_id=icon)
            except TelegramBadRequest as refusal:
                if icon is None or not _is_about_icon(refusal.message):
                    raise
                made = await self._bot.create_forum_topic(place.chat_id, _name(topic, None))
        return f"{place.chat_id}:{made.message_thread_id}"

    async def set_topic(self, thread_key: str, topic: Topic, *, shown: Mapping[str, Any]) -> None:
        """Only what differs from `shown` is asked for. A private chat cannot close a topic: there the title and the icon say it."""
        place = Place.of(thread_key)
        if place.thread_id is None:
            raise Refused(f"{thread_key} is no topic")
        with translated(self._connection):
            icon = await self._icon(topic)
            if (topic.title, list(topic.icons)) != (shown.get("title"), shown.get("icons")):
                await self._edit_topic(place, topic, icon)
            if place.is_group and topic.closed != bool(shown.get("closed")):
                act = self._bot.close_forum_topic if topic.closed else self._bot.reopen_forum_topic
                try:
                    await act(place.chat_id, place.thread_id)
                except TelegramBadRequest as refusal:
                    if not _is_so_already(refusal.message):
                        raise

    async def _edit_topic(self, place: Place, topic: Topic, icon: str | None) -> None:
        while True:
            try:
                await self._bot.edit_forum_topic(
                    place.chat_id, place.thread_id or 0, name=_name(topic, icon), icon_custom_emoji_id=icon if icon is not None else ""
                )
            except TelegramBadRequest as refusal:
                if _is_so_already(refusal.message):
                    return
                if not icon or not _is_about_icon(refusal.message):
                    raise
                icon = None
            else:
                return

    async def _icon(self, topic: Topic) -> str | None:
        """The custom emoji for the state, as far as Telegram offers one for topics; asked for once."""
        if self._icons is None:
            try:
                stickers = await self._bot.get_forum_topic_icon_stickers()
            except TelegramBadRequest:
                stickers = []
            self._icons = {_bare(one.emoji): one.custom_emoji_id for one in stickers if one.emoji and one.custom_emoji_id}
        return next((self._icons[_bare(emoji)] for emoji in topic.icons if _bare(emoji) in self._icons), None)

    async def close_buttons(self, thread_key: str, external_id: str) -> None:
        place = Place.of(thread_key)
        message_id = place.message_id(external_id)
        if message_id is None:
            raise Refused(f"{external_id} is no message of this chat")
        with translated(self._connection):
            try:
                await self._bot.edit_message_reply_markup(chat_id=place.chat_id, message_id=message_id, reply_markup=None)
            except TelegramBadRequest as refusal:
                if "not modified" not in refusal.message:
                    raise


def _name(topic: Topic, icon: str | None) -> str:
    """The title; where Telegram has no icon for the state, its emoji begins the title."""
    title = topic.title if icon is not None or not topic.icons else f"{topic.icons[0]} {topic.title}"
    return title[:LONGEST_TOPIC] or "…"


def _bare(emoji: str) -> str:
    """An emoji without the mark that asks for its coloured form; lists have it with and without."""
    return emoji.replace("\ufe0f", "")


def _is_about_icon(refusal: str) -> bool:
    return "emoji" in refusal.lower() or "icon" in refusal.lower() or "document_invalid" in refusal.lower()


def _is_so_already(refusal: str) -> bool:
    return "not_modified" in refusal.lower() or "not modified" in refusal.lower()


def _receipt(ids: list[int], place: Place, *, by_keyboard: bool) -> Receipt:
    """The part with the keyboard stands for the whole, since its buttons must be found again; otherwise the first one does."""
    main = ids[-1] if by_keyboard else ids[0]
    return Receipt(place.shown_id(main), extra=tuple(place.shown_id(number) for number in ids if number != main))


def _reply(place: Place, message: OutboundMessage) -> ReplyParameters | None:
    message_id = place.message_id(message.reply_to)
    return None if message_id is None else ReplyParameters(message_id=message_id, allow_sending_without_reply=True)


def keyboard_of(buttons: Buttons) -> InlineKeyboardMarkup | None:
    """Buttons as Telegram draws them."""
    rows = [
        [
            InlineKeyboardButton(
                text=button.label or "…",
                callback_data=button.token,
                url=button.url,
                copy_text=CopyTextButton(text=button.copy[:LONGEST_COPY]) if button.copy else None,
            )
            for button in row
        ]
        for row in buttons
    ]
    return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None


def phone_button_of(message: OutboundMessage) -> ReplyKeyboardMarkup | ReplyKeyboardRemove | None:
    """The button below the chat with which somebody shares their own phone, or its end."""
    if message.phone_button is None:
        return None
    if not message.phone_button:
        return ReplyKeyboardRemove(remove_keyboard=True)
    button = KeyboardButton(text=message.phone_button, request_contact=True)
    return ReplyKeyboardMarkup(keyboard=[[button]], resize_keyboard=True, one_time_keyboard=True)
