"""Who somebody in a chat is: what the desk knows of them, and the phone that Telegram itself says is theirs."""

from datetime import timedelta
from typing import cast

from desk_core.context import Context
from desk_core.conversations import repository
from desk_core.conversations import service as conversations
from desk_core.conversations.ports import InboundKind
from desk_core.conversations.service import Baton
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.i18n import translate
from desk_core.people import proofs
from desk_core.people import repository as people
from gateway.flows.filed import Filed
from gateway.flows.reading import Situation
from nlu import labels
from nlu.turn import DialogueState

KEY = "me"
"""Under this key the desk says for whom it takes a person; the button for the phone comes with it."""
ASKED_WITHIN = timedelta(hours=1)
_SHOWN = 20


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


async def tell_me(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """For whom the desk takes this person, and the button that proves their phone; in a group nothing of it is said."""
    language = filed.language
    if filed.situation.in_group:
        text = translate(language, labels.ME_IN_PRIVATE)
        await conversations.say(uow, ctx, filed.conversation, text=text, meta={"key": "me_in_private"})
        return
    known = await people.identities(cast("ReadSession", uow.session), [filed.contact.id])
    proven = translate(language, labels.ME_PROVEN)
    shown = [one for one in known if one.channel in ("email", proofs.PHONE)][:_SHOWN]
    lines = [f"- {one.address}" + (f" ({proven})" if one.verified_at else "") for one in shown]
    parts = [translate(language, labels.ME, name=filed.contact.name), "\n".join(lines)]
    meta: dict[str, str] = {"key": KEY}
    if filed.conversation.channel == "telegram" and not any(one.channel == proofs.PHONE and one.verified_at for one in known):
        meta["phone_button"] = translate(language, labels.SHARE_PHONE)
        parts.append(translate(language, labels.ME_ASK_PHONE, button=meta["phone_button"]))
    await conversations.say(uow, ctx, filed.conversation, text="\n\n".join(part for part in parts if part), meta=meta)


async def prove_phone(uow: UnitOfWork, ctx: Context, filed: Filed, phone: str) -> None:
    """The phone is theirs from now on, and whoever proved it before is the same person. While an operator speaks, no word is said."""
    await uow.flush()
    owner = await proofs.prove(uow, ctx, filed.contact, channel=proofs.PHONE, address=phone)
    filed.conversation.contact_id = owner
    if filed.situation.baton != Baton.AGENT:
        text = translate(filed.language, labels.PHONE_PROVEN, phone=phone)
        await conversations.say(uow, ctx, filed.conversation, text=text, meta={"key": "phone_proven", "phone_button": ""})
