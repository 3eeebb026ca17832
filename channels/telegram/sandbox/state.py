"""The sandbox's world in memory: bots, pretend users, their private chats, and the updates bots have yet to fetch.

Everything is bounded, so that a desk left running for weeks does not grow: old messages and old files are forgotten.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

from channels.telegram.sandbox.chats import Chat, Json, Member, Message, Seat, Standing, User
from channels.telegram.sandbox.files import FileStore, StoredFile
from channels.telegram.sandbox.wake import Wake
from desk_core.kit.clock import Clock

UPDATES_KEPT_PER_BOT: Final = 20_000
EVENTS_KEPT: Final = 5_000
CALLBACKS_KEPT: Final = 2_000
CALLBACK_LIFE: Final = timedelta(seconds=60)
NOT_SENT_UNLESS_ASKED: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class UpdateQueue:
    """What one bot has not confirmed yet, oldest first; an id is given once and never again."""

    def __init__(self, first_id: int) -> None:
        self.next_id = first_id
        self.allowed: frozenset[str] = frozenset()
        self._items: deque[Json] = deque(maxlen=UPDATES_KEPT_PER_BOT)

    def __len__(self) -> int:
        return len(self._items)

    def wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in NOT_SENT_UNLESS_ASKED

    def put(self, kind: str, body: Json) -> Json | None:
        """Queue an update, unless the bot did not ask for this kind."""
        return self.put_raw({kind: body}) if self.wants(kind) else None

    def put_raw(self, update: Json) -> Json:
        """Queue an update of any shape, whatever the bot asked for."""
        stored = {"update_id": self.next_id, **update}
        self.next_id = max(self.next_id, int(stored["update_id"])) + 1
        self._items.append(stored)
        return stored

    def confirm(self, offset: int) -> None:
        """Forget everything below `offset`; a negative one keeps that many from the end."""
        if offset < 0:
            while len(self._items) > -offset:
                self._items.popleft()
        while offset > 0 and self._items and self._items[0]["update_id"] < offset:
            self._items.popleft()

    def page(self, limit: int) -> list[Json]:
        return [item for _, item in zip(range(limit), self._items, strict=False)]

    def discard(self, update_id: int) -> None:
        """Forget one update (a webhook took it)."""
        self._items = deque((item for item in self._items if item["update_id"] != update_id), UPDATES_KEPT_PER_BOT)

    def clear(self) -> None:
        self._items.clear()


@dataclass(slots=True)
class Webhook:
    url: str
    secret_token: str | None = None
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None


@dataclass(slots=True)
class Bot:
    """A bot account, known by its token."""

    id: int
    token: str
    username: str
    name: str
    updates: UpdateQueue
    next_message_id: int
    wake: Wake = field(default_factory=Wake)
    poll_turn: int = 0
    webhook: Webhook | None = None
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    picture: StoredFile | None = None
    has_topics_enabled: bool = False
    allows_users_to_create_topics: bool = True
    can_read_all_group_messages: bool = False

    def as_json(self) -> Json:
        return {"id": self.id, "is_bot": True, "first_name": self.name, "username": self.username}


@dataclass(frozen=True, slots=True)
class Callback:
    """A press of an inline button that waits for answerCallbackQuery."""

    id: str
    seat: Seat
    message_id: int
    at: datetime


class EventLog:
    """What happened in all chats, numbered, for the page and for `Person`; the oldest events are forgotten."""

    def __init__(self) -> None:
        self.wake = Wake()
        self.last = 0
        self._events: deque[Json] = deque(maxlen=EVENTS_KEPT)

    def add(self, kind: str, chat: Chat, **fields: Any) -> None:
        self.last += 1
        user = chat.user.id if chat.user else None
        self._events.append({"seq": self.last, "kind": kind, "bot": chat.bot.id, "chat": chat.id, "user": user, **fields})
        self.wake.ring()

    def after(self, seq: int, *, bot: int | None = None, chat: int | None = None) -> list[Json]:
        return [event for event in self._events if event["seq"] > seq and bot in (None, event["bot"]) and chat in (None, event["chat"])]


class World:
    """Everything the sandbox remembers; changed by what bots call and what pretend users do."""

    def __init__(self, *, clock: Clock, open_to_all: bool, first_id: int | None, file_bytes: int) -> None:
        self.clock = clock
        self.open_to_all = open_to_all
        # A desk remembers update and message ids across restarts while this memory starts anew, so ids begin at the
        # clock's seconds: they stay higher than any given before, as Telegram's own never go back either.
        self.first_update_id = first_id or int(clock.now().timestamp())
        self.first_message_id = first_id or self.first_update_id - int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
        self.bots: dict[str, Bot] = {}
        self.users: dict[int, User] = {}
        self.files = FileStore(limit=file_bytes)
        self.events = EventLog()
        self._callbacks: OrderedDict[str, Callback] = OrderedDict()
        self._serial = 0

    def seconds(self) -> int:
        return int(self.clock.now().timestamp())

    def serial(self) -> int:
        """A number given once: album ids, callback ids."""
        self._serial += 1
        return self._serial

    # Bots

    def add_bot(self, token: str, *, username: str, name: str) -> Bot:
        """Register a bot; a new token for a known id replaces the old one and keeps the chats."""
        known = next((bot for bot in self.bots.values() if str(bot.id) == token.split(":", 1)[0]), None)
        if known is not None:
            del self.bots[known.token]
            known.token, known.username, known.name = token, username, name
            self.bots[token] = known
            return known
        bot = Bot(
            id=int(token.split(":", 1)[0]),
            token=token,
            username=username,
            name=name,
            updates=UpdateQueue(self.first_update_id),
            next_message_id=self.first_message_id,
        )
        self.bots[token] = bot
        return bot

    def find_bot(self, name: str | None) -> Bot | None:
        """A bot by id, username or token; without a name the first one registered."""
        if not name:
            return next(iter(self.bots.values()), None)
        wanted = name.removeprefix("@").lower()
        return next(
            (bot for bot in self.bots.values() if wanted in (str(bot.id), bot.username.lower(), bot.token.lower())),
            None,
        )

    # People

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        return user

    def find_user(self, name: str) -> User | None:
        """A pretend user by id, key or username."""
        wanted = name.removeprefix("@").lower()
        return next(
            (user for user in self.users.values() if wanted and wanted in (str(user.id), user.key.lower(), (user.username or "").lower())),
            None,
        )

    def new_user_id(self, key: str) -> int:
        """The id of somebody new, made of their key: a desk remembers people, this memory starts anew."""
        wanted = FIRST_USER_ID + KEYED_FROM + crc32(key.encode())
        while wanted in self.users:
            wanted += 1
        return wanted

    # Chats

    def chat(self, bot: Bot, user: User) -> Chat:
        """The chat of this user with this bot, begun if there is none yet."""
        if user.id not in bot.chats:
            bot.chats[user.id] = Chat(bot=bot, user=user, id=user.id)
        return bot.chats[user.id]

    def add_group(self, bot: Bot, *, title: str, is_forum: bool) -> Chat:
        """A supergroup, empty but for the bot, which is a plain member."""
        chat = Chat(bot=bot, user=None, id=FIRST_GROUP_ID - self.serial(), title=title, is_forum=is_forum)
        chat.members[bot.id] = Member(bot.as_json(), Standing.MEMBER)
        bot.chats[chat.id] = chat
        return chat

    def post(self, chat: Chat, content: Json, *, by: User | None, begins_topic: bool = False) -> Message:
        """Put a new message (by the bot where there is no `by`) into the chat and tell the watchers; the update is the caller's.
        A message that begins a topic stands in it."""
        body: Json = {
            "message_id": chat.new_message_id(),
            "from": by.as_json() if by else chat.bot.as_json(),
            "chat": chat.as_json(),
            "date": self.seconds(),
            **content,
        }
        if begins_topic:
            body |= {"message_thread_id": body["message_id"], "is_topic_message": True}
        message = Message(body)
        chat.keep(message)
        if by is None:
            chat.action = None
        self.events.add("message", chat, message=message.as_seen())
        return message

    def give(self, bot: Bot, kind: str, body: Json) -> Json | None:
        """Queue an update for the bot and wake whoever waits for it."""
        update = bot.updates.put(kind, body)
        bot.wake.ring()
        return update

    # Presses

    def begin_callback(self, seat: Seat, message_id: int) -> Callback:
        callback = Callback(str(self.seconds() * 1_000_000 + self.serial()), seat, message_id, self.clock.now())
        self._callbacks[callback.id] = callback
        while len(self._callbacks) > CALLBACKS_KEPT:
            self._callbacks.popitem(last=False)
        return callback

    def callback(self, bot: Bot, callback_id: str) -> Callback | None:
        """A press of this bot's button that may still be answered."""
        callback = self._callbacks.get(callback_id)
        if callback is None or callback.seat.chat.bot is not bot or self.clock.now() - callback.at > CALLBACK_LIFE:
            return None
        return callback

    def bells(self) -> Iterable[Wake]:
        yield self.events.wake
        yield from (bot.wake for bot in self.bots.values())


# Telegram's ids have long outgrown 32 bits; the pretend ones do too, so that nobody stores them too small.
FIRST_USER_ID: Final = 7_100_000_001
KEYED_FROM: Final = 1_000  # below are the people that every sandbox knows
FIRST_GROUP_ID: Final = -1_002_000_000_000
