"""What an operator orders in a group, and a one-time link of the console, carried out by the console's own verbs."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import select, update

from desk_core.catalogue.desk import GroupInfo
from desk_core.context import Actor
from desk_core.conversations import service as conversation_verbs
from desk_core.conversations.entities import ButtonToken, Conversation, Message, MessageVersion
from desk_core.conversations.files import NewFile
from desk_core.conversations.ports import ChannelKind, InboundKind
from desk_core.conversations.service import Act
from desk_core.groups import repository, service
from desk_core.groups.entities import GroupMessage, GroupTopic
from desk_core.groups.following import ALERTS, follow
from desk_core.kit.db import UnitOfWork
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.kit.ids import new_id
from desk_core.knowledge.entities import Article
from desk_core.people.entities import Agent
from desk_core.people.permissions import Right, allowed
from desk_core.tickets import belonging, history
from desk_core.tickets import service as tickets
from gateway.flows import group_links, group_orders, group_view
from gateway.flows.group_heard import Heard, ask
from gateway.flows.group_orders import Do, Order
from gateway.flows.in_groups import GROUPS

HELP = _(
    "In a request's topic, what you write goes to the requester; files too.\n"
    "// text or /note text – a note for colleagues\n"
    "/take – take over · /bot – give back to the bot · /queue – back to the queue\n"
    "/assign me, /assign olga · /escalate 2 reason · /priority P2 · /category key\n"
    "/resolve, /reopen · /status waiting, on_hold, open, closed · /draft – suggest an answer\n"
    "/alerts on – call the team in this topic · /alerts off"
)
STRANGER = _(
    "Your words stay here: this account is not linked to an operator, so nothing was done. "
    "Link it in the console: Settings, Telegram account."
)


async def carry_out(uow: UnitOfWork, heard: Heard) -> str:
    """Do it; the answer is what is to be said about it beside what the topic shows anyway."""
    message, ctx, language = heard.message, heard.ctx, heard.language
    if message.card.get("chat_type") not in GROUPS:
        is_test = any(token.startswith(service.TEST_LINK) for token in message.tokens)
        return await (group_links.test(uow, heard) if is_test else group_links.link_account(uow, heard))
    if message.command == "link":
        return await group_links.link_group(uow, heard)
    if heard.group is None:
        return ""
    if message.kind is InboundKind.MEMBERSHIP:
        gone = bool(message.card.get("blocked"))
        words = translate(language, _("The bot was removed from the group.")) if gone else None
        await service.note_trouble(uow, heard.group.id, words)
        return ""
    if heard.agent is None:
        return translate(language, STRANGER) if heard.stranger else ""
    if message.kind is InboundKind.EDIT:
        return await _edited(uow, heard)
    if message.kind is InboundKind.REACTION:
        return await _reacted(uow, heard)
    if heard.order is None:
        return ""
    if heard.order.do in group_orders.OF_GROUP:
        return await _of_group(uow, heard, heard.order)
    ticket_id = str(heard.value["ticket_id"]) if heard.value else heard.topic.ticket_id if heard.topic is not None else ""
    if not ticket_id:
        # Colleagues talking among themselves; only what was meant for the bot is answered.
        return translate(language, _("Please write this in the topic of a request.")) if message.command else ""
    if not allowed(heard.agent.role, Right.WORK_TICKETS):
        return translate(language, _("Your role does not allow this."))
    if heard.too_large:
        return translate(language, _("This file is too large to pass on. Nothing was sent."))
    if heard.button is not None and heard.button.action == "group:set":
        await uow.execute(
            update(ButtonToken)
            .where(ButtonToken.message_id == heard.button.message_id, ButtonToken.used_at.is_(None))
            .values(used_at=ctx.now)
            .execution_options(synchronize_session=False)
        )
    return await _act(uow, heard, ticket_id, heard.agent, heard.order)


async def _of_group(uow: UnitOfWork, heard: Heard, order: Order) -> str:
    group, agent, language = cast("GroupInfo", heard.group), cast("Agent", heard.agent), heard.language
    if order.do is Do.HELP:
        return translate(language, HELP)
    if not allowed(agent.role, Right.MANAGE_DESK):
        return translate(language, _("Only an administrator can change this."))
    if order.do is Do.UNLINK:
        await service.end_group(uow, group.id, now=heard.ctx.now)
        return translate(language, _("Unlinked. Nothing more is shown here; everything is in the console."))
    if order.words.strip().lower() in ("off", "0"):
        await service.change_group(uow, group.id, now=heard.ctx.now, alerts={})
        return translate(language, _("No more alerts here."))
    thread = (heard.message.thread_key or "").partition(":")[2]
    await service.change_group(uow, group.id, now=heard.ctx.now, alerts={"thread": thread, "kinds": sorted(ALERTS)})
    return translate(language, _("Alerts come into this topic: new requests and deadlines; without a sound outside working hours."))


async def _act(uow: UnitOfWork, heard: Heard, ticket_id: str, agent: Agent, order: Order) -> str:
    ctx, language, by = heard.ctx, heard.language, Actor.of(agent)
    match order.do:
        case Do.REPLY:
            return await _reply(uow, heard, ticket_id, agent, order.words, heard.files)
        case Do.SEND:
            files = [NewFile(**one) for one in heard.value.get("files", ())]
            message = await tickets.reply(uow, ctx, ticket_id, by=agent, text=order.words, files=files)
            await _own(uow, heard, message, str(heard.value.get("place", "")), ticket_id)
        case Do.NOTE:
            message = await tickets.note(uow, ctx, ticket_id, by=agent, text=order.words, files=heard.files)
            await _own(uow, heard, message, heard.message.shown_id or "", ticket_id)
        case Do.TAKE:
            await tickets.take_over(uow, ctx, ticket_id, by=agent)
        case Do.BOT | Do.QUEUE:
            await tickets.release(uow, ctx, ticket_id, by=agent, to=order.do.value)
        case Do.RESOLVE:
            ticket = await history.get(uow, ticket_id)
            if ticket.status != "resolved":  # pressed twice, or by two: once is enough
                await tickets.resolve(uow, ctx, ticket_id, by=agent, text=order.words)
        case Do.REOPEN:
            await tickets.reopen(uow, ctx, ticket_id, by=by)
        case Do.STATUS:
            await tickets.set_status(uow, ctx, ticket_id, by=agent, status=order.words.strip().lower())
        case Do.ESCALATE:
            line, team, reason = group_orders.target(order.words)
            if line is None and team is None:
                lines = ", ".join(f"{number} – {ctx.config.line_title(number, language)}" for number in ctx.config.lines)
                return translate(
                    language, _("Where to, and why? For example: /escalate 2 needs a new board. Lines: %(lines)s"), lines=lines
                )
            await belonging.escalate(uow, ctx, ticket_id, by=by, line=line, team_key=team, reason=reason)
        case Do.ASSIGN:
            return await _assign(uow, heard, ticket_id, agent, order.words)
        case Do.PRIORITY:
            if not order.words:
                rows = [[(one, Do.PRIORITY, one) for one in ("P1", "P2", "P3", "P4")]]
                await ask(uow, heard, ticket_id, translate(language, _("Which priority?")), rows)
            else:
                await belonging.prioritise(uow, ctx, ticket_id, by=by, priority=order.words.strip().upper())
        case Do.CATEGORY:
            return await _category(uow, heard, ticket_id, by, order.words)
        case Do.DRAFT:
            return await _draft(uow, heard, ticket_id)
        case Do.EDIT:
            return f"{translate(language, _('Copy it, change it, and write it here:'))}\n\n```\n{order.words}\n```"
        case Do.DROP:
            return translate(language, _("Dropped. Nothing was sent."))
        case _:
            return translate(
                language,
                _("I do not know /%(name)s, so nothing was sent to the requester. /help lists the commands."),
                name=order.words,
            )
    return ""


async def _reply(uow: UnitOfWork, heard: Heard, ticket_id: str, agent: Agent, text: str, files: Sequence[NewFile]) -> str:
    """To the requester, as this operator. Where a colleague speaks, that is asked about first."""
    language, place = heard.language, heard.message.shown_id or ""
    if not text and not files:
        return translate(language, _("This kind of message cannot be passed on. Please send it as text or as a file."))
    ticket = await history.get(uow, ticket_id)
    talk = await uow.session.get(Conversation, ticket.conversation_id) if ticket.conversation_id else None
    if talk is not None and talk.baton == "agent" and talk.agent_id not in (None, agent.id):
        other = await uow.session.get_one(Agent, talk.agent_id)
        more = {"files": [{name: getattr(file, name) for name in file.__dataclass_fields__} for file in files], "place": place}
        rows = [
            [(translate(language, _("Send and take over")), Do.SEND, text)],
            [(translate(language, _("Keep as a note")), Do.NOTE, text), (translate(language, _("Drop")), Do.DROP, "")],
        ]
        question = translate(language, _("%(name)s is talking with the requester. Your words were not sent yet."), name=other.name)
        await ask(uow, heard, ticket_id, question, rows, more=more)
        return ""
    answered = heard.message.reply_to
    message = await tickets.reply(uow, heard.ctx, ticket_id, by=agent, text=text, files=files)
    if answered and heard.topic is not None:
        message.reply_to = await uow.scalar(
            select(Message.external_id)
            .join(GroupMessage, GroupMessage.message_id == Message.id)
            .where(GroupMessage.topic_id == heard.topic.id, GroupMessage.place == answered, Message.direction == "inbound")
            .order_by(Message.at.desc())
            .limit(1)
        )
    await _own(uow, heard, message, place, ticket_id)
    return ""


async def _own(uow: UnitOfWork, heard: Heard, message: Message, place: str, ticket_id: str) -> None:
    """It stands in the topic already, in the operator's own hand."""
    topic_id = (
        heard.topic.id if heard.topic is not None else await uow.scalar(select(GroupTopic.id).where(GroupTopic.ticket_id == ticket_id))
    )
    if topic_id and place:
        uow.add(GroupMessage(topic_id=topic_id, message_id=message.id, place=place, own=True, at=heard.ctx.now))


async def _assign(uow: UnitOfWork, heard: Heard, ticket_id: str, agent: Agent, words: str) -> str:
    ctx, language, wanted = heard.ctx, heard.language, words.strip().lstrip("@").casefold()
    agents = list(await uow.scalars(select(Agent).where(Agent.disabled_at.is_(None)).order_by(Agent.name).limit(200)))
    if not wanted:
        rows = [[(one.name, Do.ASSIGN, one.email)] for one in agents[:12]]
        await ask(uow, heard, ticket_id, translate(language, _("To whom?")), rows)
        return ""
    accounts = {
        account.agent_id: account.display.casefold() for account in await repository.accounts(cast("Any", uow.session), channel="telegram")
    }
    exact = [one for one in agents if wanted in (one.email, one.email.partition("@")[0], one.name.casefold(), accounts.get(one.id))]
    found = exact or [one for one in agents if one.name.casefold().startswith(wanted)]
    if wanted in ("me", "я"):
        found = [agent]
    if len(found) != 1:
        names = ", ".join(one.name for one in (found or agents)[:12])
        return translate(language, _("Who is that? I know: %(names)s"), names=names)
    await belonging.assign(uow, ctx, ticket_id, by=Actor.of(agent), agent_id=found[0].id)
    return ""


async def _category(uow: UnitOfWork, heard: Heard, ticket_id: str, by: Actor, words: str) -> str:
    config, language = heard.ctx.config, heard.language
    if not words:
        ticket = await history.get(uow, ticket_id)
        likely = [str(one.get("label")) for one in (ticket.triage or {}).get("alternatives", ()) if one.get("label") in config.categories]
        siblings = [
            key
            for key, one in config.categories.items()
            if ticket.category_key and one.parent == config.categories[ticket.category_key].parent
        ]
        keys = [key for key in dict.fromkeys([*likely, *siblings]) if key != ticket.category_key and config.categories[key].parent][:8]
        rows = [[(config.title(key, language), Do.CATEGORY, key)] for key in keys]
        await ask(uow, heard, ticket_id, translate(language, _("Which category? Any other: /category key")), rows)
        return ""
    await belonging.categorise(uow, heard.ctx, ticket_id, by=by, category=words.strip())
    return ""


async def _draft(uow: UnitOfWork, heard: Heard, ticket_id: str) -> str:
    """The article found for this request that nobody refused yet, as an answer to be sent, edited or dropped."""
    ticket, language = await history.get(uow, ticket_id), heard.language
    told = ticket.hand_over or {}
    left = [str(one) for one in told.get("shown", ()) if one not in told.get("wrong", ()) and one not in told.get("refused", ())]
    left = left or [str(one) for one in told.get("shown", ()) if one not in told.get("wrong", ())]
    article = await uow.session.get(Article, left[0]) if left else None
    if article is None:
        return translate(language, _("There is no article that fits this request."))
    text = f"**{article.title}**\n\n{article.body.strip()}"[: group_view.LONGEST_TEXT - 200]
    labels = ((_("Send"), Do.SEND, text), (_("Edit"), Do.EDIT, text), (_("Drop"), Do.DROP, ""))
    rows = [[(translate(language, label), do, words) for label, do, words in labels]]
    title = translate(language, _("Draft from an article, seen by nobody but you:"))
    await ask(uow, heard, ticket_id, f"_{title}_\n\n{text}", rows)
    return ""


async def _edited(uow: UnitOfWork, heard: Heard) -> str:
    """An operator changed what they wrote: a note changes; what was sent is corrected by a new message."""
    topic, agent = heard.topic, cast("Agent", heard.agent)
    if topic is None:
        return ""
    found = await uow.scalars(
        select(Message)
        .join(GroupMessage, GroupMessage.message_id == Message.id)
        .where(GroupMessage.topic_id == topic.id, GroupMessage.place == heard.message.edits, GroupMessage.own.is_(True))
        .limit(1)
    )
    order = group_orders.read(heard.message)
    if not found or found[0].text == order.words or found[0].agent_id != agent.id:
        return ""
    message: Message = found[0]
    if message.direction == "note":
        uow.add(MessageVersion(id=new_id(), message_id=message.id, text=message.text, at=message.edited_at or message.at))
        message.text, message.edited_at = order.words, heard.ctx.now
        known = await uow.session.get_one(GroupMessage, (topic.id, message.id))
        known.at = heard.ctx.now
        follow(uow, heard.ctx, topic.ticket_id)
        return ""
    if order.do is not Do.REPLY:
        return translate(heard.language, _("This was sent to the requester already and stays as it was."))
    talk = await uow.session.get_one(Conversation, message.conversation_id)
    if talk.channel == ChannelKind.TELEGRAM:
        message.meta = {**message.meta, "group_text": order.words}
        asked = {"message_id": message.id, "text": order.words, "by": {"id": agent.id, "name": agent.name}}
        await conversation_verbs.act(uow, heard.ctx, talk.id, Act.EDIT, **asked)
        return ""
    ticket = await history.get(uow, topic.ticket_id)
    text = translate(ticket.language, _("Correction: %(text)s"), text=order.words)
    await tickets.reply(uow, heard.ctx, topic.ticket_id, by=agent, text=text)
    return ""


async def _reacted(uow: UnitOfWork, heard: Heard) -> str:
    """An operator's reaction to what the requester wrote goes to the requester."""
    agent = cast("Agent", heard.agent)
    message: Message | None = await uow.scalar(
        select(Message)
        .join(GroupMessage, GroupMessage.message_id == Message.id)
        .join(GroupTopic, GroupTopic.id == GroupMessage.topic_id)
        .where(
            GroupTopic.group_id == cast("GroupInfo", heard.group).id,
            GroupMessage.place == heard.message.reply_to,
            Message.direction == "inbound",
        )
        .order_by(Message.at.desc())
        .limit(1)
    )
    if message is None or message.external_id is None:
        return ""
    added = heard.message.card.get("reactions") or [None]
    asked = {
        "message_id": message.id,
        "external_id": message.external_id,
        "emoji": added[0],
        "by": {"id": agent.id, "name": agent.name},
    }
    await conversation_verbs.act(uow, heard.ctx, message.conversation_id, Act.REACT, **asked)
    return ""
