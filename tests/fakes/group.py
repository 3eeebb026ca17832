"""A channel with an operators' group: topics are kept as people would see them, and may be deleted or closed off."""

from dataclasses import dataclass, field

from desk_core.conversations.ports import DeliveryError, OutboundMessage, Receipt
from desk_core.groups.ports import Face, GroupUnreachable, Standing, TopicGone
from tests.fakes.channel import FakeChannel

CHAT = "-1001"


@dataclass
class FakeTopic:
    face: Face
    posts: dict[str, OutboundMessage] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.posts.values()]


@dataclass
class FakeGroupChannel(FakeChannel):
    """Implements `Channel` and `Grouping`. `lost` is why the group cannot be reached, `group_trouble` is raised by the next posts."""

    group_topics: dict[str, FakeTopic] = field(default_factory=dict)
    general: list[OutboundMessage] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    lost: str = ""
    group_trouble: list[DeliveryError] = field(default_factory=list)
    posted: int = 100

    async def group_standing(self, chat: str) -> Standing:
        return Standing("Операторы", self.missing)

    async def open_group_topic(self, chat: str, face: Face) -> str:
        self._reach()
        self.posted += 1
        self.group_topics[str(self.posted)] = FakeTopic(face)
        return str(self.posted)

    async def show_group_topic(self, chat: str, thread: str, face: Face) -> None:
        self._topic(thread).face = face

    async def post_in_group(self, message: OutboundMessage) -> Receipt:
        self._reach()
        if self.group_trouble:
            raise self.group_trouble.pop(0)
        chat, _sep, thread = message.thread_key.partition(":")
        self.posted += 1
        place = f"{chat}:{self.posted}"
        if thread:
            self._topic(thread).posts[place] = message
        else:
            self.general.append(message)
        return Receipt(place)

    async def rewrite_in_group(self, message: OutboundMessage, place: str) -> None:
        posts = self._topic(message.thread_key.partition(":")[2]).posts
        assert place in posts, f"{place} was never posted there"
        posts[place] = message

    def _reach(self) -> None:
        if self.lost:
            raise GroupUnreachable(self.lost)

    def _topic(self, thread: str) -> FakeTopic:
        self._reach()
        if thread not in self.group_topics:
            raise TopicGone
        return self.group_topics[thread]

    @property
    def only(self) -> tuple[str, FakeTopic]:
        """The one topic there is, with its thread."""
        assert len(self.group_topics) == 1, f"{len(self.group_topics)} topics"
        return next(iter(self.group_topics.items()))
