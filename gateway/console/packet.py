"""What the bot hands over with a request: why a person is needed, the mood, what is known, what was tried and offered. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from desk_core.catalogue.desk import DeskConfig
from desk_core.conversations.entities import Message
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.tickets.entities import Ticket
from desk_core.tickets.words import HAND_OVER
from gateway.console import facts

_SHOWN = 400  # characters of the story; the whole of it stands below


class Became(StrEnum):
    """What became of an article that was offered."""

    REFUSED = "refused"
    READ = "read"
    OFFERED = "offered"


BECAME = {Became.REFUSED: _("did not help"), Became.READ: _("was read"), Became.OFFERED: _("only its title was seen")}
MOODS = {"angry": _("Angry"), "unhappy": _("Unhappy"), "glad": _("Friendly")}
"""Calm is what everybody is taken for, and not worth saying."""


@dataclass(frozen=True, slots=True)
class Offered:
    article_id: str
    title: str
    became: str


@dataclass(frozen=True, slots=True)
class Packet:
    """The card at the top of a request. `mood` is a key of `MOODS` or empty; `open` until a colleague has answered."""

    reason: str
    mood: str
    mood_title: str
    story: str
    known: tuple[facts.Filled, ...]
    missing: tuple[str, ...]
    tried: tuple[str, ...]
    articles: tuple[Offered, ...]
    open: bool

    @property
    def worth_showing(self) -> bool:
        """Whether the bot learned anything that the first message does not say."""
        return bool(self.reason or self.mood or self.known or self.missing or self.tried or self.articles)


def article_ids(ticket: Ticket) -> list[str]:
    """The articles that a packet names."""
    return [str(one) for one in (ticket.hand_over or {}).get("shown", ())]


def packet(config: DeskConfig, ticket: Ticket, messages: Sequence[Message], titles: Mapping[str, str], language: str) -> Packet:
    """Put the card together; `titles` are those of `article_ids`, an article that was deleted since has none and is left out."""
    told = ticket.hand_over or {}
    slots = facts.slots(config, ticket, language)
    reason, mood = told.get("reason"), str(told.get("mood", ""))
    story = " ".join(str(told.get("text", "")).split())
    return Packet(
        reason=translate(language, HAND_OVER.get(reason, reason)) if reason else "",
        mood=mood if mood in MOODS else "",
        mood_title=translate(language, MOODS[mood]) if mood in MOODS else "",
        story=story if len(story) <= _SHOWN else story[: _SHOWN - 1].rsplit(" ", 1)[0] + "…",
        known=tuple(slot for slot in slots if slot.value),
        missing=tuple(slot.title for slot in slots if not slot.value),
        tried=tuple(str(one) for one in told.get("tried", ())),
        articles=tuple(
            Offered(one, titles[one], translate(language, BECAME[_became(one, told)]))
            for one in sorted(article_ids(ticket), key=lambda one: list(Became).index(_became(one, told)))
            if one in titles
        ),
        open=not any(message.direction == "outbound" and message.author_kind == "agent" for message in messages),
    )


def _became(article_id: str, told: Mapping[str, Sequence[str]]) -> Became:
    if article_id in told.get("refused", ()):
        return Became.REFUSED
    return Became.READ if article_id in told.get("read", ()) else Became.OFFERED
