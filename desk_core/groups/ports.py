"""What a channel must be able to do for an operators' group."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from desk_core.conversations.ports import OutboundMessage, Receipt
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _


class TopicGone(DeskError):
    """The topic was deleted by hand."""

    code, status, text = "topic_gone", 410, _("The topic of this request was deleted in the group.")


class GroupUnreachable(DeskError):
    """The bot is no member any more, lacks a right, or the group has no topics; `reason` in the far side's words."""

    code, status, text = "group_unreachable", 502, _("The operators' group cannot be reached: %(reason)s")

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason=reason)


@dataclass(frozen=True, slots=True)
class Face:
    """How a topic looks in the list of topics: title, the state as an emoji, and whether it is closed."""

    title: str
    icon: str
    closed: bool = False

    @property
    def shown(self) -> str:
        return f"{'-' if self.closed else '+'}{self.icon}{self.title}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the bot is and may do in a group. `missing` names what is still needed, by code: forum, admin, topics, privacy."""

    title: str
    missing: tuple[str, ...] = ()


@runtime_checkable
class Grouping(Protocol):
    """A channel whose groups can be worked in. All raise `RetryLater`, `Refused`, `GroupUnreachable`, and with a thread `TopicGone`."""

    async def group_standing(self, chat: str) -> Standing:
        """Whether this group can become the operators'."""
        ...

    async def open_group_topic(self, chat: str, face: Face) -> str:
        """Open a topic; answers its thread."""
        ...

    async def show_group_topic(self, chat: str, thread: str, face: Face) -> None:
        """Make the topic look like this."""
        ...

    async def post_in_group(self, message: OutboundMessage) -> Receipt:
        """Send into the topic of `thread_key` and nowhere else."""
        ...

    async def rewrite_in_group(self, message: OutboundMessage, place: str) -> None:
        """Make an own message there read like this."""
        ...
