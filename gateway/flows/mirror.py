"""The operators' group kept in step: each step compares a request with what its topic shows, and does the first thing that is missing.

Nothing is remembered but what stands there, so whatever is lost on the way (a deleted topic, a bot that was thrown out, a flood limit)
is made good by the next step. What happens to the group never concerns the requester: it has lanes of its own.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from desk_core.catalogue.desk import GroupInfo
from desk_core.context import Context
from desk_core.conversations import pressing
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import ButtonToken, Conversation, Message
from desk_core.conversations.ports import Channel, OutboundButton, OutboundFile, OutboundMessage, Refused, RetryLater
from desk_core.conversations.service import waits
from desk_core.groups import repository, service
from desk_core.groups.entities import GroupMessage, GroupTopic, OperatorGroup
from desk_core.groups.following import MIRROR, follow
from desk_core.groups.ports import Face, Grouping, GroupUnreachable, TopicGone
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.i18n import translate
from desk_core.kit.ids import new_id, new_token
from desk_core.lanes import queue
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan, Postpone
from desk_core.people import repository as people
from desk_core.people.entities import Agent
from desk_core.tickets.entities import Ticket
from gateway.console.packet import article_ids
from gateway.flows import group_view
from gateway.flows.group_view import Shown

log = structlog.get_logger()

UNREACHABLE_FOR = timedelta(minutes=5)
PAUSED = timedelta(seconds=15)
LATER = timedelta(seconds=10)
LARGEST_FILE = 45 * 1024 * 1024
TEN_YEARS = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did, to be written down: only what changed is set."""

    topic_id: str = ""
    begin: bool = False
    gone: bool = False
    thread: str | None = None
    face: str | None = None
    head: str | None = None
    head_text: str | None = None
    placed: tuple[tuple[str, str], ...] = ()  # message, its place
    again: tuple[str, ...] = ()  # messages whose change is shown now
    seen: int = 0


async def shown_of(session: Any, ctx: Context, ticket: Ticket, *, remade: bool = False) -> Shown:
    """A request as its topic and its alerts show it."""
    known = await people.reached(session, ticket.contact_id, channel=ticket.channel)
    talk = await session.get(Conversation, ticket.conversation_id) if ticket.conversation_id else None
    names: dict[str, str] = {}
    for agent_id in {ticket.assignee_id, talk.agent_id if talk else None} - {None}:
        agent = await session.get(Agent, agent_id)
        names[str(agent_id)] = agent.name if agent is not None else ""
    address, name, _zone = known or ("", "", None)
    return Shown(
        ticket=ticket, requester=name or address, address=address, baton=talk.baton if talk else "queue",
        speaker=names.get(talk.agent_id or "", "") if talk and talk.baton == "agent" else "",
        assignee=names.get(ticket.assignee_id or "", ""), url=f"{ctx.public_url}/console/tickets/{ticket.number}", remade=remade,
    )  # fmt: skip


class InGroup:
    """What handlers of a group share: reaching it, and saying in the console why not."""

    max_attempts = 12

    def __init__(
        self, database: Database, *, context: Callable[[str], Awaitable[Context]], channel: Callable[[str], Awaitable[Channel | None]]
    ) -> None:
        self._database, self._context, self._channel = database, context, channel

    async def reach(self, group: GroupInfo) -> Grouping:
        """The group's channel; postponed while its inbox is paused."""
        channel = await self._channel(group.inbox_id)
        if not isinstance(channel, Grouping):
            raise Postpone("the inbox of the group is paused or not connected", after=PAUSED, free=True)
        return channel

    async def in_trouble(self, group: GroupInfo, reason: str) -> Postpone:
        """Noted beside the group for people to see; the work waits, since everything can still be shown afterwards."""
        log.warning("group.unreachable", group=group.id)
        async with self._database.unit() as uow:
            await service.note_trouble(uow, group.id, reason)
        return Postpone(reason, after=UNREACHABLE_FOR, free=True)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """The request itself is whole; that its view is not stands among the dead items and beside the group."""
        ctx = await self._context("")
        for group in ctx.config.groups:
            await service.note_trouble(uow, group.id, reason)


class Backlog:
    """The handler that lets the requests which were there before a group into it, one after another."""

    max_attempts = 12

    def __init__(self, *, context: Callable[[str], Awaitable[Context]]) -> None:
        self._context = context

    async def decide(self, work: Work) -> Plan:
        return Plan(await self._context(""))

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        follow(uow, plan.data, str(work.payload["ticket_id"]))

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """It stands among the dead items; whatever happens to the request brings it into the group all the same."""


class Mirror(InGroup):
    """The handler that brings one topic in step, a step at a time."""

    async def decide(self, work: Work) -> Plan:
        ctx = await self._context(str(work.payload.get("request_id", "")))
        async with self._database.read() as session:
            heads = await queue.head(session, work.lane, limit=50)
            also = tuple(item.id for item in heads if item.kind == MIRROR and item.id != work.id)
            ticket = await session.get(Ticket, str(work.payload["ticket_id"]))
            if ticket is None:
                return Plan(also=also)
            topic = await repository.topic_of(session, ticket.id)
            group = ctx.config.group_for(ticket.team_id)
            if topic is not None:
                group = next((one for one in ctx.config.groups if one.id == topic.group_id), None)
            if group is None:
                return Plan(also=also)
            if topic is None:
                return Plan((ctx, ticket, group, Step(begin=True)), also=also)
            shown = await shown_of(session, ctx, ticket, remade=topic.remade > 0)
            messages = [one for one in await repository.unshown(session, topic) if not waits(one) and one.hold != "held"]
            events = await repository.events_after(session, ticket.id, topic.seen)
            changed = await repository.changed(session, topic)
            tokens = {one.action: one.token for one in await pressing.buttons_of(session, topic.id)}
            answered = {
                one.id: await repository.place_of(session, topic.id, known.id)
                for one in messages[:1]
                if one.reply_to and (known := await conversations.message_by_external_id(session, one.inbox_id, one.reply_to)) is not None
            }
            rewritten = await repository.shown_with(session, topic.id, changed[0][1].place) if changed else []
            trouble = await session.get(OperatorGroup, group.id)
        grouping = await self.reach(group)
        try:
            step = await self._step(grouping, ctx, group, topic, shown, messages, events, changed, rewritten, tokens, answered)
        except TopicGone:
            step = Step(topic_id=topic.id, gone=True)
        except GroupUnreachable as error:
            raise await self.in_trouble(group, error.reason) from error
        except RetryLater as error:
            raise Postpone(error.reason, after=error.after or LATER, free=True) from error
        if step is None:
            return Plan(also=also)
        return Plan((ctx, ticket, group, step, bool(trouble and trouble.trouble)), also=also)

    async def _step(
        self,
        grouping: Grouping,
        ctx: Context,
        group: GroupInfo,
        topic: GroupTopic,
        shown: Shown,
        messages: list[Message],
        events: list[Any],
        changed: list[tuple[Message, GroupMessage]],
        rewritten: list[Message],
        tokens: dict[str, str],
        answered: dict[str, str | None],
    ) -> Step | None:
        language, thread = group.language, topic.thread
        looks = group_view.face(shown, language)
        if thread is None:
            thread = await grouping.open_group_topic(group.chat, Face(looks.title, looks.icon))
            return Step(topic.id, thread=thread, face="")
        text = group_view.head(shown, ctx.config, language)
        rows = group_view.actions(shown, has_article=bool(article_ids(shown.ticket)))
        buttons = tuple(
            tuple(
                OutboundButton(translate(language, group_view.LABELS[name]), tokens[f"group:{name}"])
                for name in row
                if f"group:{name}" in tokens
            )
            for row in rows
        )
        card_key = f"{text}\n{rows}"
        if topic.head is None:
            receipt = await grouping.post_in_group(
                self._outbound(ctx, group, thread, shown, text, key=f"head:{topic.id}:{thread}", buttons=buttons, silent=True)
            )
            return Step(topic.id, head=receipt.external_id, head_text=card_key)
        portion = group_view.next_portion(messages, events, ctx.config, language)
        if portion is not None and (portion.text or portion.messages):
            files = tuple(
                OutboundFile(file.name, file.content_type, file.size, file.sha256)
                for message in portion.messages
                for file in message.attachments
                if file.size <= LARGEST_FILE
            )
            key = portion.messages[0].id if portion.messages else f"events:{topic.id}:{portion.upto}"
            reply_to = answered.get(portion.messages[0].id) if portion.messages else None
            outbound = self._outbound(
                ctx, group, thread, shown, portion.text, key=f"{key}:{thread}", files=files, reply_to=reply_to, silent=not portion.loud
            )
            try:
                place = (await grouping.post_in_group(outbound)).external_id
            except Refused as refusal:
                place = await self._lesser(grouping, outbound, refusal)
            return Step(topic.id, placed=tuple((message.id, place) for message in portion.messages), seen=portion.upto)
        if changed:
            place = changed[0][1].place
            text_now = "\n\n".join(group_view.said(message, language) for message in rewritten)[: group_view.LONGEST_TEXT]
            outbound = self._outbound(ctx, group, thread, shown, text_now, key=f"edit:{new_id()}")
            if changed[0][1].own and changed[0][0].meta.get("group_text") == changed[0][0].text:
                log.debug("group.own_change")  # its author changed it in the topic themselves
            elif changed[0][1].own or any(message.meta.get("parts") for message in rewritten):
                await grouping.post_in_group(outbound)
            else:
                try:
                    await grouping.rewrite_in_group(outbound, place)
                except Refused:  # a caption, or gone: the new words are said anew
                    await grouping.post_in_group(outbound)
            return Step(topic.id, again=tuple(message.id for message in rewritten))
        if topic.face != looks.shown:
            await grouping.show_group_topic(group.chat, thread, looks)
            return Step(topic.id, face=looks.shown)
        if topic.head_text != card_key:
            outbound = self._outbound(ctx, group, thread, shown, text, key=f"head:{new_id()}", buttons=buttons, silent=True)
            try:
                await grouping.rewrite_in_group(outbound, topic.head)
            except Refused:
                return Step(topic.id, head=(await grouping.post_in_group(outbound)).external_id, head_text=card_key)
            return Step(topic.id, head=topic.head, head_text=card_key)
        return Step(topic.id, seen=portion.upto) if portion is not None and portion.upto > topic.seen else None

    @staticmethod
    async def _lesser(grouping: Grouping, outbound: OutboundMessage, refusal: Refused) -> str:
        """Telegram takes it not: its words without files, and if it does not take those either, the console shows it alone."""
        names = ", ".join(file.name for file in outbound.files)
        words = translate(outbound.language, group_view.ONLY_IN_CONSOLE, names=group_view.plain(names))
        text = f"{outbound.text}\n{words}" if names else words
        log.warning("group.message_refused", reason=refusal.reason)
        lesser = OutboundMessage(**{**{name: getattr(outbound, name) for name in outbound.__dataclass_fields__}, "text": text, "files": ()})
        return (await grouping.post_in_group(lesser)).external_id

    @staticmethod
    def _outbound(ctx: Context, group: GroupInfo, thread: str, shown: Shown, text: str, *, key: str, **more: Any) -> OutboundMessage:
        return OutboundMessage(
            message_id=f"group:{key}", conversation_id=shown.ticket.conversation_id or "", thread_key=f"{group.chat}:{thread}",
            to=group.chat, to_name="", text=text, language=group.language, at=ctx.now, ticket_number=shown.ticket.number, **more,
        )  # fmt: skip

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        if plan.data is None:
            return
        ctx, ticket, group, step, *troubled = plan.data
        if step.begin:
            await self._begin(uow, ctx, ticket, group)
        else:
            await self._note(uow, ctx, step)
        if troubled and troubled[0]:
            await service.note_trouble(uow, group.id, None)
        # One step a transaction, so that what was sent is known to have been sent; the next one follows at once.
        await queue.put(uow, lane=work.lane, kind=MIRROR, payload=work.payload, run_at=ctx.now)
        ctx.wake(uow)

    async def _begin(self, uow: UnitOfWork, ctx: Context, ticket: Ticket, group: GroupInfo) -> None:
        topic = GroupTopic(
            id=new_id(), group_id=group.id, ticket_id=ticket.id, thread=None, face="", head=None, head_text="", seen=0, remade=0,
            created_at=ctx.now,
        )  # fmt: skip
        uow.add(topic)
        if ticket.conversation_id is None:
            return  # a button belongs to a conversation; without one there are the commands
        for name in group_view.ACTIONS:
            uow.add(
                ButtonToken(
                    token=new_token(12), conversation_id=ticket.conversation_id, message_id=topic.id, action=f"group:{name}",
                    value={"ticket_id": ticket.id}, used_at=None, expires_at=ctx.now + TEN_YEARS,
                )
            )  # fmt: skip

    @staticmethod
    async def _note(uow: UnitOfWork, ctx: Context, step: Step) -> None:
        topic = await uow.session.get_one(GroupTopic, step.topic_id)
        if step.gone:
            topic.thread, topic.head, topic.head_text, topic.face, topic.remade = None, None, "", "", topic.remade + 1
            return
        topic.thread = step.thread or topic.thread
        topic.face = topic.face if step.face is None else step.face
        topic.head = step.head or topic.head
        topic.head_text = topic.head_text if step.head_text is None else step.head_text
        topic.seen = max(topic.seen, step.seen)
        for message_id, place in step.placed:
            uow.add(GroupMessage(topic_id=topic.id, message_id=message_id, place=place, own=False, at=ctx.now))
        for message_id in step.again:
            known = await uow.session.get_one(GroupMessage, (topic.id, message_id))
            known.at = ctx.now


class GroupSay(InGroup):
    """The handler of what is said in a group beside the requests' own story: alerts, answers to commands, questions with buttons."""

    async def decide(self, work: Work) -> Plan:
        ctx = await self._context(str(work.payload.get("request_id", "")))
        payload = work.payload
        group = next((one for one in ctx.config.groups if one.id == payload.get("group_id")), None)
        if group is None and not payload.get("chat"):
            return Plan()
        # An answer goes to where it was asked, also to a place that is not linked yet, or no more.
        group = group or GroupInfo("", str(payload["inbox_id"]), str(payload["chat"]), str(payload["language"]), (), {})
        text, thread, silent = str(payload.get("text", "")), str(payload.get("thread") or ""), True
        async with self._database.read() as session:
            ticket = await session.get(Ticket, str(payload["ticket_id"])) if payload.get("ticket_id") else None
            shown = await shown_of(session, ctx, ticket) if ticket is not None else None
        if payload.get("alert") and ticket is not None and shown is not None:
            metric = str(payload.get("data", {}).get("metric", ""))
            text = group_view.called(str(payload["alert"]), shown, ctx.config, group.language, metric=metric)
            thread = str(group.alerts.get("thread") or "")
            team = ctx.config.team_by_id(ticket.team_id)
            silent = not ctx.config.calendar_for(team).is_open(ctx.now)
        buttons = tuple(tuple(OutboundButton(one["label"], one["token"]) for one in row) for row in payload.get("buttons", ()))
        outbound = OutboundMessage(
            message_id=f"group:say:{work.id}", conversation_id="", thread_key=f"{group.chat}:{thread}" if thread else group.chat,
            to=group.chat, to_name="", text=text, language=group.language, at=ctx.now, buttons=buttons,
            reply_to=payload.get("reply_to") or None, silent=silent,
        )  # fmt: skip
        grouping = await self.reach(group)
        try:
            await grouping.post_in_group(outbound)
            return Plan((str(payload.get("code_hash") or ""), ctx.now))
        except (TopicGone, Refused) as error:
            log.info("group.not_said", group=group.id, error=error.code)  # the topic is gone and with it whoever should read this
        except GroupUnreachable as error:
            if not group.id:
                return Plan()
            raise await self.in_trouble(group, error.reason) from error
        except RetryLater as error:
            raise Postpone(error.reason, after=error.after or LATER, free=True) from error
        return Plan()

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        """It was said; there is nothing to write down, but for the answer to a code."""
        if plan.data and plan.data[0]:
            await service.note_answered(uow, plan.data[0], now=plan.data[1])
