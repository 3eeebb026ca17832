"""Who somebody in a chat is: what the desk knows of them, the phone that Telegram itself says is theirs, and addresses proven by a code."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from desk_core.context import Context
from desk_core.conversations import repository
from desk_core.conversations import service as conversations
from desk_core.conversations.ports import InboundKind, InboundMessage
from desk_core.conversations.service import Baton, NewButton
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.i18n import ntranslate, translate
from desk_core.people import codes, proofs
from desk_core.people import repository as people
from desk_core.people.codes import CodeRefused, Tried
from desk_core.people.entities import AddressCode, Contact
from gateway.flows.filed import Filed
from gateway.flows.reading import Situation, TypedCode
from gateway.one_time import OneTime
from nlu import labels
from nlu.turn import DialogueState, Phase

KEY = "me"
"""Under this key the desk says for whom it takes a person; the button for the phone comes with it."""
ASKED_WITHIN = timedelta(hours=1)
ASKED_ADDRESS = "ask_email"
"""Under this key the desk asks for an address."""
EMAIL = "email"
"""The command that proves one."""
MASK = "••••••"
"""What is kept of a code that somebody typed."""
_SHOWN = 20
_TYPED = re.compile(r"(?P<said>(?:код|code)\s*[:.=-]?\s*)?(?P<first>[0-9]{3})[\s-]?(?P<second>[0-9]{3})\.?", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@*`]{0,63}[^\s<>()\[\],;:\"\\@]@(?:[\w-]{1,63}\.)+[\w-]{2,63}")
_LONGEST_ADDRESS = 254


def own_phone(now: Situation) -> str | None:
    """The phone of the person who sent it, when Telegram says so; somebody else's card proves nothing, and in a group nothing is taken."""
    first = now.first
    private = first.card.get("chat_type", "private") == "private" and not now.in_group
    own = first.card.get("kind") == "contact" and first.card.get("own") is True
    if now.inbox.channel != "telegram" or first.kind is not InboundKind.MESSAGE or not private or not own or not first.sender.verified:
        return None
    return proofs.plain_phone(str(first.card.get("phone_number", "")))


async def has_asked(session: ReadSession, now: Situation, ctx: Context) -> bool:
    """Whether a phone was shared because the desk asked to prove it, and answers no question of a form."""
    if now.conversation is None or own_phone(now) is None or DialogueState.from_json(now.conversation.dialogue).pending is not None:
        return False
    return await repository.has_told(session, now.conversation.id, KEY, since=ctx.now - ASKED_WITHIN)


def in_own_chat(now: Situation) -> bool:
    """Whether somebody writes to the bot in their private chat, and to nobody else by way of it."""
    private = now.first.card.get("chat_type", "private") == "private" and not now.in_group
    return now.inbox.channel == "telegram" and private and now.joined_by in ("thread", "new") and not now.from_another


def plain_address(told: str) -> str | None:
    """The address that these words are, as the desk keeps it; None where they are no address, or more than one."""
    address = told.strip().strip("<>").removeprefix("mailto:").lower()
    return address if len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address) else None


def typed_code(text: str) -> tuple[str, bool] | None:
    """(six digits, whether they are said to be a code) where a text is nothing else."""
    match = _TYPED.fullmatch(text.strip())
    return (match["first"] + match["second"], bool(match["said"])) if match is not None else None


def open_question(dialogue: Mapping[str, Any] | None) -> str | None:
    """The form's question that waits for an answer in a conversation."""
    state = DialogueState.from_json(dialogue)
    return f"{state.category}/{state.pending}" if state.phase is Phase.FORM and state.pending else None


async def with_codes(session: ReadSession, now: Situation, ctx: Context, one_time: OneTime) -> Situation:
    """The situation with the codes that were typed in it. From here on nobody reads one any more.

    Digits answer whatever was asked for last: the form's question, where it was put after the code was asked for, unless they are
    said to be a code. Without a code to wait for they are ordinary words, but for one that only came too late. To an operator who
    speaks all but the right ones are shown: they may be the answer to what was asked.
    """
    if now.conversation is None or not in_own_chat(now) or now.first.kind not in (InboundKind.MESSAGE, InboundKind.EDIT):
        return now
    found = {place: told for place, message in enumerate(now.messages) if (told := typed_code(message.text)) is not None}
    code = await codes.latest(session, now.conversation.id) if found else None
    if code is None:
        return now
    question = open_question(now.conversation.dialogue)
    later = question is not None and question != code.question
    typed: dict[int, TypedCode] = {}
    for place, (digits, said) in found.items():
        right = one_time.is_code(code.id, digits)
        if (said or not later) and (right or codes.counts(code, ctx.now)):
            typed[place] = TypedCode(code.id, right=right, hidden=right or said or now.baton != Baton.AGENT)
    hidden_at = {place for place, one in typed.items() if one.hidden}
    messages = tuple(replace(one, text=MASK) if place in hidden_at else one for place, one in enumerate(now.messages))
    masked = {raw.id: {**raw.body, "text": MASK} for place, raw in enumerate(now.raws) if place in hidden_at}
    return replace(now, messages=messages, masked={**now.masked, **masked}, codes=typed)


async def with_address(session: ReadSession, now: Situation, ctx: Context) -> Situation:
    """The situation in which an address that the desk has asked for is the command to prove it."""
    conversation, first = now.conversation, now.first
    if conversation is None or first.kind is not InboundKind.MESSAGE or first.command is not None or len(now.messages) > 1:
        return now
    if not in_own_chat(now) or now.baton == Baton.AGENT or plain_address(first.text) is None:
        return now
    asked = await repository.last_told(session, conversation.id, ASKED_ADDRESS, since=ctx.now - ASKED_WITHIN)
    if asked is None or open_question(conversation.dialogue) not in (None, asked.meta.get("question")):
        return now
    code = await codes.latest(session, conversation.id)
    if code is not None and code.created_at >= asked.at:
        return now  # it was told already
    return replace(now, messages=(replace(first, command=EMAIL, card={**first.card, "args": first.text}),))


def said_besides(now: Situation) -> tuple[InboundMessage, ...]:
    """The messages without the codes among them: what is left for the dialogue to hear."""
    return tuple(message for place, message in enumerate(now.messages) if place not in now.codes)


async def tell_me(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """For whom the desk takes this person, and the buttons that prove an address and their phone; in a group nothing of it is said."""
    language = filed.language
    if filed.situation.in_group:
        text = translate(language, labels.ME_IN_PRIVATE)
        await conversations.say(uow, ctx, filed.conversation, text=text, meta={"key": "me_in_private"})
        return
    known = await people.identities(cast("ReadSession", uow.session), [filed.contact.id])
    proven = translate(language, labels.ME_PROVEN)
    shown = [one for one in known if one.channel in (proofs.EMAIL, proofs.PHONE)][:_SHOWN]
    lines = [f"- {one.address}" + (f" ({proven})" if one.verified_at else "") for one in shown]
    parts = [translate(language, labels.ME, name=filed.contact.name), "\n".join(lines)]
    chat = filed.conversation.channel == "telegram"
    by_mail = chat and await codes.mailbox(uow.session) is not None
    buttons = [[NewButton(labels.label(language, "prove_email"), "prove_email")]] if by_mail else []
    text = "\n\n".join(part for part in parts if part)
    await conversations.say(uow, ctx, filed.conversation, text=text, buttons=buttons, meta={"key": KEY})
    if chat and not any(one.channel == proofs.PHONE and one.verified_at for one in known):
        # A message of its own: one carries buttons either within it or below the chat.
        button = translate(language, labels.SHARE_PHONE)
        text = translate(language, labels.ME_ASK_PHONE, button=button)
        await conversations.say(uow, ctx, filed.conversation, text=text, meta={"key": "me_phone", "phone_button": button})


async def ask_code(uow: UnitOfWork, ctx: Context, filed: Filed, told: str) -> None:
    """A code goes to the address told; where none is told it is asked for. The answer is the same whoever has written from there.

    While an operator speaks no word is said.
    """
    language, conversation = filed.language, filed.conversation
    question = open_question(conversation.dialogue)
    if filed.situation.in_group:
        await _answer(uow, ctx, filed, translate(language, labels.EMAIL_IN_PRIVATE), key="email_in_private")
        return
    address = plain_address(told)
    if address is None:
        if await codes.mailbox(uow.session) is None:
            await _answer(uow, ctx, filed, translate(language, codes.NoMailbox.text), key="email_refused")
            return
        text = translate(language, labels.NOT_AN_ADDRESS if told.strip() else labels.ASK_EMAIL)
        await _answer(uow, ctx, filed, text, key=ASKED_ADDRESS, question=question)
        return
    try:
        await codes.ask(uow, ctx, contact=filed.contact, conversation=conversation, address=address, language=language, question=question)
    except CodeRefused as refused:
        await _answer(uow, ctx, filed, translate(language, refused.text), key="email_refused")
        return
    minutes = int(codes.LIFE.total_seconds() // 60)
    await _answer(uow, ctx, filed, translate(language, labels.CODE_SENT, address=address, minutes=minutes), key="code_sent")


async def try_codes(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """The codes that were typed are tried in order, up to the right one. While an operator speaks, no word is said of what came of it."""
    tried, code = Tried.LATE, None
    for typed in filed.situation.codes.values():
        await uow.flush()
        tried, code = await codes.attempt(uow, typed.code_id, right=typed.right, now=ctx.now)
        if tried is Tried.RIGHT and code is not None:
            owner = await proofs.prove(uow, ctx, filed.contact, channel=proofs.EMAIL, address=code.address)
            filed.conversation.contact_id = owner
            filed.contact = await uow.session.get_one(Contact, owner)  # what else was said is theirs
            break
    if filed.situation.codes:
        await _answer(uow, ctx, filed, _came_of_it(filed.language, tried, code), key=f"code_{tried}")


def _came_of_it(language: str, tried: Tried, code: AddressCode | None) -> str:
    if tried is Tried.RIGHT and code is not None:
        return translate(language, labels.EMAIL_PROVEN, address=code.address)
    if tried is Tried.WRONG and code is not None:
        return ntranslate(
            language, "This is not the code. You have %(n)s more try.", "This is not the code. You have %(n)s more tries.",
            codes.TRIES - code.tries,
        )  # fmt: skip
    return translate(language, labels.CODE_VOID if tried is Tried.VOID else labels.CODE_LATE)


async def _answer(uow: UnitOfWork, ctx: Context, filed: Filed, text: str, *, key: str, **meta: str | None) -> None:
    if filed.situation.baton != Baton.AGENT:
        await conversations.say(uow, ctx, filed.conversation, text=text, meta={"key": key, **meta})


async def prove_phone(uow: UnitOfWork, ctx: Context, filed: Filed, phone: str) -> None:
    """The phone is theirs from now on, and whoever proved it before is the same person. While an operator speaks, no word is said."""
    await uow.flush()
    owner = await proofs.prove(uow, ctx, filed.contact, channel=proofs.PHONE, address=phone)
    filed.conversation.contact_id = owner
    await _answer(uow, ctx, filed, translate(filed.language, labels.PHONE_PROVEN, phone=phone), key="phone_proven", phone_button="")
