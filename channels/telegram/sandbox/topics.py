"""Topics: what bots do with them, and what the chat then tells of it in service messages."""

from collections.abc import Callable
from typing import Any, Final

from channels.telegram.sandbox.addressing import chat_of, must_be_inside, must_have_right, placed
from channels.telegram.sandbox.chats import GENERAL_TOPIC, Chat, Json, Message, Topic, User
from channels.telegram.sandbox.icons import ICON_COLORS, ICONS
from channels.telegram.sandbox.parameters import Parameters
from channels.telegram.sandbox.refusals import bad_request
from channels.telegram.sandbox.state import Bot, World

LONGEST_NAME: Final = 128


class TopicMethods:
    """One method of the class for each method of the API; each returns the `result` of the answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.table: dict[str, Callable[[Bot, Parameters], Any]] = {
            "getforumtopiciconstickers": lambda _bot, _params: [_sticker(emoji_id, emoji) for emoji_id, emoji in ICONS.items()],
            "createforumtopic": self.create,
            "editforumtopic": self.edit,
            "closeforumtopic": lambda bot, params: self.close(bot, params, closed=True),
            "reopenforumtopic": lambda bot, params: self.close(bot, params, closed=False),
            "deleteforumtopic": self.delete,
            "unpinallforumtopicmessages": self.unpin_all,
            "editgeneralforumtopic": self.edit_general,
            "closegeneralforumtopic": lambda bot, params: self.change_general(bot, params, closed=True),
            "reopengeneralforumtopic": lambda bot, params: self.change_general(bot, params, closed=False, hidden=False),
            "hidegeneralforumtopic": lambda bot, params: self.change_general(bot, params, closed=True, hidden=True),
            "unhidegeneralforumtopic": lambda bot, params: self.change_general(bot, params, hidden=False),
            "unpinallgeneralforumtopicmessages": self.unpin_all_general,
        }

    def create(self, bot: Bot, params: Parameters) -> Json:
        chat = _forum(bot, params)
        must_have_right(chat, "can_manage_topics", to="create a topic")
        name = params.text("name").strip()
        if not name:
            raise bad_request("topic name must be non-empty")
        color = params.integer("icon_color", ICON_COLORS[0])
        if color not in ICON_COLORS:
            raise bad_request("wrong topic icon color specified")
        return begin(self._world, chat, name=name, color=color, icon=_icon(params), by=None).as_json()

    def edit(self, bot: Bot, params: Parameters) -> bool:
        chat = _forum(bot, params)
        topic = self._topic(chat, params)
        self._must_manage(chat, topic, to="edit the topic")
        name = _new_name(params) or topic.name
        icon = _icon(params) if "icon_custom_emoji_id" in params.values else topic.icon_custom_emoji_id
        if (name, icon) == (topic.name, topic.icon_custom_emoji_id):
            raise bad_request("TOPIC_NOT_MODIFIED")
        told: Json = {}
        if name != topic.name:
            told["name"] = name
        if icon != topic.icon_custom_emoji_id:
            told["icon_custom_emoji_id"] = icon
        topic.name, topic.icon_custom_emoji_id = name, icon
        tell(self._world, chat, topic, {"forum_topic_edited": told}, by=None)
        return True

    def close(self, bot: Bot, params: Parameters, *, closed: bool) -> bool:
        chat = _forum(bot, params)
        if chat.is_private:
            # Topics of private chats cannot be closed; the schema gives the methods to forum supergroups alone.
            raise bad_request("the chat is not a supergroup forum")
        topic = self._topic(chat, params)
        self._must_manage(chat, topic, to="close the topic" if closed else "reopen the topic")
        if topic.closed == closed:
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.closed = closed
        tell(self._world, chat, topic, {"forum_topic_closed" if closed else "forum_topic_reopened": {}}, by=None)
        return True

    def delete(self, bot: Bot, params: Parameters) -> bool:
        chat = _forum(bot, params)
        topic = self._topic(chat, params)
        must_have_right(chat, "can_delete_messages", to="delete the topic")
        drop(self._world, chat, topic)
        return True

    def unpin_all(self, bot: Bot, params: Parameters) -> bool:
        chat = _forum(bot, params)
        topic = self._topic(chat, params)
        must_have_right(chat, "can_pin_messages", to="manage pinned messages in the chat")
        chat.pinned[:] = [message_id for message_id in chat.pinned if chat.messages[message_id].topic_id != topic.id]
        return True

    # The topic every forum supergroup has

    def edit_general(self, bot: Bot, params: Parameters) -> bool:
        chat, topic = self._general(bot, params)
        name = _new_name(params)
        if name in ("", topic.name):
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.name = name
        tell(self._world, chat, topic, {"forum_topic_edited": {"name": name}}, by=None)
        return True

    def change_general(self, bot: Bot, params: Parameters, *, closed: bool | None = None, hidden: bool | None = None) -> bool:
        """Close, reopen, hide or show it; each is told of where it changes something."""
        chat, topic = self._general(bot, params)
        told: list[str] = []
        if closed is not None and topic.closed != closed:
            topic.closed = closed
            told.append("forum_topic_closed" if closed else "forum_topic_reopened")
        if hidden is not None and topic.hidden != hidden:
            topic.hidden = hidden
            told.append("general_forum_topic_hidden" if hidden else "general_forum_topic_unhidden")
        if not told:
            raise bad_request("TOPIC_NOT_MODIFIED")
        for kind in told:
            tell(self._world, chat, topic, {kind: {}}, by=None)
        return True

    def unpin_all_general(self, bot: Bot, params: Parameters) -> bool:
        chat = _forum(bot, params)
        if chat.is_private:
            raise bad_request("the chat is not a supergroup forum")
        must_have_right(chat, "can_pin_messages", to="manage pinned messages in the chat")
        chat.pinned[:] = [message_id for message_id in chat.pinned if chat.messages[message_id].topic_id is not None]
        return True

    def _general(self, bot: Bot, params: Parameters) -> tuple[Chat, Topic]:
        chat = _forum(bot, params)
        if chat.is_private:
            raise bad_request("the chat is not a supergroup forum")
        must_have_right(chat, "can_manage_topics", to="edit the topic")
        return chat, chat.topics[GENERAL_TOPIC]

    def _topic(self, chat: Chat, params: Parameters) -> Topic:
        topic = chat.topics.get(params.integer("message_thread_id"))
        if topic is None or topic.id == GENERAL_TOPIC:
            raise bad_request("TOPIC_ID_INVALID")
        return topic

    def _must_manage(self, chat: Chat, topic: Topic, *, to: str) -> None:
        must_be_inside(chat)
        if not topic.by_bot:
            must_have_right(chat, "can_manage_topics", to=to)


def begin(world: World, chat: Chat, *, name: str, color: int = ICON_COLORS[0], icon: str = "", by: User | None) -> Topic:
    """A new topic; the message that tells of it gives it its id and is its first."""
    card: Json = {"name": name, "icon_color": color} | ({"icon_custom_emoji_id": icon} if icon else {})
    message = world.post(chat, {"forum_topic_created": card}, by=by, begins_topic=True)
    topic = Topic(message.id, name, color, icon, by_bot=by is None)
    chat.topics[topic.id] = topic
    world.events.add("topics", chat)
    return topic


def tell(world: World, chat: Chat, topic: Topic, content: Json, *, by: User | None) -> Message:
    """Put a service message about the topic into it."""
    message = world.post(chat, {**content, **placed(topic)}, by=by)
    world.events.add("topics", chat)
    return message


def drop(world: World, chat: Chat, topic: Topic) -> None:
    """Take the topic and its messages away; nobody is told, as in Telegram."""
    chat.forget_topic(topic.id)
    world.events.add("topics", chat)
    world.events.add("cleared", chat, topic=topic.id)


def _forum(bot: Bot, params: Parameters) -> Chat:
    chat = chat_of(bot, params)
    must_be_inside(chat)
    if not chat.has_topics:
        raise bad_request("the chat is not a forum")
    return chat


def _new_name(params: Parameters) -> str:
    name = params.text("name").strip()
    if len(name) > LONGEST_NAME:
        raise bad_request("topic name is too long")
    return name


def _icon(params: Parameters) -> str:
    icon = params.text("icon_custom_emoji_id")
    if icon and icon not in ICONS:
        raise bad_request("DOCUMENT_INVALID")
    return icon


def _sticker(emoji_id: str, emoji: str) -> Json:
    return {
        "file_id": f"CAACAgIAAxUAAW{emoji_id}",
        "file_unique_id": f"AgAD{emoji_id}",
        "type": "custom_emoji",
        "width": 512,
        "height": 512,
        "is_animated": True,
        "is_video": False,
        "emoji": emoji,
        "set_name": "Topics",
        "custom_emoji_id": emoji_id,
    }
