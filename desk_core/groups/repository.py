"""Queries about operators' groups, their topics and their members."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from desk_core.conversations.entities import Message
from desk_core.groups.entities import AgentAccount, GroupMessage, GroupTopic, LinkCode, OperatorGroup
from desk_core.kit.db import ReadSession
from desk_core.people.entities import Agent
from desk_core.tickets.entities import TicketEvent

AT_ONCE = 30
"""Messages and events of a request that are read for one step."""


async def groups(session: ReadSession) -> list[OperatorGroup]:
    """Those linked now, oldest first."""
    query = select(OperatorGroup).where(OperatorGroup.ended_at.is_(None)).order_by(OperatorGroup.linked_at, OperatorGroup.id).limit(100)
    return list((await session.scalars(query)).all())


async def last_used(session: ReadSession, *, purpose: str, subject: str) -> LinkCode | None:
    """The code for this end that was used last."""
    query = select(LinkCode).where(LinkCode.purpose == purpose, LinkCode.subject == subject, LinkCode.used_at.is_not(None))
    found: LinkCode | None = await session.scalar(query.order_by(LinkCode.used_at.desc()).limit(1))
    return found


async def topic_of(session: ReadSession, ticket_id: str) -> GroupTopic | None:
    found: GroupTopic | None = await session.scalar(select(GroupTopic).where(GroupTopic.ticket_id == ticket_id))
    return found


async def topic_by_thread(session: ReadSession, group_id: str, thread: str) -> GroupTopic | None:
    query = select(GroupTopic).where(GroupTopic.group_id == group_id, GroupTopic.thread == thread).limit(1)
    found: GroupTopic | None = await session.scalar(query)
    return found


async def unshown(session: ReadSession, topic: GroupTopic) -> list[Message]:
    """Messages of the request that are not in its topic yet, oldest first, with their files."""
    shown = select(GroupMessage.message_id).where(GroupMessage.topic_id == topic.id, GroupMessage.message_id == Message.id).exists()
    query = (
        select(Message)
        .where(Message.ticket_id == topic.ticket_id, ~shown)
        .order_by(Message.at, Message.id)
        .limit(AT_ONCE)
        .options(selectinload(Message.attachments))
    )
    return list((await session.scalars(query)).all())


async def changed(session: ReadSession, topic: GroupTopic) -> list[tuple[Message, GroupMessage]]:
    """Messages that were changed after they were shown, with where they stand."""
    query = (
        select(Message, GroupMessage)
        .join(GroupMessage, (GroupMessage.message_id == Message.id) & (GroupMessage.topic_id == topic.id))
        .where(Message.ticket_id == topic.ticket_id, Message.edited_at > GroupMessage.at)
        .order_by(Message.edited_at, Message.id)
        .limit(AT_ONCE)
    )
    return [(row[0], row[1]) for row in (await session.execute(query)).all()]


async def shown_with(session: ReadSession, topic_id: str, place: str) -> list[Message]:
    """The messages that stand in the topic in this one place, oldest first."""
    query = (
        select(Message)
        .join(GroupMessage, GroupMessage.message_id == Message.id)
        .where(GroupMessage.topic_id == topic_id, GroupMessage.place == place)
        .order_by(Message.at, Message.id)
        .limit(AT_ONCE)
    )
    return list((await session.scalars(query)).all())


async def place_of(session: ReadSession, topic_id: str, message_id: str) -> str | None:
    query = select(GroupMessage.place).where(GroupMessage.topic_id == topic_id, GroupMessage.message_id == message_id)
    found: str | None = await session.scalar(query)
    return found


async def events_after(session: ReadSession, ticket_id: str, version: int) -> list[TicketEvent]:
    query = (
        select(TicketEvent)
        .where(TicketEvent.ticket_id == ticket_id, TicketEvent.version > version)
        .order_by(TicketEvent.version, TicketEvent.id)
        .limit(AT_ONCE)
    )
    return list((await session.scalars(query)).all())


async def agent_of(session: ReadSession, *, channel: str, address: str) -> Agent | None:
    """The operator whose account this is, unless they were disabled."""
    query = (
        select(Agent)
        .join(AgentAccount, AgentAccount.agent_id == Agent.id)
        .where(AgentAccount.channel == channel, AgentAccount.address == address, Agent.disabled_at.is_(None))
    )
    found: Agent | None = await session.scalar(query)
    return found


async def accounts(session: ReadSession, *, channel: str) -> Sequence[AgentAccount]:
    query = select(AgentAccount).where(AgentAccount.channel == channel).order_by(AgentAccount.linked_at, AgentAccount.address).limit(1000)
    return (await session.scalars(query)).all()
