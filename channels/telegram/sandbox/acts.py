"""What pretend users do in their chats, and the updates that bots get from it."""

from collections.abc import Sequence
from typing import Any

from channels.telegram.sandbox.files import StoredFile
from channels.telegram.sandbox.markup import found_entities
from channels.telegram.sandbox.refusals import bad_request, conflict
from channels.telegram.sandbox.state import Chat, Json, Message, World


class Acts:
    """The hands of the pretend users; refuses what a Telegram client would not offer."""

    def __init__(self, world: World) -> None:
        self._world = world

    def writes(self, chat: Chat, text: str, *, reply_to: int | None = None) -> Message:
        """Send a text as the client does: trimmed, commands and links marked."""
        text = text.strip()
        if not text:
            raise bad_request("message text is empty")
        if len(text) > 4096:
            raise bad_request("message is too long")
        content: Json = {"text": text}
        if entities := found_entities(text, []):
            content["entities"] = entities
        return self._sends(chat, content, reply_to=reply_to)

    def sends_files(self, chat: Chat, files: Sequence[StoredFile], *, caption: str = "", reply_to: int | None = None) -> list[Message]:
        """Send one file, or several as an album; the caption stands on the first."""
        album: Json = {}
        if len(files) > 1:
            if len(files) > 10:
                raise bad_request("an album holds 2-10 items")
            album = {"media_group_id": str(self._world.seconds() * 1_000 + self._world.serial())}
        sent = []
        for number, stored in enumerate(files):
            content = {**stored.as_content(), **album}
            if caption and number == 0:
                content["caption"] = caption
                if entities := found_entities(caption, []):
                    content["caption_entities"] = entities
            sent.append(self._sends(chat, content, reply_to=reply_to if number == 0 else None))
        return sent

    def sends_contact(self, chat: Chat, *, phone_number: str | None = None, reply_to: int | None = None) -> Message:
        """Share a phone number: their own, unless another is given."""
        contact: Json = {
            "phone_number": phone_number or chat.user.phone_number,
            "first_name": chat.user.first_name,
        }
        if chat.user.last_name:
            contact["last_name"] = chat.user.last_name
        if phone_number is None:
            contact["user_id"] = chat.user.id
        return self._sends(chat, {"contact": contact}, reply_to=reply_to)

    def sends_location(self, chat: Chat, *, latitude: float, longitude: float, reply_to: int | None = None) -> Message:
        return self._sends(chat, {"location": {"latitude": latitude, "longitude": longitude}}, reply_to=reply_to)

    def sends_content(self, chat: Chat, content: Json) -> Message:
        """Send a message of any kind, known to the sandbox or not (a sticker, a poll, something newer)."""
        return self._sends(chat, content)

    def edits(self, chat: Chat, message_id: int, text: str) -> Message:
        """Change the text or the caption of an own message."""
        message = self._message(chat, message_id)
        if message.by_bot:
            raise bad_request("message can't be edited")
        field = "text" if "text" in message.body else "caption"
        text = text.strip()
        if not text and field == "text":
            raise bad_request("message text is empty")
        body = {name: value for name, value in message.body.items() if name not in ("text", "entities", "caption", "caption_entities")}
        if text:
            body[field] = text
            if entities := found_entities(text, []):
                body["entities" if field == "text" else "caption_entities"] = entities
        message.body = {**body, "edit_date": self._world.seconds()}
        self._world.events.add("edited", chat, message=message.as_seen())
        self._world.give(chat.bot, "edited_message", message.body)
        return message

    def presses(self, chat: Chat, message_id: int, data: str) -> str:
        """Press the inline button that carries `data`; the id of the query the bot should answer."""
        message = self._message(chat, message_id)
        rows = message.body.get("reply_markup", {}).get("inline_keyboard", [])
        if not any(button.get("callback_data") == data for row in rows for button in row):
            raise bad_request("there is no such button on this message")
        return self._press(chat, message, data)

    def presses_stale(self, chat: Chat, message_id: int, data: str) -> str:
        """Press a button that the message no longer shows (a client that had not yet redrawn it)."""
        return self._press(chat, self._message(chat, message_id), data)

    def reacts(self, chat: Chat, message_id: int, emoji: str | None) -> Message:
        """Set, change or take back a reaction."""
        message = self._message(chat, message_id)
        old = message.reactions.get("user")
        if emoji:
            message.reactions["user"] = emoji
        else:
            message.reactions.pop("user", None)
        self._world.events.add("reaction", chat, message=message.as_seen())
        update: Json = {
            "chat": chat.user.as_chat(),
            "message_id": message_id,
            "user": chat.user.as_json(),
            "date": self._world.seconds(),
            "old_reaction": [{"type": "emoji", "emoji": old}] if old else [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
        }
        self._world.give(chat.bot, "message_reaction", update)
        return message

    def blocks(self, chat: Chat, *, blocked: bool) -> None:
        """Block or unblock the bot; doing it twice changes nothing."""
        if chat.blocked == blocked:
            return
        chat.blocked = blocked
        member, kicked = (
            {"user": chat.bot.as_json(), "status": "member"},
            {"user": chat.bot.as_json(), "status": "kicked", "until_date": 0},
        )
        update: Json = {
            "chat": chat.user.as_chat(),
            "from": chat.user.as_json(),
            "date": self._world.seconds(),
            "old_chat_member": member if blocked else kicked,
            "new_chat_member": kicked if blocked else member,
        }
        self._world.events.add("blocked" if blocked else "unblocked", chat)
        self._world.give(chat.bot, "my_chat_member", update)

    def sends_raw(self, chat: Chat, update: Json) -> Json:
        """Put an update of any shape before the bot, whatever kinds it asked for."""
        stored = chat.bot.updates.put_raw(update)
        chat.bot.wake.ring()
        return stored

    def clears(self, chat: Chat) -> None:
        """Clear the history on the person's side; bots are not told, as in Telegram."""
        chat.messages.clear()
        chat.keyboard = None
        self._world.events.add("cleared", chat)

    def _press(self, chat: Chat, message: Message, data: str) -> str:
        callback = self._world.begin_callback(chat, message.id)
        query: dict[str, Any] = {
            "id": callback.id,
            "from": chat.user.as_json(),
            "message": message.body,
            "chat_instance": f"-{chat.bot.id}{chat.user.id}",
            "data": data,
        }
        self._world.give(chat.bot, "callback_query", query)
        return callback.id

    def _sends(self, chat: Chat, content: Json, *, reply_to: int | None = None) -> Message:
        if chat.blocked:
            raise conflict("the person has blocked this bot; unblock it to write")
        if reply_to is not None:
            answered = self._message(chat, reply_to)
            body = {name: value for name, value in answered.body.items() if name != "reply_to_message"}
            content = {**content, "reply_to_message": body}
        message = self._world.post(chat, content, by_bot=False)
        self._world.give(chat.bot, "message", message.body)
        return message

    def _message(self, chat: Chat, message_id: int) -> Message:
        message = chat.messages.get(message_id)
        if message is None:
            raise bad_request("message not found")
        return message
