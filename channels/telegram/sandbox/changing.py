"""Bot API methods that change what is in a chat: edits, deletions, pins, reactions and answers to presses."""

from collections.abc import Callable
from typing import Any, Final

from channels.telegram.sandbox import reactions
from channels.telegram.sandbox.addressing import chat_of, message_of, must_be_inside, must_have_right, placed
from channels.telegram.sandbox.chats import Chat, Json, Message
from channels.telegram.sandbox.content import FILE_KINDS, caption_of, file_of, text_of
from channels.telegram.sandbox.keyboards import checked_inline_keyboard
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import Refusal, bad_request
from channels.telegram.sandbox.state import Bot, World

LONGEST_CALLBACK_ANSWER: Final = 200
DELETABLE_SECONDS: Final = 48 * 3600


class ChangeMethods:
    """One method of the class for each method of the API; each returns the `result` of the answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.table: dict[str, Callable[[Bot, Parameters], Any]] = {
            "editmessagetext": self.edit_message_text,
            "editmessagecaption": self.edit_message_caption,
            "editmessagemedia": self.edit_message_media,
            "editmessagereplymarkup": self.edit_message_reply_markup,
            "stoppoll": self.stop_poll,
            "deletemessage": self.delete_message,
            "deletemessages": self.delete_messages,
            "pinchatmessage": self.pin,
            "unpinchatmessage": self.unpin,
            "unpinallchatmessages": self.unpin_all,
            "answercallbackquery": self.answer_callback_query,
            "setmessagereaction": self.set_message_reaction,
        }

    def edit_message_text(self, bot: Bot, params: Parameters) -> Json:
        chat, message = self._editable(bot, params)
        text, entities = text_of(params)
        if "text" not in message.body:
            raise bad_request("there is no text in the message to edit")
        return self._edit(chat, message, params, {"text": text, "entities": entities})

    def edit_message_caption(self, bot: Bot, params: Parameters) -> Json:
        chat, message = self._editable(bot, params)
        if "text" in message.body:
            raise bad_request("there is no caption in the message to edit")
        caption = caption_of(params)
        return self._edit(
            chat,
            message,
            params,
            {"caption": caption.get("caption"), "caption_entities": caption.get("caption_entities")},
        )

    def edit_message_media(self, bot: Bot, params: Parameters) -> Json:
        chat, message = self._editable(bot, params)
        media = params.mapping("media") or {}
        kind = str(media.get("type"))
        if kind not in ("photo", "document", "audio", "video", "animation"):
            raise bad_request(f'can\'t parse InputMedia: type "{kind}" is unsupported')
        if "text" in message.body:
            raise bad_request("there is no media in the message to edit")
        inner = Parameters(media, params.uploads)
        stored = file_of(self._world, inner, inner.text("media"), field="media", kind=kind)
        nothing: Json = dict.fromkeys((*FILE_KINDS, "caption", "caption_entities"))
        return self._edit(chat, message, params, {**nothing, **stored.as_content(), **caption_of(inner)})

    def edit_message_reply_markup(self, bot: Bot, params: Parameters) -> Json:
        chat, message = self._editable(bot, params)
        return self._edit(chat, message, params, {})

    def stop_poll(self, bot: Bot, params: Parameters) -> Json:
        _, message = self._editable(bot, params)
        if "poll" not in message.body:
            raise bad_request("message with poll to stop not found")
        message.body = {**message.body, "poll": {**message.body["poll"], "is_closed": True}}
        poll: Json = message.body["poll"]
        return poll

    def delete_message(self, bot: Bot, params: Parameters) -> bool:
        chat = chat_of(bot, params)
        message = message_of(chat, params, missing="message to delete not found")
        if not self._deletable(chat, message):
            raise bad_request("message can't be deleted for everyone")
        self._delete(chat, message)
        return True

    def delete_messages(self, bot: Bot, params: Parameters) -> bool:
        chat = chat_of(bot, params)
        ids = params.items("message_ids") or []
        if not 1 <= len(ids) <= 100:
            raise bad_request("message identifiers are not specified" if not ids else "too many message identifiers specified")
        for message_id in ids:
            message = chat.messages.get(int(message_id))
            if message is not None and self._deletable(chat, message):
                self._delete(chat, message)
        return True

    # Pins

    def pin(self, bot: Bot, params: Parameters) -> bool:
        chat = chat_of(bot, params)
        message = message_of(chat, params, missing="message to pin not found")
        must_have_right(chat, "can_pin_messages", to="manage pinned messages in the chat")
        if message.id not in chat.pinned:
            chat.pinned.append(message.id)
            thread = {name: message.body[name] for name in placed(chat.topics.get(message.topic_id or 0)) if name in message.body}
            self._world.post(chat, {"pinned_message": message.as_answered(), **thread}, by=None)
        return True

    def unpin(self, bot: Bot, params: Parameters) -> bool:
        chat = chat_of(bot, params)
        must_have_right(chat, "can_pin_messages", to="manage pinned messages in the chat")
        wanted = params.integer("message_id") or (chat.pinned[-1] if chat.pinned else 0)
        if wanted not in chat.pinned:
            raise bad_request("message to unpin not found")
        chat.pinned.remove(wanted)
        self._world.events.add("unpinned", chat, message_id=wanted)
        return True

    def unpin_all(self, bot: Bot, params: Parameters) -> bool:
        chat = chat_of(bot, params)
        must_have_right(chat, "can_pin_messages", to="manage pinned messages in the chat")
        chat.pinned.clear()
        return True

    # Reactions and presses

    def set_message_reaction(self, bot: Bot, params: Parameters) -> bool:
        chat = chat_of(bot, params)
        message = message_of(chat, params, missing="message to react not found")
        wanted = params.items("reaction") or []
        if len(wanted) > 1:
            raise bad_request("REACTIONS_TOO_MANY")
        emoji = ""
        for reaction in wanted:
            if not isinstance(reaction, dict) or reaction.get("type") not in ("emoji", "custom_emoji", "paid"):
                raise bad_request("can't parse ReactionType: invalid reaction type specified")
            # Neither paid reactions nor, without premium, custom ones are a bot's to give.
            emoji = str(reaction.get("emoji", ""))
            if not reactions.is_allowed(emoji):
                raise bad_request("REACTION_INVALID")
        must_be_inside(chat)
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
            callback.seat.chat,
            query_id=callback.id,
            by=callback.seat.user.id,
            text=text,
            show_alert=params.flag("show_alert"),
            url=params.text("url"),
        )
        return True

    # What they have in common

    def _editable(self, bot: Bot, params: Parameters) -> tuple[Chat, Message]:
        chat = chat_of(bot, params)
        message = message_of(chat, params, missing="message to edit not found")
        if not message.by_bot:
            raise bad_request("message can't be edited")
        return chat, message

    def _edit(self, chat: Chat, message: Message, params: Parameters, content: Json) -> Json:
        # Without reply_markup an edit takes the inline keyboard away, as in the real API.
        changed = {**content, "reply_markup": checked_inline_keyboard(params.mapping("reply_markup"))}
        if all((message.body.get(name) or None) == (value or None) for name, value in changed.items()):
            raise not_modified()
        must_be_inside(chat)
        body = {name: value for name, value in {**message.body, **changed}.items() if value not in (None, [])}
        if content:
            body["edit_date"] = self._world.seconds()
        message.body = body
        self._world.events.add("edited", chat, message=message.as_seen())
        return body

    def _deletable(self, chat: Chat, message: Message) -> bool:
        """Within 48 hours; in a group also what others wrote, and older, where the bot has the right."""
        must_be_inside(chat)
        if chat.bot_member().may("can_delete_messages"):
            return "forum_topic_created" not in message.body
        if not chat.is_private and not message.by_bot:
            return False
        return self._world.seconds() - int(message.body["date"]) < DELETABLE_SECONDS

    def _delete(self, chat: Chat, message: Message) -> None:
        chat.forget(message.id)
        self._world.events.add("deleted", chat, message_id=message.id)


def not_modified() -> Refusal:
    return bad_request(
        "message is not modified: specified new message content and reply markup are exactly the same as a current "
        "content and reply markup of the message"
    )
