"""What pretend users do in their chats, and the updates that bots get from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from channels.telegram.sandbox.addressing import placed
from channels.telegram.sandbox.chats import GENERAL_TOPIC, Chat, Json, Message, Seat, Topic
from channels.telegram.sandbox.files import StoredFile
from channels.telegram.sandbox.markup import found_entities
from channels.telegram.sandbox.refusals import bad_request, conflict, forbidden
from channels.telegram.sandbox.sending import first_of
from channels.telegram.sandbox.state import World
from channels.telegram.sandbox.topics import begin, drop, tell


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a chat a person writes: what they answer (and which part of it), in which topic, and whatever else the message
    says (`also`: any fields of a Message object, as `forward_origin`)."""

    reply_to: int | None = None
    quote: str | None = None
    topic: int | None = None
    also: Json = field(default_factory=dict)


HERE: Final = Place()


class Acts:
    """The hands of the pretend users; refuses what a Telegram client would not offer."""

    def __init__(self, world: World) -> None:
        self._world = world

    # Writing

    def writes(self, seat: Seat, text: str, place: Place = HERE) -> Message:
        """Send a text as the client does: trimmed, commands and links marked."""
        text = text.strip()
        if not text:
            raise bad_request("message text is empty")
        if len(text) > 4096:
            raise bad_request("message is too long")
        content: Json = {"text": text}
        if entities := found_entities(text, []):
            content["entities"] = entities
        return self.sends(seat, content, place)

    def sends_files(self, seat: Seat, files: Sequence[StoredFile], place: Place = HERE, *, caption: str = "") -> list[Message]:
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
            sent.append(self.sends(seat, content, place if number == 0 else replace(place, reply_to=None, quote=None)))
        return sent

    def sends_contact(self, seat: Seat, place: Place = HERE, *, phone_number: str | None = None) -> Message:
        """Share a phone number: their own, unless another is given."""
        contact: Json = {"phone_number": phone_number or seat.user.phone_number, "first_name": seat.user.first_name}
        if seat.user.last_name:
            contact["last_name"] = seat.user.last_name
        if phone_number is None:
            contact["user_id"] = seat.user.id
        return self.sends(seat, {"contact": contact}, place)

    def sends_location(self, seat: Seat, place: Place = HERE, *, latitude: float, longitude: float) -> Message:
        return self.sends(seat, {"location": {"latitude": latitude, "longitude": longitude}}, place)

    def sends(self, seat: Seat, content: Json, place: Place = HERE) -> Message:
        """Send a message of any kind, known to the sandbox or not (a sticker, a poll, something newer)."""
        chat = seat.chat
        self._must_sit(seat)
        answered = None if place.reply_to is None else self._message(chat, place.reply_to)
        topic = self._topic(seat, place, answered)
        said: Json = {**content, **placed(topic)}
        if answered is not None:
            said["reply_to_message"] = answered.as_answered()
            if place.quote:
                said["quote"] = self._quote(answered, place.quote)
        elif topic is not None and not chat.is_private:
            said |= first_of(chat, topic)
        message = self._world.post(chat, {**said, **place.also}, by=seat.user)
        self._give(chat, "message", message)
        return message

    # Changing

    def edits(self, seat: Seat, message_id: int, text: str) -> Message:
        """Change the text or the caption of an own message."""
        message = self._own(seat, message_id)
        kind = "text" if "text" in message.body else "caption"
        text = text.strip()
        if not text and kind == "text":
            raise bad_request("message text is empty")
        changed: Json = dict.fromkeys(("text", "entities", "caption", "caption_entities"))
        if text:
            changed[kind] = text
            changed["entities" if kind == "text" else "caption_entities"] = found_entities(text, []) or None
        return self.changes(seat, message_id, changed)

    def changes(self, seat: Seat, message_id: int, content: Json) -> Message:
        """Change any part of an own message, as a live location moves; None takes a part away."""
        message = self._own(seat, message_id)
        body = {name: value for name, value in {**message.body, **content}.items() if value is not None}
        message.body = {**body, "edit_date": self._world.seconds()}
        self._world.events.add("edited", seat.chat, message=message.as_seen())
        self._give(seat.chat, "edited_message", message)
        return message

    def deletes(self, seat: Seat, message_id: int) -> None:
        """Delete a message for everyone; bots are not told, as in Telegram."""
        self._message(seat.chat, message_id)
        seat.chat.forget(message_id)
        self._world.events.add("deleted", seat.chat, message_id=message_id)

    def presses(self, seat: Seat, message_id: int, data: str) -> str:
        """Press the inline button that carries `data`; the id of the query the bot should answer."""
        message = self._message(seat.chat, message_id)
        rows = message.body.get("reply_markup", {}).get("inline_keyboard", [])
        if not any(button.get("callback_data") == data for row in rows for button in row):
            raise bad_request("there is no such button on this message")
        return self._press(seat, message, data)

    def presses_stale(self, seat: Seat, message_id: int, data: str) -> str:
        """Press a button that the message no longer shows (a client that had not yet redrawn it)."""
        return self._press(seat, self._message(seat.chat, message_id), data)

    def reacts(self, seat: Seat, message_id: int, emoji: str | None) -> Message:
        """Set, change or take back a reaction."""
        self._must_sit(seat)
        chat = seat.chat
        message = self._message(chat, message_id)
        old = message.reactions.get(seat.hand)
        if emoji:
            message.reactions[seat.hand] = emoji
        else:
            message.reactions.pop(seat.hand, None)
        self._world.events.add("reaction", chat, message=message.as_seen())
        update: Json = {
            "chat": chat.as_json(),
            "message_id": message_id,
            "user": seat.user.as_json(),
            "date": self._world.seconds(),
            "old_reaction": [{"type": "emoji", "emoji": old}] if old else [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
        }
        if chat.is_private or chat.bot_member().is_administrator:
            self._world.give(chat.bot, "message_reaction", update)
        return message

    def votes(self, seat: Seat, message_id: int, options: Sequence[int]) -> Message:
        """Vote in a poll of the bot; whose vote it was is told where the poll is not anonymous."""
        message = self._message(seat.chat, message_id)
        poll = message.body.get("poll")
        if poll is None or poll["is_closed"]:
            raise bad_request("there is no open poll in this message")
        counted = [{**option, "voter_count": option["voter_count"] + (number in options)} for number, option in enumerate(poll["options"])]
        poll = {**poll, "options": counted, "total_voter_count": poll["total_voter_count"] + 1}
        message.body = {**message.body, "poll": poll}
        self._world.events.add("edited", seat.chat, message=message.as_seen())
        self._world.give(seat.chat.bot, "poll", poll)
        if not poll["is_anonymous"]:
            chosen = {"option_ids": list(options), "option_persistent_ids": [counted[number]["persistent_id"] for number in options]}
            self._world.give(seat.chat.bot, "poll_answer", {"poll_id": poll["id"], "user": seat.user.as_json(), **chosen})
        return message

    # The chat as a whole

    def blocks(self, seat: Seat, *, blocked: bool) -> None:
        """Block or unblock the bot; doing it twice changes nothing."""
        chat = seat.chat
        if chat.blocked == blocked:
            return
        chat.blocked = blocked
        member, kicked = (
            {"user": chat.bot.as_json(), "status": "member"},
            {"user": chat.bot.as_json(), "status": "kicked", "until_date": 0},
        )
        update: Json = {
            "chat": chat.as_json(),
            "from": seat.user.as_json(),
            "date": self._world.seconds(),
            "old_chat_member": member if blocked else kicked,
            "new_chat_member": kicked if blocked else member,
        }
        self._world.events.add("blocked" if blocked else "unblocked", chat)
        self._world.give(chat.bot, "my_chat_member", update)

    def sends_raw(self, seat: Seat, update: Json) -> Json:
        """Put an update of any shape before the bot, whatever kinds it asked for."""
        chat = seat.chat
        stored = chat.bot.updates.put_raw(update)
        chat.bot.wake.ring()
        return stored

    def clears(self, seat: Seat) -> None:
        """Clear the history with all topics on the person's side; bots are not told, as in Telegram."""
        chat = seat.chat
        chat.messages.clear()
        for topic_id in [topic_id for topic_id in chat.topics if topic_id != GENERAL_TOPIC]:
            del chat.topics[topic_id]
        chat.pinned.clear()
        chat.keyboard = None
        self._world.events.add("cleared", chat)

    # Topics

    def begins_topic(self, seat: Seat, name: str) -> Topic:
        """Begin a topic; the bot hears of it in a service message."""
        chat = self._must_manage_topics(seat)
        if not 1 <= len(name.strip()) <= 128:
            raise bad_request("a topic needs a name of 1-128 characters")
        topic = begin(self._world, chat, name=name.strip(), by=seat.user)
        self._give(chat, "message", chat.messages[topic.id])
        return topic

    def renames_topic(self, seat: Seat, topic_id: int, name: str) -> Topic:
        topic = self._known_topic(self._must_manage_topics(seat), topic_id)
        topic.name = name.strip()[:128] or topic.name
        self._give(seat.chat, "message", tell(self._world, seat.chat, topic, {"forum_topic_edited": {"name": topic.name}}, by=seat.user))
        return topic

    def closes_topic(self, seat: Seat, topic_id: int, *, closed: bool) -> Topic:
        topic = self._known_topic(self._must_manage_topics(seat), topic_id)
        if seat.chat.is_private:
            raise bad_request("topics of private chats cannot be closed")
        if topic.closed != closed:
            topic.closed = closed
            told: Json = {"forum_topic_closed" if closed else "forum_topic_reopened": {}}
            self._give(seat.chat, "message", tell(self._world, seat.chat, topic, told, by=seat.user))
        return topic

    def deletes_topic(self, seat: Seat, topic_id: int) -> None:
        """Delete a topic with everything in it; bots are not told, as in Telegram."""
        chat = self._must_manage_topics(seat)
        if topic_id == GENERAL_TOPIC:
            raise bad_request("the General topic stays")
        drop(self._world, chat, self._known_topic(chat, topic_id))

    # What they have in common

    def _press(self, seat: Seat, message: Message, data: str) -> str:
        chat = seat.chat
        callback = self._world.begin_callback(seat, message.id)
        query: dict[str, Any] = {
            "id": callback.id,
            "from": seat.user.as_json(),
            "message": message.body,
            "chat_instance": f"-{chat.bot.id}{abs(chat.id)}",
            "data": data,
        }
        self._world.give(chat.bot, "callback_query", query)
        return callback.id

    def _give(self, chat: Chat, kind: str, message: Message) -> None:
        if chat.is_private or self._bot_hears(chat, message):
            self._world.give(chat.bot, kind, message.body)

    def _bot_hears(self, chat: Chat, message: Message) -> bool:
        """With privacy on, a bot of no standing hears commands, mentions, answers to itself and service messages alone."""
        bot, member = chat.bot, chat.bot_member()
        if not member.is_inside:
            return False
        text = str(message.body.get("text") or message.body.get("caption") or "")
        called = text.startswith("/") or f"@{bot.username}".lower() in text.lower()
        answers = message.body.get("reply_to_message", {}).get("from", {}).get("id") == bot.id
        service = any(name.startswith(("forum_topic_", "new_chat_", "left_chat_")) for name in message.body)
        return member.is_administrator or bot.can_read_all_group_messages or called or answers or service

    def _must_sit(self, seat: Seat) -> None:
        chat = seat.chat
        if chat.blocked:
            raise conflict("the person has blocked this bot; unblock it to write")
        member = chat.members.get(seat.user.id)
        if not chat.is_private and (member is None or not member.is_inside):
            raise forbidden("the person is not a member of this group")

    def _topic(self, seat: Seat, place: Place, answered: Message | None) -> Topic | None:
        wanted = place.topic or (answered.topic_id if answered else None)
        if wanted is None and not (seat.chat.is_forum and not seat.chat.is_private):
            return None
        topic = self._known_topic(seat.chat, wanted or GENERAL_TOPIC)
        member = seat.chat.members.get(seat.user.id)
        if topic.closed and not (member and member.may("can_manage_topics")):
            raise bad_request("TOPIC_CLOSED")
        return topic

    def _known_topic(self, chat: Chat, topic_id: int) -> Topic:
        topic = chat.topics.get(topic_id) if chat.has_topics else None
        if topic is None:
            raise bad_request("topic not found")
        return topic

    def _must_manage_topics(self, seat: Seat) -> Chat:
        self._must_sit(seat)
        chat, member = seat.chat, seat.chat.members.get(seat.user.id)
        if not chat.has_topics:
            raise bad_request("the chat has no topics")
        if chat.is_private and not chat.bot.allows_users_to_create_topics:
            raise forbidden("the bot keeps its topics to itself")
        if not chat.is_private and not (member and member.may("can_manage_topics")):
            raise forbidden("the person may not manage topics")
        return chat

    def _quote(self, answered: Message, quote: str) -> Json:
        at = str(answered.body.get("text") or answered.body.get("caption") or "").find(quote)
        if at < 0:
            raise bad_request("QUOTE_TEXT_INVALID")
        return {"text": quote, "position": at, "is_manual": True}

    def _own(self, seat: Seat, message_id: int) -> Message:
        message = self._message(seat.chat, message_id)
        if message.body["from"]["id"] != seat.user.id:
            raise bad_request("message can't be edited")
        return message

    def _message(self, chat: Chat, message_id: int) -> Message:
        message = chat.messages.get(message_id)
        if message is None:
            raise bad_request("message not found")
        return message
