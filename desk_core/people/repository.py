"""SQL about people."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import selectinload

from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.people.entities import Agent, Contact, ContactIdentity, Team, TeamMember
from desk_core.tickets.entities import Ticket


async def contact_by_identity(session: ReadSession, *, channel: str, address: str) -> Contact | None:
    """The contact behind an address, without identities loaded."""
    query = select(Contact).join(ContactIdentity).where(ContactIdentity.channel == channel, ContactIdentity.address == address)
    found: Contact | None = await session.scalar(query)
    return found


async def contact_with_identities(session: ReadSession, contact_id: str) -> Contact | None:
    found: Contact | None = await session.scalar(select(Contact).where(Contact.id == contact_id).options(selectinload(Contact.identities)))
    return found


async def identities(session: ReadSession, contact_ids: Collection[str]) -> list[ContactIdentity]:
    query = select(ContactIdentity).where(ContactIdentity.contact_id.in_(contact_ids)).order_by(ContactIdentity.id)
    return list((await session.scalars(query)).all())


async def agent_by_email(session: ReadSession, email: str) -> Agent | None:
    found: Agent | None = await session.scalar(select(Agent).where(Agent.email == email.strip().lower()))
    return found


async def names(session: ReadSession, *, contact_ids: Collection[str], limit: int = 2_000) -> list[str]:
    """Names of these contacts and of everybody who works here: what must not stand in a text for everybody."""
    theirs = select(Contact.name).where(Contact.id.in_(list(contact_ids)[:500])).order_by(Contact.id)
    ours = select(Agent.name).order_by(Agent.id).limit(limit)
    return [*(await session.scalars(theirs)), *(await session.scalars(ours))]


async def agents(session: ReadSession, *, limit: int = 500) -> list[Agent]:
    """Everyone who answers, by name; disabled ones included."""
    return list((await session.scalars(select(Agent).order_by(Agent.name, Agent.id).limit(limit))).all())


async def teams(session: ReadSession) -> list[Team]:
    return list((await session.scalars(select(Team).order_by(Team.line, Team.key).limit(500))).all())


async def team_ids_of(session: ReadSession, agent_id: str) -> list[str]:
    return list((await session.scalars(select(TeamMember.team_id).where(TeamMember.agent_id == agent_id))).all())


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a team with what assignment asks about."""

    agent_id: str
    availability: str
    seen_at: datetime | None
    cap: int
    load: int
    skills: tuple[str, ...]
    last_assigned_at: datetime | None


async def members(uow: UnitOfWork, team_id: str) -> list[Member]:
    """Members of a team with their present load: tickets assigned and not resolved or over."""
    load = (
        select(Ticket.assignee_id, func.count().label("load"))
        .where(Ticket.assignee_id.is_not(None), Ticket.status.in_(("new", "open", "waiting", "on_hold")))
        .group_by(Ticket.assignee_id)
        .subquery()
    )
    query = (
        select(
            Agent.id, Agent.availability, Agent.seen_at, Agent.load_cap, func.coalesce(load.c.load, 0), Agent.skills, Agent.last_assigned_at
        )
        .join(TeamMember, TeamMember.agent_id == Agent.id)
        .outerjoin(load, load.c.assignee_id == Agent.id)
        .where(TeamMember.team_id == team_id, Agent.disabled_at.is_(None))
        .order_by(Agent.id)
    )
    rows = await uow.execute(query)
    return [Member(agent, state, seen_at, cap, load, tuple(skills), last) for agent, state, seen_at, cap, load, skills, last in rows]


async def note_assigned(uow: UnitOfWork, agent_id: str, *, now: datetime) -> None:
    await uow.execute(update(Agent).where(Agent.id == agent_id).values(last_assigned_at=now))


async def seen(uow: UnitOfWork, agent_id: str, *, now: datetime) -> None:
    """Note that an agent's console is open."""
    await uow.execute(update(Agent).where(Agent.id == agent_id).values(seen_at=now))
