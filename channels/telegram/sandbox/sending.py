"""Bot API methods that put messages into a chat."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from channels.telegram.sandbox.addressing import chat_of, message_of, must_be_inside, placed, topic_to_write_in
from channels.telegram.sandbox.chats import Chat, Json, Message, Topic
from channels.telegram.sandbox.content import FILE_KINDS, LONGEST_TEXT, caption_of, file_of, text_of
from channels.telegram.sandbox.keyboards import checked_inline_keyboard, checked_reply_keyboard, is_reply_keyboard
from channels.telegram.sandbox.markup import formatted
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import bad_request
from channels.telegram.sandbox.state import Bot, World

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
_NOT_COPIED: Final = frozenset({"message_id", "from", "chat", "date", "edit_date", "reply_markup", "reply_to_message", "quote"})
_NOT_COPIED_OF_PLACE: Final = frozenset({"message_thread_id", "is_topic_message"})
_SERVICE: Final = ("forum_topic_", "general_forum_topic_", "new_chat_", "left_chat_", "pinned_message")
_WITHOUT_CAPTION: Final = ("video_note", "sticker")


class SendMethods:
    """One method of the class for each method of the API; each returns the `result` of the answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.table: dict[str, Callable[[Bot, Parameters], Any]] = {
            "sendmessage": self.send_message,
            "sendmediagroup": self.send_media_group,
            "sendcontact": self.send_contact,
            "sendlocation": self.send_location,
            "sendvenue": self.send_venue,
            "sendpoll": self.send_poll,
            "senddice": self.send_dice,
            "sendchataction": self.send_chat_action,
            "sendmessagedraft": self.send_draft,
            "copymessage": self.copy_message,
            "copymessages": self.copy_messages,
            "forwardmessage": self.forward_message,
            "forwardmessages": self.forward_messages,
            **{f"send{kind.replace('_', '')}": partial(self.send_file, kind=kind) for kind in FILE_KINDS},
        }

    def send_message(self, bot: Bot, params: Parameters) -> Json:
        chat = chat_of(bot, params)
        text, entities = text_of(params)
        content: Json = {"text": text}
        if entities:
            content["entities"] = entities
        if preview := params.mapping("link_preview_options"):
            content["link_preview_options"] = preview
        return self._send(chat, params, content)

    def send_file(self, bot: Bot, params: Parameters, *, kind: str) -> Json:
        chat = chat_of(bot, params)
        stored = file_of(self._world, params, params.text(kind), field=kind, kind=kind, duration=params.integer("duration"))
        caption = {} if kind in _WITHOUT_CAPTION else caption_of(params)
        return self._send(chat, params, {**stored.as_content(), **caption})

    def send_media_group(self, bot: Bot, params: Parameters) -> list[Json]:
        chat = chat_of(bot, params)
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
            stored = file_of(self._world, params, inner.text("media"), field="media", kind=str(kind))
            contents.append({**stored.as_content(), **caption_of(inner), "media_group_id": album})
        return [self._send(chat, params, content) for content in contents]

    def send_contact(self, bot: Bot, params: Parameters) -> Json:
        chat = chat_of(bot, params)
        contact = {name: params.text(name) for name in ("phone_number", "first_name", "last_name") if params.has(name)}
        for name in ("phone_number", "first_name"):
            if name not in contact:
                raise bad_request(f'parameter "{name}" is required')
        return self._send(chat, params, {"contact": contact})

    def send_location(self, bot: Bot, params: Parameters) -> Json:
        chat = chat_of(bot, params)
        return self._send(chat, params, {"location": _place(params)})

    def send_venue(self, bot: Bot, params: Parameters) -> Json:
        chat = chat_of(bot, params)
        place = _place(params)
        venue = {"location": place, "title": params.text("title"), "address": params.text("address")}
        return self._send(chat, params, {"location": place, "venue": venue})

    def send_poll(self, bot: Bot, params: Parameters) -> Json:
        chat = chat_of(bot, params)
        options = [str(option.get("text", "") if isinstance(option, dict) else option).strip() for option in params.items("options") or []]
        if not 2 <= len(options) <= 12:
            raise bad_request("poll must have at least 2 options" if len(options) < 2 else "poll can't have more than 12 options")
        if not params.text("question").strip():
            raise bad_request("poll question must be non-empty")
        anonymous = "is_anonymous" not in params.values or params.flag("is_anonymous")
        poll: Json = {
            "id": str(self._world.seconds() * 1_000 + self._world.serial()),
            "question": params.text("question").strip(),
            "options": [{"persistent_id": str(n), "text": text, "voter_count": 0} for n, text in enumerate(options)],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": anonymous,
            "type": params.text("type", "regular"),
            "allows_multiple_answers": params.flag("allows_multiple_answers"),
            "allows_revoting": True,
            "members_only": False,
        }
        return self._send(chat, params, {"poll": poll})

    def send_dice(self, bot: Bot, params: Parameters) -> Json:
        chat = chat_of(bot, params)
        return self._send(chat, params, {"dice": {"emoji": params.text("emoji", "🎲"), "value": 1 + self._world.serial() % 6}})

    def send_chat_action(self, bot: Bot, params: Parameters) -> bool:
        chat = chat_of(bot, params)
        if params.text("action") not in CHAT_ACTIONS:
            raise bad_request("wrong parameter action in request")
        topic = topic_to_write_in(chat, params.integer("message_thread_id")) if params.has("message_thread_id") else None
        must_be_inside(chat)
        chat.action = params.text("action")
        self._world.events.add("action", chat, action=chat.action, topic=topic.id if topic else None)
        return True

    def send_draft(self, bot: Bot, params: Parameters) -> bool:
        """Show a part of a message that is still being written; an empty one shows that the bot thinks."""
        chat = chat_of(bot, params)
        if not chat.is_private:
            raise bad_request("method is available only for private chats")
        if not params.integer("draft_id"):
            raise bad_request("draft_id must be non-zero")
        text, entities = formatted(params.text("text"), parse_mode=params.text("parse_mode"), entities=params.items("entities"))
        if len(text) > LONGEST_TEXT:
            raise bad_request("message is too long")
        topic = topic_to_write_in(chat, params.integer("message_thread_id")) if params.has("message_thread_id") else None
        must_be_inside(chat)
        self._world.events.add(
            "draft", chat, draft_id=params.integer("draft_id"), text=text, entities=entities, topic=topic.id if topic else None
        )
        return True

    # Copies

    def copy_message(self, bot: Bot, params: Parameters) -> Json:
        chat, source = chat_of(bot, params), self._source(bot, params)
        content = _copied(source, what="copied")
        if "caption" in params.values and "text" not in content:
            content = {name: value for name, value in content.items() if name not in ("caption", "caption_entities")} | caption_of(params)
        return {"message_id": self._send(chat, params, content)["message_id"]}

    def copy_messages(self, bot: Bot, params: Parameters) -> list[Json]:
        chat = chat_of(bot, params)
        contents = [_copied(message, what="copied") for message in self._sources(bot, params)]
        return [{"message_id": self._send(chat, params, content)["message_id"]} for content in contents]

    def forward_message(self, bot: Bot, params: Parameters) -> Json:
        chat, source = chat_of(bot, params), self._source(bot, params)
        return self._send(chat, params, _forwarded(source))

    def forward_messages(self, bot: Bot, params: Parameters) -> list[Json]:
        chat = chat_of(bot, params)
        contents = [_forwarded(message) for message in self._sources(bot, params)]
        return [{"message_id": self._send(chat, params, content)["message_id"]} for content in contents]

    def _source(self, bot: Bot, params: Parameters) -> Message:
        return message_of(chat_of(bot, params, name="from_chat_id"), params, missing="message to copy not found")

    def _sources(self, bot: Bot, params: Parameters) -> list[Message]:
        chat = chat_of(bot, params, name="from_chat_id")
        wanted = [int(each) for each in params.items("message_ids") or []]
        if not 1 <= len(wanted) <= 100:
            raise bad_request("message identifiers are not specified" if not wanted else "too many message identifiers specified")
        found = [chat.messages[each] for each in wanted if each in chat.messages]
        if not found:
            raise bad_request("there are no messages to copy")
        return found

    # What they have in common

    def _send(self, chat: Chat, params: Parameters, content: Json) -> Json:
        extra: Json = {}
        markup = params.mapping("reply_markup") or {}
        reply_keyboard = is_reply_keyboard(markup)
        keyboard = checked_reply_keyboard(markup) if reply_keyboard else chat.keyboard
        if not reply_keyboard and (inline := checked_inline_keyboard(markup)):
            extra["reply_markup"] = inline
        answered = self._replied_to(chat, params)
        topic = self._topic(chat, params, answered)
        extra |= placed(topic)
        if answered is not None:
            extra["reply_to_message"] = answered.as_answered()
            extra |= _quote(params, answered)
        elif topic is not None and not chat.is_private:
            extra |= first_of(chat, topic)
        if params.flag("protect_content"):
            extra["has_protected_content"] = True
        must_be_inside(chat)
        chat.keyboard = keyboard
        return self._world.post(chat, {**content, **extra}, by=None).body

    def _topic(self, chat: Chat, params: Parameters, answered: Message | None) -> Topic | None:
        if params.has("message_thread_id"):
            topic = topic_to_write_in(chat, params.integer("message_thread_id"))
            if answered is not None and not chat.is_private and answered.topic_id != topic.id:
                raise bad_request("message thread not found")
            return topic
        # An answer stands where the message stands that it answers.
        return topic_to_write_in(chat, answered.topic_id) if answered is not None and answered.topic_id else None

    def _replied_to(self, chat: Chat, params: Parameters) -> Message | None:
        reply = params.mapping("reply_parameters") or {}
        wanted = reply.get("message_id") or params.integer("reply_to_message_id")
        if not wanted:
            return None
        message = chat.messages.get(int(wanted))
        if message is None and not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return message


def first_of(chat: Chat, topic: Topic) -> Json:
    """In forum supergroups what answers nothing else answers the message that began its topic, as in the real API."""
    first = chat.messages.get(topic.id)
    return {"reply_to_message": first.as_answered()} if first else {}


def _quote(params: Parameters, answered: Message) -> Json:
    quote = str((params.mapping("reply_parameters") or {}).get("quote") or "")
    if not quote:
        return {}
    at = str(answered.body.get("text") or answered.body.get("caption") or "").find(quote)
    if at < 0:
        raise bad_request("QUOTE_TEXT_INVALID")
    return {"quote": {"text": quote, "position": at, "is_manual": True}}


def _place(params: Parameters) -> Json:
    latitude, longitude = params.number("latitude"), params.number("longitude")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise bad_request("wrong latitude or longitude")
    return {"latitude": latitude, "longitude": longitude}


def _copied(message: Message, *, what: str) -> Json:
    if any(name.startswith(_SERVICE) for name in message.body):
        raise bad_request(f"the message can't be {what}")
    return {name: value for name, value in message.body.items() if name not in _NOT_COPIED | _NOT_COPIED_OF_PLACE}


def _forwarded(message: Message) -> Json:
    origin = {"type": "user", "sender_user": message.body["from"], "date": message.body["date"]}
    return {"forward_origin": origin, **_copied(message, what="forwarded")}
