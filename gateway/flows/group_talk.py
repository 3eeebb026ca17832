"""What arrives from groups, and by the console's one-time links: read as orders and carried out by the console's own verbs.

Only members linked to an operator act; others are told so once. Groups that are not the operators' are left to the bot's own manners.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import structlog
from sqlalchemy import select, update

from desk_core.catalogue.desk import GroupInfo
from desk_core.context import Actor, Context
from desk_core.conversations import repository as conversations
from desk_core.conversations import service as conversation_verbs
from desk_core.conversations.entities import ButtonToken, Conversation, Inbox, Message, MessageVersion, RawInbound
from desk_core.conversations.files import NewFile, store_file
from desk_core.conversations.ports import Channel, ChannelKind, InboundKind, InboundMessage, Limits, Refused, RetryLater
from desk_core.conversations.service import Act
from desk_core.groups import repository, service
from desk_core.groups.entities import GroupMessage, GroupTopic
from desk_core.groups.following import ALERTS, GROUP_SAY, MIRROR, follow, lane_of
from desk_core.groups.ports import Grouping, GroupUnreachable, Standing
from desk_core.kit.blobs import DirectoryBlobs
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.errors import DeskError, NotFound, StaleWrite, TooLarge
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import known_language, translate
from desk_core.kit.ids import new_id, new_token
from desk_core.knowledge.entities import Article
from desk_core.lanes import queue
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Handler, Plan, Postpone
from desk_core.people.entities import Agent
from desk_core.people.permissions import Right, allowed
from desk_core.tickets import belonging, history
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import WORKING, Ticket
from desk_core.tickets.words import STATUS
from gateway.flows import group_orders, group_view
from gateway.flows.group_orders import Do, Order
from gateway.flows.in_groups import GROUPS

log = structlog.get_logger()

GROUP_TALK = "group_talk"
"""Kind of the work item behind what arrives from a group, or by a one-time link of the console."""
ME = "me-"
"""How a deep link begins that links an operator's account."""
CHOICE_LIFE = timedelta(hours=24)
MOST_SHOWN_AT_FIRST = 200
APART = timedelta(seconds=4)
CONFIG_KNOWN = timedelta(seconds=6)
"""Until then every process has heard of a group that was linked just now."""
MISSING = {
    "forum": _("switch on Topics in the group's settings"),
    "admin": _("make the bot an administrator"),
    "topics": _("give the bot the right to manage topics"),
    "privacy": _("or let it read all messages: as an administrator, or with its privacy mode off at @BotFather"),
}
HELP = _(
    "In a request's topic, what you write goes to the requester; files too.\n"
    "// text or /note text – a note for colleagues\n"
    "/take – take over · /bot – give back to the bot · /queue – back to the queue\n"
    "/assign me, /assign olga · /escalate 2 reason · /priority P2 · /category key\n"
    "/resolve, /reopen · /status waiting, on_hold, open, closed · /draft – suggest an answer\n"
    "/alerts on – call the team in this topic · /alerts off"
)


def kind_of(message: InboundMessage) -> bool:
    """Whether this is for us to read first: everything from groups, and the console's one-time links."""
    if message.card.get("chat_type") in GROUPS:
        return True
    return message.command == "me" or any(token.startswith((ME, service.TEST_LINK)) for token in message.tokens)


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that was said in a group, with all that is known of it; `also` handed to others as it is."""

    ctx: Context
    raws: tuple[str, ...]
    message: InboundMessage
    inbox_id: str
    language: str
    group: GroupInfo | None = None
    agent: Agent | None = None
    topic: GroupTopic | None = None
    order: Order | None = None
    files: tuple[NewFile, ...] = ()
    too_large: bool = False
    stranger: bool = False
    standing: Standing | None = None
    button: ButtonToken | None = None
    says: str = ""
    elsewhere: Plan | None = None
    value: Mapping[str, Any] = field(default_factory=dict)


class GroupTalk:
    """The handler of what arrives from groups."""

    max_attempts = 6

    def __init__(
        self,
        database: Database,
        *,
        context: Callable[[str], Awaitable[Context]],
        channel: Callable[[str], Awaitable[Channel | None]],
        blobs: DirectoryBlobs,
        limits: Limits,
        otherwise: Handler,
        attachment_limit: int,
    ) -> None:
        """`otherwise` handles what is none of the operators' business."""
        self._database, self._context, self._channel, self._blobs = database, context, channel, blobs
        self._limits, self._otherwise, self._limit = limits, otherwise, attachment_limit

    async def decide(self, work: Work) -> Plan:
        ctx = await self._context(str(work.payload.get("request_id", "")))
        async with self._database.read() as session:
            raw = next(iter(await conversations.raw_inbound(session, [str(work.payload["raw_id"])])), None)
            if raw is None:
                raise NotFound(raw=work.payload["raw_id"])
            message = InboundMessage.from_json(raw.body)
            inbox = await session.get_one(Inbox, raw.inbox_id)
            chat, _sep, thread = (message.thread_key or "").partition(":")
            group = ctx.config.group_by_chat(inbox.id, chat)
            heard = Heard(ctx, (raw.id,), message, inbox.id, group.language if group else inbox.language, group=group)
            if group is not None:
                agent = await repository.agent_of(session, channel=ChannelKind.TELEGRAM, address=message.sender.address)
                topic = await repository.topic_by_thread(session, group.id, thread) if thread else None
                button = await conversations.button(session, message.button) if message.button else None
                heard = replace(heard, agent=agent, topic=topic, button=button)
            rows, also = await self._album(session, work, raw, message)
        if message.card.get("chat_type") not in GROUPS:
            return Plan(heard)
        if message.command == "link":
            return Plan(await self._standing(heard, chat))
        if group is None:
            plan = await self._otherwise.decide(work)
            return Plan(replace(heard, elsewhere=plan), also=plan.also)
        if message.kind is InboundKind.MEMBERSHIP or message.held or message.automatic:
            return Plan(heard)
        if heard.agent is None:
            fresh = message.kind is not InboundKind.REACTION and await self._limits.hit(
                "group-stranger", f"{group.id}:{message.sender.address}", limit=1, seconds=86_400
            )
            if message.callback_id:
                await self._answer(heard, translate(heard.language, _("Please link your account in the console first.")))
            return Plan(replace(heard, stranger=fresh))
        if message.kind is InboundKind.PRESS:
            return Plan(await self._press(heard))
        if len(rows) > 1:
            parts = [InboundMessage.from_json(row.body) for row in rows]
            text = "\n".join(part.text for part in parts if part.text)
            message = replace(message, text=text, files=tuple(file for part in parts for file in part.files))
            heard = replace(heard, message=message, raws=tuple(row.id for row in rows))
        if message.kind in (InboundKind.MESSAGE, InboundKind.UNSUPPORTED):
            heard = replace(heard, order=group_orders.read(message))
            heard = await self._fetched(heard)
        return Plan(heard, also=also)

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        heard: Heard = plan.data
        if heard.elsewhere is not None:
            await self._otherwise.apply(uow, work, heard.elsewhere)
            return
        await conversations.note_done(uow, list(heard.raws), message_id=None)
        try:
            # What is refused leaves nothing behind but its reason, told to who asked.
            async with uow.session.begin_nested():
                words = await self._carry_out(uow, heard)
                await uow.flush()
        except StaleWrite:
            raise
        except DeskError as refused:
            if refused.status >= 500:
                raise
            words = refusal(refused, heard.language)
        if words:
            await say(uow, heard, words)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """The words are kept raw among the dead items; the group is told that they went nowhere."""
        ctx = await self._context("")
        raw = await uow.session.get(RawInbound, str(work.payload.get("raw_id")))
        if raw is None:
            return
        message = InboundMessage.from_json(raw.body)
        group = ctx.config.group_by_chat(raw.inbox_id, (message.thread_key or "").partition(":")[0])
        ours = group is not None or message.command == "link" or message.card.get("chat_type") not in GROUPS
        if not ours:
            await self._otherwise.buried(uow, work, dead_id, reason)
            return
        language = group.language if group is not None else ctx.config.language
        heard = Heard(ctx, (raw.id,), message, raw.inbox_id, language, group=group)
        await say(uow, heard, translate(language, _("This could not be carried out: %(reason)s"), reason=reason))

    # Reading

    async def _album(self, session: Any, work: Work, raw: RawInbound, message: InboundMessage) -> tuple[list[RawInbound], tuple[int, ...]]:
        """The parts of an album, which arrive one by one, are one answer."""
        if not message.album:
            return [raw], ()
        taken, also = [raw], []
        heads = [item for item in await queue.head(session, work.lane, limit=12) if item.id != work.id and item.kind == GROUP_TALK]
        rows = {row.id: row for row in await conversations.raw_inbound(session, [str(item.payload["raw_id"]) for item in heads])}
        for item in heads:
            row = rows.get(str(item.payload["raw_id"]))
            if row is None or InboundMessage.from_json(row.body).album != message.album:
                break
            taken.append(row)
            also.append(item.id)
        return taken, tuple(also)

    async def _standing(self, heard: Heard, chat: str) -> Heard:
        channel = await self._channel(heard.inbox_id)
        if not isinstance(channel, Grouping):
            raise Postpone("the inbox is paused or not connected")
        try:
            return replace(heard, standing=await channel.group_standing(chat))
        except GroupUnreachable as error:
            return replace(heard, says=error.reason)
        except Refused as error:
            return replace(heard, says=error.reason)
        except RetryLater as error:
            raise Postpone(error.reason, after=error.after) from error

    async def _fetched(self, heard: Heard) -> Heard:
        """The files of an answer or note, in the store before anything is written."""
        channel = await self._channel(heard.inbox_id)
        kept: list[NewFile] = []
        for file in heard.message.files:
            if file.remote_id is None:
                continue
            if channel is None:
                raise Postpone("the inbox is paused or not connected")
            try:
                kept.append(
                    await store_file(
                        self._blobs, name=file.name, content=channel.fetch(file.remote_id), limit=self._limit, declared=file.declared_type
                    )
                )
            except (TooLarge, Refused):
                return replace(heard, too_large=True)
            except RetryLater as error:
                raise Postpone(error.reason, after=error.after) from error
        return replace(heard, files=tuple(kept))

    async def _press(self, heard: Heard) -> Heard:
        """A button: answered at once, with the present state where it means nothing any more."""
        button, ctx = heard.button, heard.ctx
        prefix, _sep, name = (button.action if button else "").partition(":")
        fresh = button is not None and prefix == "group" and button.used_at is None and button.expires_at > ctx.now
        if not fresh or button is None:
            await self._answer(heard, translate(heard.language, _("This button has been used already.")))
            return heard
        order = Order(Do(str(button.value.get("do", name))), str(button.value.get("words", "")))
        async with self._database.read() as session:
            ticket = await session.get(Ticket, str(button.value.get("ticket_id", "")))
            talk = await session.get(Conversation, ticket.conversation_id) if ticket and ticket.conversation_id else None
        if ticket is None:
            await self._answer(heard, translate(heard.language, _("This request is not there any more.")))
            return heard
        state = translate(heard.language, STATUS[ticket.status])
        done = order.do is Do.RESOLVE and ticket.status in ("resolved", *group_view.OVER)
        done |= order.do is Do.REOPEN and ticket.status not in ("resolved", "closed", "cancelled")
        done |= (
            order.do is Do.TAKE and talk is not None and talk.baton == "agent" and talk.agent_id == (heard.agent.id if heard.agent else "")
        )
        done |= order.do is Do.BOT and talk is not None and talk.baton == "bot"
        told = translate(heard.language, _("Already so. The request is: %(state)s"), state=state) if done else None
        await self._answer(heard, told)
        if done:
            return heard
        channel = await self._channel(heard.inbox_id)
        if channel is not None and name == "set" and heard.message.reply_to and heard.message.thread_key:
            await channel.close_buttons(heard.message.thread_key, heard.message.reply_to)
        return replace(heard, order=order, value=button.value)

    async def _answer(self, heard: Heard, words: str | None) -> None:
        channel = await self._channel(heard.inbox_id)
        if channel is not None and heard.message.callback_id:
            await channel.answer_press(heard.message.callback_id, words)

    # Carrying out

    async def _carry_out(self, uow: UnitOfWork, heard: Heard) -> str:
        """Do it; the answer is what is to be said about it beside what the topic shows anyway."""
        message, ctx, language = heard.message, heard.ctx, heard.language
        if message.card.get("chat_type") not in GROUPS:
            return await (self._test if any(token.startswith(service.TEST_LINK) for token in message.tokens) else self._link_me)(uow, heard)
        if message.command == "link":
            return await self._link_group(uow, heard)
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
            return await self._edited(uow, heard)
        if message.kind is InboundKind.REACTION:
            return await self._reacted(uow, heard)
        if heard.order is None:
            return ""
        if heard.order.do in group_orders.OF_GROUP:
            return await self._of_group(uow, heard, heard.order)
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
        return await self._act(uow, heard, ticket_id, heard.agent, heard.order)

    async def _link_me(self, uow: UnitOfWork, heard: Heard) -> str:
        message = heard.message
        token = next((token.removeprefix(ME) for token in message.tokens if token.startswith(ME)), "")
        code = await service.take_code(uow, token or str(message.card.get("args", "")), purpose=service.FOR_AGENT, now=heard.ctx.now)
        agent = await service.link_agent(
            uow, code.subject, channel=ChannelKind.TELEGRAM, address=message.sender.address,
            display=message.sender.username or message.sender.name, now=heard.ctx.now,
        )  # fmt: skip
        return translate(
            known_language(agent.language), _("%(name)s, this account is yours now. You can work in the operators' group."), name=agent.name
        )

    async def _test(self, uow: UnitOfWork, heard: Heard) -> str:
        """Somebody opened the bot by a link of the console, to see that it receives and answers."""
        message = heard.message
        token = next(token.removeprefix(service.TEST_LINK) for token in message.tokens if token.startswith(service.TEST_LINK))
        code = await service.take_code(uow, token, purpose=service.FOR_TEST, now=heard.ctx.now)
        if code.subject != heard.inbox_id:
            raise service.WrongCode
        name, username = message.sender.name, message.sender.username
        code.used_by = f"{name} (@{username})"[:200] if username else name[:200]
        language = known_language(message.sender.language, heard.language)
        words = translate(language, _("This is the test message you asked for in the console. The bot hears you and answers."))
        await say(uow, replace(heard, language=language), words, code_hash=code.code_hash)
        return ""

    async def _link_group(self, uow: UnitOfWork, heard: Heard) -> str:
        message, now = heard.message, heard.ctx.now
        if heard.says:
            return heard.says
        standing = cast("Standing", heard.standing)
        code = await service.take_code(uow, str(message.card.get("args", "")), purpose=service.FOR_GROUP, now=now)
        if code.subject != heard.inbox_id:
            raise service.WrongCode
        if standing.missing:
            code.used_at = None  # it may be used once that is put right
            needed = "; ".join(translate(heard.language, MISSING[one]) for one in standing.missing)
            return translate(heard.language, _("Almost. Please %(needed)s, and send the same line again."), needed=needed)
        chat = (message.thread_key or "").partition(":")[0]
        group = await service.link_group(
            uow, inbox_id=heard.inbox_id, chat=chat, title=standing.title, language=heard.language, by=code.made_by, now=now
        )
        open_now = await uow.scalars(select(Ticket.id).where(WORKING).order_by(Ticket.number.desc()).limit(MOST_SHOWN_AT_FIRST))
        for place, ticket_id in enumerate(open_now):
            # A group takes twenty messages a minute; the newest come first.
            run_at = now + CONFIG_KNOWN + APART * place
            await queue.put(uow, lane=lane_of(ticket_id), kind=MIRROR, payload={"ticket_id": ticket_id}, run_at=run_at)
        heard.ctx.wake(uow)
        return translate(
            heard.language,
            _("Linked: «%(title)s». Each request gets a topic here. Operators link their accounts in the console's settings."),
            title=group.title,
        )

    async def _of_group(self, uow: UnitOfWork, heard: Heard, order: Order) -> str:
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

    async def _act(self, uow: UnitOfWork, heard: Heard, ticket_id: str, agent: Agent, order: Order) -> str:
        ctx, language, by = heard.ctx, heard.language, Actor.of(agent)
        match order.do:
            case Do.REPLY:
                return await self._reply(uow, heard, ticket_id, agent, order.words, heard.files)
            case Do.SEND:
                files = [NewFile(**one) for one in heard.value.get("files", ())]
                message = await tickets.reply(uow, ctx, ticket_id, by=agent, text=order.words, files=files)
                await self._own(uow, heard, message, str(heard.value.get("place", "")), ticket_id)
            case Do.NOTE:
                message = await tickets.note(uow, ctx, ticket_id, by=agent, text=order.words, files=heard.files)
                await self._own(uow, heard, message, heard.message.shown_id or "", ticket_id)
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
                return await self._assign(uow, heard, ticket_id, agent, order.words)
            case Do.PRIORITY:
                if not order.words:
                    rows = [[(one, Do.PRIORITY, one) for one in ("P1", "P2", "P3", "P4")]]
                    await ask(uow, heard, ticket_id, translate(language, _("Which priority?")), rows)
                else:
                    await belonging.prioritise(uow, ctx, ticket_id, by=by, priority=order.words.strip().upper())
            case Do.CATEGORY:
                return await self._category(uow, heard, ticket_id, by, order.words)
            case Do.DRAFT:
                return await self._draft(uow, heard, ticket_id)
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

    async def _reply(self, uow: UnitOfWork, heard: Heard, ticket_id: str, agent: Agent, text: str, files: Sequence[NewFile]) -> str:
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
        await self._own(uow, heard, message, place, ticket_id)
        return ""

    @staticmethod
    async def _own(uow: UnitOfWork, heard: Heard, message: Message, place: str, ticket_id: str) -> None:
        """It stands in the topic already, in the operator's own hand."""
        topic_id = (
            heard.topic.id if heard.topic is not None else await uow.scalar(select(GroupTopic.id).where(GroupTopic.ticket_id == ticket_id))
        )
        if topic_id and place:
            uow.add(GroupMessage(topic_id=topic_id, message_id=message.id, place=place, own=True, at=heard.ctx.now))

    async def _assign(self, uow: UnitOfWork, heard: Heard, ticket_id: str, agent: Agent, words: str) -> str:
        ctx, language, wanted = heard.ctx, heard.language, words.strip().lstrip("@").casefold()
        agents = list(await uow.scalars(select(Agent).where(Agent.disabled_at.is_(None)).order_by(Agent.name).limit(200)))
        if not wanted:
            rows = [[(one.name, Do.ASSIGN, one.email)] for one in agents[:12]]
            await ask(uow, heard, ticket_id, translate(language, _("To whom?")), rows)
            return ""
        accounts = {
            account.agent_id: account.display.casefold()
            for account in await repository.accounts(cast("Any", uow.session), channel="telegram")
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

    async def _category(self, uow: UnitOfWork, heard: Heard, ticket_id: str, by: Actor, words: str) -> str:
        config, language = heard.ctx.config, heard.language
        if not words:
            ticket = await history.get(uow, ticket_id)
            likely = [
                str(one.get("label")) for one in (ticket.triage or {}).get("alternatives", ()) if one.get("label") in config.categories
            ]
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

    async def _draft(self, uow: UnitOfWork, heard: Heard, ticket_id: str) -> str:
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

    async def _edited(self, uow: UnitOfWork, heard: Heard) -> str:
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

    async def _reacted(self, uow: UnitOfWork, heard: Heard) -> str:
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


STRANGER = _(
    "Your words stay here: this account is not linked to an operator, so nothing was done. "
    "Link it in the console: Settings, Telegram account."
)


def refusal(error: DeskError, language: str) -> str:
    """Why it was refused, in one sentence."""
    said = {name: translate(language, value) if isinstance(value, str) else value for name, value in error.fields.items()}
    try:
        return translate(language, error.text, **said)
    except (KeyError, TypeError, ValueError):
        return translate(language, error.text)


async def say(
    uow: UnitOfWork, heard: Heard, words: str, *, buttons: Sequence[Sequence[Mapping[str, str]]] = (), code_hash: str = ""
) -> None:
    """Answer where it was asked: in the topic, in the group, or in private. A code (its hash) is noted as answered once that is sent."""
    chat, _sep, thread = (heard.message.thread_key or "").partition(":")
    payload = {
        "group_id": heard.group.id if heard.group is not None else "", "inbox_id": heard.inbox_id, "chat": chat, "thread": thread,
        "language": heard.language, "text": words, "buttons": [list(row) for row in buttons], "request_id": heard.ctx.request_id,
        "reply_to": heard.message.shown_id or "", "code_hash": code_hash,
    }  # fmt: skip
    lane = lane_of(heard.topic.ticket_id if heard.topic is not None else f"said:{chat}")
    await queue.put(uow, lane=lane, kind=GROUP_SAY, payload=payload, run_at=heard.ctx.now)
    heard.ctx.wake(uow)


async def ask(
    uow: UnitOfWork,
    heard: Heard,
    ticket_id: str,
    words: str,
    rows: Sequence[Sequence[tuple[str, Do, str]]],
    *,
    more: Mapping[str, Any] | None = None,
) -> None:
    """A question with buttons, each for one use; once one of them is pressed the others are used up too."""
    ticket = await history.get(uow, ticket_id)
    question, drawn = new_id(), []
    for row in rows if ticket.conversation_id else ():
        line = []
        for label, do, arg in row:
            token = new_token(12)
            uow.add(
                ButtonToken(
                    token=token, conversation_id=ticket.conversation_id or "", message_id=question, action="group:set",
                    value={"ticket_id": ticket_id, "do": do.value, "words": arg, **(more or {})}, used_at=None,
                    expires_at=heard.ctx.now + CHOICE_LIFE,
                )
            )  # fmt: skip
            line.append({"label": label, "token": token})
        drawn.append(line)
    await say(uow, heard, words, buttons=drawn)
