"""Pretend people, their chats with a bot, what is written there and the topics it is sorted into."""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from channels.telegram.sandbox.icons import ICONS

if TYPE_CHECKING:
    from channels.telegram.sandbox.state import Bot

Json: TypeAlias = dict[str, Any]

MESSAGES_KEPT_PER_CHAT: Final = 2_000
GENERAL_TOPIC: Final = 1
"""The id of the topic every forum supergroup has; its messages carry no id of a thread."""

ADMINISTRATOR_RIGHTS: Final = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
    "can_send_welcome_messages",
)


@dataclass(slots=True)
class User:
    """A pretend person; `key` is the short name that tests and the page use."""

    id: int
    key: str
    first_name: str
    language_code: str | None = None
    last_name: str | None = None
    username: str | None = None
    phone_number: str = ""
    topics: bool = True
    """Whether this person's application shows topics in the chat with a bot that has them."""
    deactivated: bool = False

    def __post_init__(self) -> None:
        self.phone_number = self.phone_number or f"+7900{self.id % 10**7:07}"  # everybody has their own

    def as_json(self) -> Json:
        card: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        for name in ("last_name", "username", "language_code"):
            if value := getattr(self, name):
                card[name] = value
        return card

    def as_chat(self) -> Json:
        card: Json = {"id": self.id, "first_name": self.first_name, "type": "private"}
        for name in ("last_name", "username"):
            if value := getattr(self, name):
                card[name] = value
        return card


@dataclass(slots=True)
class Message:
    """One message: `body` is the Message object as the bot gets it; `reactions` are by "bot", by "user" in a private chat
    and by the person's key in a group."""

    body: Json
    reactions: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return int(self.body["message_id"])

    @property
    def by_bot(self) -> bool:
        return bool(self.body["from"]["is_bot"])

    @property
    def topic_id(self) -> int | None:
        return self.body.get("message_thread_id")

    def as_seen(self) -> Json:
        """The message as the person's side of the sandbox shows it."""
        return {**self.body, "reactions": dict(self.reactions)}

    def as_answered(self) -> Json:
        """As another message quotes it; the message replied to carries no reply of its own."""
        return {name: value for name, value in self.body.items() if name != "reply_to_message"}


@dataclass(slots=True)
class Topic:
    """A topic of a chat; its id is the id of the message that tells of its beginning."""

    id: int
    name: str
    icon_color: int
    icon_custom_emoji_id: str = ""
    by_bot: bool = True
    closed: bool = False
    hidden: bool = False

    def as_json(self) -> Json:
        card: Json = {"message_thread_id": self.id, "name": self.name, "icon_color": self.icon_color}
        return card | ({"icon_custom_emoji_id": self.icon_custom_emoji_id} if self.icon_custom_emoji_id else {})

    def as_seen(self) -> Json:
        return {**self.as_json(), "closed": self.closed, "hidden": self.hidden, "icon": ICONS.get(self.icon_custom_emoji_id, "")}


class Standing(StrEnum):
    """What somebody is in a group, by Telegram's names."""

    OWNER = "creator"
    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    LEFT = "left"
    BANNED = "kicked"


@dataclass(slots=True)
class Member:
    """Somebody's place in a group: the user object, the standing and an administrator's rights."""

    user: Json
    standing: Standing = Standing.MEMBER
    rights: frozenset[str] = frozenset()

    @property
    def is_inside(self) -> bool:
        return self.standing not in (Standing.LEFT, Standing.BANNED)

    @property
    def is_administrator(self) -> bool:
        return self.standing in (Standing.OWNER, Standing.ADMINISTRATOR)

    def may(self, right: str) -> bool:
        return self.standing is Standing.OWNER or (self.standing is Standing.ADMINISTRATOR and right in self.rights)

    def as_json(self) -> Json:
        card: Json = {"user": self.user, "status": self.standing.value}
        match self.standing:
            case Standing.OWNER:
                card["is_anonymous"] = False
            case Standing.ADMINISTRATOR:
                card |= {"can_be_edited": False, "is_anonymous": False}
                card |= {right: right in self.rights for right in ADMINISTRATOR_RIGHTS}
            case Standing.BANNED:
                card["until_date"] = 0
            case Standing.MEMBER | Standing.LEFT:
                pass
        return card


@dataclass(slots=True)
class Chat:
    """The private chat of one bot and one user, or (without `user`) a group that the bot knows."""

    bot: "Bot"
    user: User | None
    id: int
    title: str = ""
    is_forum: bool = False
    messages: OrderedDict[int, Message] = field(default_factory=OrderedDict)
    topics: OrderedDict[int, Topic] = field(default_factory=OrderedDict)
    members: dict[int, Member] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    next_message_id: int = 1
    blocked: bool = False
    keyboard: Json | None = None
    action: str | None = None

    @property
    def is_private(self) -> bool:
        return self.user is not None

    @property
    def has_topics(self) -> bool:
        if self.user is not None:
            return self.bot.has_topics_enabled and self.user.topics
        return self.is_forum

    def as_json(self) -> Json:
        """The Chat object of its messages."""
        if self.user is not None:
            return self.user.as_chat()
        return {"id": self.id, "title": self.title, "type": "supergroup"} | ({"is_forum": True} if self.is_forum else {})

    def bot_member(self) -> Member:
        return self.members.get(self.bot.id) or Member(self.bot.as_json(), Standing.LEFT)

    def new_message_id(self) -> int:
        """Private chats share the numbers of the bot's account, every supergroup counts for itself."""
        counter = self.bot if self.is_private else self
        given = counter.next_message_id
        counter.next_message_id += 1
        return given

    def keep(self, message: Message) -> None:
        self.messages[message.id] = message
        while len(self.messages) > MESSAGES_KEPT_PER_CHAT:
            self.messages.popitem(last=False)

    def forget_topic(self, topic_id: int) -> None:
        """Take the topic away with everything written in it."""
        del self.topics[topic_id]
        for message_id in [message.id for message in self.messages.values() if message.topic_id == topic_id]:
            self.forget(message_id)

    def forget(self, message_id: int) -> bool:
        """Take one message away; False where there was none."""
        if message_id in self.pinned:
            self.pinned.remove(message_id)
        return self.messages.pop(message_id, None) is not None


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a pretend person sits when they act: a chat, and who of its members they are."""

    chat: Chat
    user: User

    @property
    def hand(self) -> str:
        """Whose reactions are theirs in `Message.reactions`."""
        return "user" if self.chat.is_private else self.user.key
