"""Bot API methods that put messages into a chat, change them and take them away."""

from collections.abc import Callable
from typing import Any, Final

from channels.telegram.sandbox import reactions
from channels.telegram.sandbox.files import LARGEST_FILE, LARGEST_PHOTO, StoredFile, picture_size
from channels.telegram.sandbox.keyboards import checked_inline_keyboard, checked_reply_keyboard, is_reply_keyboard
from channels.telegram.sandbox.markup import formatted
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import Refusal, bad_request, forbidden, too_large
from channels.telegram.sandbox.state import Bot, Chat, Json, Message, World

LONGEST_TEXT: Final = 4096
LONGEST_CAPTION: Final = 1024
LONGEST_CALLBACK_ANSWER: Final = 200
CHAT_ACTIONS: Final = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
_ALONE_IN_ALBUMS: Final = ("document", "audio")


class MessageMethods:
    """One method of the class for each method of the API; each returns the `result` of the answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.table: dict[str, Callable[[Bot, Parameters], Any]] = {
            "sendmessage": self.send_message,
            "sendphoto": lambda bot, params: self.send_file(bot, params, kind="photo"),
            "senddocument": lambda bot, params: self.send_file(bot, params, kind="document"),
            "sendvoice": lambda bot, params: self.send_file(bot, params, kind="voice"),
            "sendaudio": lambda bot, params: self.send_file(bot, params, kind="audio"),
            "sendvideo": lambda bot, params: self.send_file(bot, params, kind="video"),
            "sendmediagroup": self.send_media_group,
            "sendcontact": self.send_contact,
            "sendlocation": self.send_location,
            "sendchataction": self.send_chat_action,
            "editmessagetext": self.edit_message_text,
            "editmessagecaption": self.edit_message_caption,
            "editmessagereplymarkup": self.edit_message_reply_markup,
            "deletemessage": self.delete_message,
            "deletemessages": self.delete_messages,
            "answercallbackquery": self.answer_callback_query,
            "setmessagereaction": self.set_message_reaction,
        }

    # Sending

    def send_message(self, bot: Bot, params: Parameters) -> Json:
        chat = self._chat(bot, params)
        text, entities = self._text(params)
        content: Json = {"text": text}
        if entities:
            content["entities"] = entities
        if preview := params.mapping("link_preview_options"):
            content["link_preview_options"] = preview
        return self._send(chat, params, content)

    def send_file(self, bot: Bot, params: Parameters, *, kind: str) -> Json:
        chat = self._chat(bot, params)
        stored = self._file(params, params.text(kind), field=kind, kind=kind, duration=params.integer("duration"))
        return self._send(chat, params, {**stored.as_content(), **self._caption(params)})

    def send_media_group(self, bot: Bot, params: Parameters) -> list[Json]:
        chat = self._chat(bot, params)
        media = params.items("media")
        if media is None:
            raise bad_request('parameter "media" is required')
        if not 2 <= len(media) <= 10:
            raise bad_request("group send failed: an album holds 2-10 items")
        kinds = [item.get("type") if isinstance(item, dict) else None for item in media]
        for alone in _ALONE_IN_ALBUMS:
            if alone in kinds and set(kinds) != {alone}:
                raise bad_request(f"{alone} can't be mixed with other media types")
        album = str(self._world.seconds() * 1_000 + self._world.serial())
        contents = []
        for item, kind in zip(media, kinds, strict=True):
            if kind not in ("photo", "document", "audio", "video"):
                raise bad_request(f'can\'t parse InputMedia: type "{kind}" is unsupported')
            inner = Parameters(item, params.uploads)
            stored = self._file(params, inner.text("media"), field="media", kind=str(kind))
            contents.append({**stored.as_content(), **self._caption(inner), "media_group_id": album})
        return [self._send(chat, params, content) for content in contents]

    def send_contact(self, bot: Bot, params: Parameters) -> Json:
        chat = self._chat(bot, params)
        contact = {name: params.text(name) for name in ("phone_number", "first_name", "last_name") if params.has(name)}
        for name in ("phone_number", "first_name"):
            if name not in contact:
                raise bad_request(f'parameter "{name}" is required')
        return self._send(chat, params, {"contact": contact})

    def send_location(self, bot: Bot, params: Parameters) -> Json:
        chat = self._chat(bot, params)
        latitude, longitude = params.number("latitude"), params.number("longitude")
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise bad_request("wrong latitude or longitude")
        return self._send(chat, params, {"location": {"latitude": latitude, "longitude": longitude}})

    def send_chat_action(self, bot: Bot, params: Parameters) -> bool:
        chat = self._chat(bot, params)
        if params.text("action") not in CHAT_ACTIONS:
            raise bad_request("wrong parameter action in request")
        self._may_write(chat)
        chat.action = params.text("action")
        self._world.events.add("action", chat, action=chat.action)
        return True

    # Changing

    def edit_message_text(self, bot: Bot, params: Parameters) -> Json:
        chat, message = self._editable(bot, params)
        text, entities = self._text(params)
        if "text" not in message.body:
            raise bad_request("there is no text in the message to edit")
        return self._edit(chat, message, params, {"text": text, "entities": entities})

    def edit_message_caption(self, bot: Bot, params: Parameters) -> Json:
        chat, message = self._editable(bot, params)
        if "text" in message.body:
            raise bad_request("there is no caption in the message to edit")
        caption = self._caption(params)
        return self._edit(
            chat,
            message,
            params,
            {"caption": caption.get("caption"), "caption_entities": caption.get("caption_entities")},
        )

    def edit_message_reply_markup(self, bot: Bot, params: Parameters) -> Json:
        chat, message = self._editable(bot, params)
        return self._edit(chat, message, params, {})

    def delete_message(self, bot: Bot, params: Parameters) -> bool:
        chat = self._chat(bot, params)
        if not self._delete(chat, params.integer("message_id")):
            raise bad_request("message to delete not found")
        return True

    def delete_messages(self, bot: Bot, params: Parameters) -> bool:
        chat = self._chat(bot, params)
        ids = params.items("message_ids") or []
        if not 1 <= len(ids) <= 100:
            raise bad_request("message identifiers are not specified" if not ids else "too many message identifiers")
        for message_id in ids:
            self._delete(chat, int(message_id))
        return True

    def set_message_reaction(self, bot: Bot, params: Parameters) -> bool:
        chat = self._chat(bot, params)
        message = chat.messages.get(params.integer("message_id"))
        if message is None:
            raise bad_request("message to react not found")
        wanted = params.items("reaction") or []
        if len(wanted) > 1:
            raise bad_request("REACTIONS_TOO_MANY")
        emoji = ""
        for reaction in wanted:
            if not isinstance(reaction, dict) or reaction.get("type") not in ("emoji", "custom_emoji"):
                raise bad_request("can't parse reaction: type is unsupported")
            emoji = str(reaction.get("emoji", ""))
            if not reactions.is_allowed(emoji):
                raise bad_request("REACTION_INVALID")
        self._may_write(chat)
        if emoji:
            message.reactions["bot"] = emoji
        else:
            message.reactions.pop("bot", None)
        self._world.events.add("reaction", chat, message=message.as_seen())
        return True

    def answer_callback_query(self, bot: Bot, params: Parameters) -> bool:
        callback = self._world.callback(bot, params.text("callback_query_id"))
        if callback is None:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        text = params.text("text")
        if len(text) > LONGEST_CALLBACK_ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        self._world.events.add(
            "callback_answer",
            callback.chat,
            query_id=callback.id,
            text=text,
            show_alert=params.flag("show_alert"),
            url=params.text("url"),
        )
        return True

    # What they have in common

    def _chat(self, bot: Bot, params: Parameters) -> Chat:
        if not params.has("chat_id"):
            raise bad_request("chat_id is empty")
        wanted = params.text("chat_id")
        chat = bot.chats.get(int(wanted)) if wanted.lstrip("-").isdecimal() else None
        if chat is None:
            # A bot cannot write first: until the person has opened the chat, Telegram knows no such chat for it.
            raise bad_request("chat not found")
        return chat

    def _may_write(self, chat: Chat) -> None:
        if chat.blocked:
            raise forbidden("bot was blocked by the user")

    def _text(self, params: Parameters) -> tuple[str, list[Json]]:
        text, entities = formatted(params.text("text"), parse_mode=params.text("parse_mode"), entities=params.items("entities"))
        if not text:
            raise bad_request("message text is empty")
        if len(text) > LONGEST_TEXT:
            raise bad_request("message is too long")
        return text, entities

    def _caption(self, params: Parameters) -> Json:
        caption, entities = formatted(
            params.text("caption"), parse_mode=params.text("parse_mode"), entities=params.items("caption_entities")
        )
        if len(caption) > LONGEST_CAPTION:
            raise bad_request("message caption is too long")
        content: Json = {"caption": caption} if caption else {}
        if entities:
            content["caption_entities"] = entities
        return content

    def _file(self, params: Parameters, value: str, *, field: str, kind: str, duration: int = 0) -> StoredFile:
        upload = params.uploads.get(value.removeprefix("attach://")) if value.startswith("attach://") else None
        upload = upload or params.uploads.get(field)
        if upload is None:
            return self._file_by_id(value, kind=kind)
        if not upload.data:
            raise bad_request("file must be non-empty")
        if len(upload.data) > (LARGEST_PHOTO if kind == "photo" else LARGEST_FILE):
            raise bad_request("file is too big") if kind == "photo" else too_large()
        if kind == "photo" and picture_size(upload.data) is None:
            raise bad_request("IMAGE_PROCESS_FAILED")
        return self._world.files.put(upload.data, kind=kind, name=upload.name, mime_type=upload.mime_type, duration=duration)

    def _file_by_id(self, value: str, *, kind: str) -> StoredFile:
        if not value:
            raise bad_request(f"there is no {kind} in the request")
        stored = self._world.files.get(value)
        if stored is None:
            # The sandbox makes no requests of its own, so a link is refused like an unknown id.
            raise bad_request("wrong file identifier/HTTP URL specified")
        if stored.kind != kind:
            raise bad_request(f"can't use file of type {stored.kind.title()} as {kind.title()}")
        return stored

    def _send(self, chat: Chat, params: Parameters, content: Json) -> Json:
        extra: Json = {}
        markup = params.mapping("reply_markup") or {}
        reply_keyboard = is_reply_keyboard(markup)
        keyboard = checked_reply_keyboard(markup) if reply_keyboard else chat.keyboard
        if not reply_keyboard and (inline := checked_inline_keyboard(markup)):
            extra["reply_markup"] = inline
        if params.has("message_thread_id"):
            raise bad_request("message thread not found")
        if answered := self._replied_to(chat, params):
            # As in Telegram, the message replied to carries no reply of its own.
            extra["reply_to_message"] = {k: v for k, v in answered.body.items() if k != "reply_to_message"}
        if params.flag("protect_content"):
            extra["has_protected_content"] = True
        self._may_write(chat)
        chat.keyboard = keyboard
        return self._world.post(chat, {**content, **extra}, by_bot=True).body

    def _replied_to(self, chat: Chat, params: Parameters) -> Message | None:
        reply = params.mapping("reply_parameters") or {}
        wanted = reply.get("message_id") or params.integer("reply_to_message_id")
        if not wanted:
            return None
        message = chat.messages.get(int(wanted))
        if message is None and not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return message

    def _editable(self, bot: Bot, params: Parameters) -> tuple[Chat, Message]:
        chat = self._chat(bot, params)
        if not params.has("message_id"):
            raise bad_request("message identifier is not specified")
        message = chat.messages.get(params.integer("message_id"))
        if message is None:
            raise bad_request("message to edit not found")
        if not message.by_bot:
            raise bad_request("message can't be edited")
        return chat, message

    def _edit(self, chat: Chat, message: Message, params: Parameters, content: Json) -> Json:
        # Without reply_markup an edit takes the inline keyboard away, as in the real API.
        changed = {**content, "reply_markup": checked_inline_keyboard(params.mapping("reply_markup"))}
        if all((message.body.get(name) or None) == (value or None) for name, value in changed.items()):
            raise not_modified()
        self._may_write(chat)
        body = {name: value for name, value in {**message.body, **changed}.items() if value not in (None, [])}
        if content:
            body["edit_date"] = self._world.seconds()
        message.body = body
        self._world.events.add("edited", chat, message=message.as_seen())
        return body

    def _delete(self, chat: Chat, message_id: int) -> bool:
        if chat.messages.pop(message_id, None) is None:
            return False
        self._world.events.add("deleted", chat, message_id=message_id)
        return True


def not_modified() -> Refusal:
    return bad_request(
        "message is not modified: specified new message content and reply markup are exactly the same as a current "
        "content and reply markup of the message"
    )
