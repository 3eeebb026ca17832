"""What a channel takes in and gives out. Adapters implement `Channel`; flows speak only these words."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _

FORGED_SENDER = "forged_sender"
"""Verdict of a message that is not from whom it says: kept and shown, and nothing is done or told in that person's name."""


class ChannelKind(StrEnum):
    TELEGRAM = "telegram"
    EMAIL = "email"
    WEBFORM = "webform"
    API = "api"


class Ability(StrEnum):
    """What a channel can do with what was sent before."""

    EDIT = "edit"
    DELETE = "delete"
    REACT = "react"
    TOPICS = "topics"


class TakeAs(StrEnum):
    """What mail of a sender is, by a rule of the desk."""

    PERSON = "person"
    ROBOT = "robot"
    APART = "apart"  # a person's, and a request of its own whatever letters it refers to


class InboundKind(StrEnum):
    MESSAGE = "message"
    EDIT = "edit"  # `edits` names the external id of the message that changed
    PRESS = "press"  # a button; `button` is its token, `callback_id` what must be answered
    MEMBERSHIP = "membership"  # blocked or unblocked; card {"blocked": bool}
    REACTION = "reaction"
    BOUNCE = "bounce"  # a delivery report about `edits` (our Message-ID), card {"permanent": bool, "reason": str}
    UNSUPPORTED = "unsupported"  # stored raw, shown to operators as a card


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, as the channel knows them. `address` is the identity: Telegram user id, e-mail address, web session."""

    address: str
    name: str = ""
    language: str | None = None
    username: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file that came along: already in the blob store (`sha256`), or still with the channel (`remote_id`)."""

    name: str
    declared_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    remote_id: str | None = None
    inline: bool = False
    content_id: str | None = None
    unique_id: str | None = None  # the channel's own name for these bytes, where it has one


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One thing that arrived, in the same words for every channel.

    `external_id` is unique in the inbox and makes accepting idempotent; `shown_id` is the id people and programs see (defaults to it).
    `thread_key` is the conversation within the inbox where the channel knows it (Telegram chat, web session); for e-mail it is None and
    the intake flow finds the conversation by `tokens`, `references` and the number in the subject.
    `lane` orders work: everything of one lane is handled in order. `delay` is how long to wait for more of the same burst.
    """

    kind: InboundKind
    external_id: str
    lane: str
    sender: Sender
    at: datetime
    thread_key: str | None = None
    shown_id: str | None = None
    text: str = ""
    original_text: str | None = None
    html: str | None = None
    subject: str | None = None
    files: tuple[InboundFile, ...] = ()
    reply_to: str | None = None
    edits: str | None = None
    references: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    button: str | None = None
    callback_id: str | None = None
    command: str | None = None
    album: str | None = None
    automatic: bool = False
    held: bool = False  # kept with its verdict, but no bot turn and no request (automatic, list mail)
    category: str | None = None  # chosen by the person (form)
    slots: Mapping[str, str] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()
    card: Mapping[str, Any] = field(default_factory=dict)
    verdict: str = "received"
    verdict_params: Mapping[str, Any] = field(default_factory=dict)
    delay: float = 0.0

    @property
    def acts(self) -> bool:
        """Whether it may act for the person whose address it bears; an operator who takes it up answers for that."""
        return bool(self.card.get("released")) or bool(self.card.get("trust", {}).get("acts", True))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it back."""
        # By hand: `dataclasses.asdict` copies every value deeply, which alone took 0.3 ms of every accept.
        body: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        body["kind"], body["at"] = self.kind.value, self.at.isoformat()
        body["sender"] = {name: getattr(self.sender, name) for name in Sender.__dataclass_fields__}
        body["files"] = [{name: getattr(file, name) for name in InboundFile.__dataclass_fields__} for file in self.files]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "InboundMessage":
        known = {name: body[name] for name in cls.__dataclass_fields__ if name in body}
        known["kind"] = InboundKind(known["kind"])
        known["sender"] = Sender(**known["sender"])
        known["at"] = datetime.fromisoformat(known["at"])
        known["files"] = tuple(InboundFile(**file) for file in known.get("files", ()))
        for name in ("references", "tokens", "recipients"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to an adapter: it is stored (or was before); now it may be acknowledged."""

    id: str
    duplicate: bool = False


class Accept(Protocol):
    """Store durably, then return. Raises `StoreUnavailable` when nothing was stored; the adapter must then not acknowledge."""

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted: ...


@dataclass(frozen=True, slots=True)
class OutboundButton:
    """A button on the wire: label and server-side token (<= 64 bytes); instead `url` opens a page, and `copy` is copied by the client."""

    label: str
    token: str | None = None
    url: str | None = None
    copy: str | None = None


@dataclass(frozen=True, slots=True)
class OutboundFile:
    name: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file that is too large to go along: an address where it can be fetched until then."""

    name: str
    size: int
    url: str
    until: datetime


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to deliver. `text` is Markdown (bold, italic, code, links, lists); the adapter renders it for its channel."""

    message_id: str
    conversation_id: str
    thread_key: str
    to: str
    to_name: str
    text: str
    language: str
    at: datetime
    author: str = "bot"
    author_name: str = ""
    buttons: tuple[tuple[OutboundButton, ...], ...] = ()
    files: tuple[OutboundFile, ...] = ()
    links: tuple[FileLink, ...] = ()
    reply_to: str | None = None
    subject: str | None = None
    ticket_number: int | None = None
    ticket_token: str | None = None
    status_url: str | None = None
    team: str = ""  # who works on it, as people are told
    references: tuple[str, ...] = ()
    automatic: bool = True
    silent: bool = False
    phone_button: str | None = None  # a button below the chat that shares the person's own phone; an empty one takes it away
    headline: str = ""  # the request it is about, where a chat holds several
    attempt: int = 1
    original: Mapping[str, Any] = field(default_factory=dict)  # the message answered: {"author", "at", "text"}, for quoting in mail
    cc: tuple[tuple[str, str], ...] = ()  # (name, address) of those who get a copy, as everybody may see
    copy_for: str | None = None  # this is the copy of one of them
    promise: str = ""  # when somebody answers, where that is still owed and the text does not say it
    stop_url: str | None = None  # where letters like this one are stopped, which nobody needs to get


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of delivery. `uncertain` says that an earlier attempt may have arrived too."""

    external_id: str
    uncertain: bool = False
    extra: tuple[str, ...] = ()  # ids of further parts of a split message


class DeliveryError(DeskError):
    """Base of what a `send` may raise."""


class RetryLater(DeliveryError):
    """Not now: try again after `after` (None: the queue's own backoff). `uncertain` when it may have arrived.

    `free` where the channel's own limits made it wait: that is no failed try, however often it happens.
    """

    code, status, text = "retry_later", 503, _("The channel asked to wait. It is sent again automatically.")

    def __init__(self, reason: str, *, after: timedelta | None = None, uncertain: bool = False, free: bool = False) -> None:
        self.reason, self.after, self.uncertain, self.free = reason, after, uncertain, free
        super().__init__(reason=reason)


class Refused(DeliveryError):
    """Never: the channel refused this message for good, with its own words; `blocked` when the person shut us out.

    `sender` where it is not the message but who it is said to be from.
    """

    code, status, text = "refused", 502, _("The channel refused the message: %(reason)s")

    def __init__(self, reason: str, *, blocked: bool = False, sender: bool = False) -> None:
        self.reason, self.blocked, self.sender = reason, blocked, sender
        super().__init__(reason=reason)


class TopicGone(Refused):
    """The topic of a chat is not there any more: somebody deleted it. The chat is."""

    code = "topic_gone"


@dataclass(frozen=True, slots=True)
class Topic:
    """A thread of its own inside a chat. `icons` are emoji that say its state, the best first; a channel shows the first one it has.

    The state stands in the title too, so that nothing is said by a picture alone.
    """

    title: str
    icons: tuple[str, ...] = ()
    closed: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "icons": list(self.icons), "closed": self.closed}


class Blobs(Protocol):
    """Where file contents live; see `desk_core.kit.blobs`."""

    async def put(self, content: bytes | AsyncIterator[bytes], *, limit: int | None = None) -> tuple[str, int]: ...

    async def read(self, sha256: str) -> bytes: ...

    async def head(self, sha256: str, length: int) -> bytes: ...

    async def size(self, sha256: str) -> int: ...


class Channel(Protocol):
    """One inbox's adapter. Build it, `run` it to receive, `send` to deliver; both may be used from different processes."""

    kind: ChannelKind
    abilities: frozenset[Ability]

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled. Acknowledges only what `accept` returned for; survives errors of the far side with backoff."""
        ...

    async def send(self, message: OutboundMessage) -> Receipt:
        """Deliver once; raises `RetryLater` or `Refused`."""
        ...

    async def typing(self, thread_key: str) -> None:
        """Show that an answer is on its way, where the channel can; never raises."""
        ...

    async def answer_press(self, callback_id: str, text: str | None = None) -> None:
        """Tell the client that a button was taken; never raises."""
        ...

    async def close_buttons(self, thread_key: str, external_id: str) -> None:
        """Remove the buttons of a message we sent, where the channel can; never raises."""
        ...

    async def has_topics(self, thread_key: str) -> bool:
        """Whether topics can be opened in this chat; never raises, and says no where it cannot be known."""
        ...

    async def open_topic(self, thread_key: str, topic: Topic) -> str:
        """Open a topic in the chat and answer its thread key; raises `RetryLater` or `Refused`."""
        ...

    async def set_topic(self, thread_key: str, topic: Topic, *, shown: Mapping[str, Any]) -> None:
        """Make a topic that looks like `shown` (its `to_json`; empty: unknown) look like this; raises as `open_topic`, and `TopicGone`."""
        ...

    async def edit(self, message: OutboundMessage, shown: Receipt) -> Receipt:
        """Make what was sent look like `message` now; raises `RetryLater`, or `Refused` where it cannot be made so and stays as it was."""
        ...

    async def delete(self, thread_key: str, external_ids: Sequence[str]) -> None:
        """Take messages of ours away from the person's eyes; raises `RetryLater` or `Refused`. What is gone already is no failure."""
        ...

    async def react(self, thread_key: str, external_id: str, emoji: str | None) -> None:
        """Put the desk's one reaction on a message (None: take it off); raises `RetryLater` or `Refused`."""
        ...

    def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        """Stream a file that still lies with the channel; raises `RetryLater` or `Refused`."""
        ...

    async def test(self) -> Sequence[tuple[str, bool, str]]:
        """Steps of a connection test: (step, passed, the far side's words)."""
        ...

    async def close(self) -> None: ...


class Unalterable:
    """For channels where what is sent is sent: nobody asks them to act on it, and whoever does is refused."""

    abilities: frozenset[Ability] = frozenset()

    async def edit(self, message: OutboundMessage, shown: Receipt) -> Receipt:
        raise Refused("this channel cannot change what was sent")

    async def delete(self, thread_key: str, external_ids: Sequence[str]) -> None:
        raise Refused("this channel cannot take back what was sent")

    async def react(self, thread_key: str, external_id: str, emoji: str | None) -> None:
        raise Refused("this channel has no reactions")

    async def has_topics(self, thread_key: str) -> bool:
        return False

    async def open_topic(self, thread_key: str, topic: Topic) -> str:
        raise Refused("this channel has no topics")

    async def set_topic(self, thread_key: str, topic: Topic, *, shown: Mapping[str, Any]) -> None:
        raise Refused("this channel has no topics")


class Limits(Protocol):
    """Rate limits per person or address; in-process or Redis, and generous when Redis is gone."""

    async def hit(self, name: str, key: str, *, limit: int, seconds: int) -> bool: ...


class Lock(Protocol):
    """At most one holder among all processes; used by receivers that must not run twice for one inbox."""

    def hold(self, name: str) -> AbstractAsyncContextManager[bool]: ...
