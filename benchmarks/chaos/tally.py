"""Counting afterwards, from the store and from the wire: what was lost, doubled, out of order or left without an end."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import func, select

from benchmarks.chaos.desks import TOKEN, Victim
from benchmarks.chaos.people import Sent
from benchmarks.report import Row
from desk_core.conversations.entities import Conversation, Message, RawInbound
from desk_core.lanes.entities import DeadItem
from desk_core.people.entities import ContactIdentity
from desk_core.tickets.entities import Ticket
from gateway.mail import sandbox_of

MARKER = re.compile(r"метка ((?:tg|ml|wf)\d+x\d+)\)")
ARRIVED = ("sent", "uncertain")
_TELLING = 40
"""Letters by which a message is known again."""


@dataclass(frozen=True, slots=True)
class Count:
    """A figure of the tally; a promise is kept at 0, the others only tell."""

    name: str
    value: float
    promise: bool = True
    unit: str = ""
    examples: tuple[str, ...] = ()

    def row(self, mode: str) -> Row:
        name = f"{mode}: {self.name}"
        return Row.of(name, self.value, self.unit, at_most=0) if self.promise else Row.of(name, self.value, self.unit)


async def tally(victim: Victim, sent: Sent) -> list[Count]:
    """Everything that can be counted once the desk is quiet."""
    async with victim.desk.database.read() as session:
        messages = list(await session.scalars(select(Message).order_by(Message.id)))
        conversations = {one.id: one for one in await session.scalars(select(Conversation))}
        dead = list(await session.scalars(select(DeadItem)))
        pending = await session.scalar(select(func.count()).select_from(RawInbound).where(RawInbound.state == "pending")) or 0
        rows = await session.execute(
            select(ContactIdentity.address, func.count())
            .join(Ticket, Ticket.contact_id == ContactIdentity.contact_id)
            .group_by(ContactIdentity.address)
        )
        tickets = {row[0]: row[1] for row in rows}
    inbound = [message for message in messages if message.direction == "inbound"]
    outbound = [message for message in messages if message.direction == "outbound"]
    return [
        *_stored(sent, inbound),
        *_ended(inbound, outbound, dead, conversations),
        *_one_request_each(sent, tickets),
        *await _chats(victim, outbound, conversations),
        *await _letters(victim, outbound, conversations),
        Count("stored but never processed", pending),
        Count("messages accepted", sent.count, promise=False),
        Count("sent again by their senders", sent.retries, promise=False),
        Count("requests opened", sum(tickets.values()), promise=False),
        Count("dead items", len(dead), promise=False, examples=tuple(f"{one.kind}: {one.reason}"[:120] for one in dead[:5])),
    ]


def _stored(sent: Sent, inbound: list[Message]) -> list[Count]:
    found: dict[str, list[str]] = defaultdict(list)
    for message in inbound:
        for marker in MARKER.findall(message.text):
            found[marker].append(message.id)
    wanted = [marker for markers in sent.by_person.values() for marker in markers]
    lost = [marker for marker in wanted if marker not in found]
    doubled = [marker for marker, ids in found.items() if len(ids) > 1]
    shuffled = []
    for person, markers in sent.by_person.items():
        ids = [found[marker][0] for marker in markers if marker in found]
        if ids != sorted(ids):
            shuffled.append(person)
    return [
        Count("lost", len(lost), examples=tuple(lost[:5])),
        Count("doubled in the store", len(doubled), examples=tuple(doubled[:5])),
        Count("conversations out of order", len(shuffled), examples=tuple(shuffled[:5])),
    ]


def _ended(inbound: list[Message], outbound: list[Message], dead: list[DeadItem], conversations: Mapping[str, Conversation]) -> list[Count]:
    """Every message ends in a reply, a request or a dead item; every answer in a receipt or a refusal."""
    answered: dict[str, str] = {}
    for message in outbound:
        answered[message.conversation_id] = max(message.id, answered.get(message.conversation_id, ""))
    died = {one.conversation_id for one in dead} | {str(one.payload.get("conversation_id")) for one in dead}
    silent = [
        message.text
        for message in inbound
        if message.ticket_id is None and answered.get(message.conversation_id, "") < message.id and message.conversation_id not in died
    ]
    stuck = [message for message in outbound if message.delivery_state not in (*ARRIVED, "failed")]
    states = Counter(message.delivery_state for message in outbound)
    return [
        Count("accepted and then silence", len(silent), examples=tuple(text[-40:] for text in silent[:5])),
        Count("answers neither sent nor failed", len(stuck), examples=tuple(str(one.meta) for one in stuck[:3])),
        Count("answers sent", states["sent"], promise=False),
        Count("answers marked: may have arrived twice", states["uncertain"], promise=False),
        Count("answers failed", states["failed"]),
    ]  # fmt: skip


def _one_request_each(sent: Sent, tickets: Mapping[str, int]) -> list[Count]:
    """A thread of letters and a form are one request, however often they were sent again."""
    owners = [f"{name}@customer.example" for name in sent.by_person if not name.startswith("tg")]
    wrong = [f"{owner}: {tickets.get(owner, 0)}" for owner in owners if tickets.get(owner, 0) != 1]
    return [Count("threads and forms that are not exactly one request", len(wrong), examples=tuple(wrong[:5]))]


async def _chats(victim: Victim, outbound: list[Message], conversations: Mapping[str, Conversation]) -> list[Count]:
    """What Telegram really holds, beside what the store says it holds."""
    by_chat: dict[str, list[Message]] = defaultdict(list)
    for message in outbound:
        if conversations[message.conversation_id].channel == "telegram":
            by_chat[conversations[message.conversation_id].thread_key].append(message)
    missing, unmarked, shuffled = [], [], []
    async with httpx2.AsyncClient(trust_env=False, timeout=40) as client:
        for chat, said in by_chat.items():
            answer = await client.get(f"{victim.telegram_url}/sandbox/telegram/api/chats/{TOKEN.partition(':')[0]}/{chat}")
            wire = {one["message_id"]: _words(one) for one in answer.json()["messages"] if one["from"]["is_bot"]}
            # A card that was changed in place is several rows with one number.
            ids = [(int(str(one.external_id).rpartition(":")[2]), one) for one in said if one.delivery_state in ARRIVED and one.external_id]
            arrived = list(dict.fromkeys(number for number, _ in ids))
            # However often a message arrived, it is one row, and its row has to say so. The wire shows a card as it was changed since.
            marked = [_letters_of(one.text)[:_TELLING] for _, one in ids if one.delivery_state == "uncertain" and _letters_of(one.text)]
            missing += [f"{chat}:{one}" for one in arrived if one not in wire]
            unmarked += [
                f"{chat}:{number} {words[:60]}"
                for number, words in wire.items()
                if number not in arrived and not any(known in _letters_of(words) for known in marked)
            ]
            if arrived != sorted(arrived):
                shuffled.append(chat)
    return [
        Count("answers called sent that Telegram never got", len(missing), examples=tuple(missing[:5])),
        Count("repetitions that are not marked", len(unmarked), examples=tuple(unmarked[:5])),
        Count("chats with answers out of order", len(shuffled), examples=tuple(shuffled[:5])),
    ]


def _words(message: Mapping[str, Any]) -> str:
    return str(message.get("text") or message.get("caption") or "")


def _letters_of(text: str) -> str:
    """A text without marks: the store keeps Markdown, the wire shows what it means."""
    return "".join(letter for letter in text if letter.isalnum())


async def _letters(victim: Victim, outbound: list[Message], conversations: Mapping[str, Conversation]) -> list[Count]:
    kept = await sandbox_of(victim.desk.settings, victim.desk.clock).letters(limit=100_000)
    wire = {letter.message_id for letter in kept}
    said: list[Any] = [one for one in outbound if conversations[one.conversation_id].channel == "email" and one.delivery_state in ARRIVED]
    missing = [str(one.external_id) for one in said if one.external_id not in wire]
    return [Count("letters called sent that never left", len(missing), examples=tuple(missing[:3]))]
