"""SQL about people."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.prepared import Prepared, PreparedEntities
from desk_core.people.entities import Agent, Contact, ContactIdentity, Team, TeamMember
from desk_core.tickets.entities import Ticket

_BY_IDENTITY: PreparedEntities[Contact] = PreparedEntities(
    select(Contact)
    .join(ContactIdentity)
    .where(ContactIdentity.channel == bindparam("channel"), ContactIdentity.address == bindparam("address")),
    Contact,
)
_BY_ID: PreparedEntities[Contact] = PreparedEntities(select(Contact).where(Contact.id == bindparam("id")), Contact)
_IDENTITY_OF = Prepared(
    select(ContactIdentity.address, Contact.name, Contact.time_zone)
    .join(Contact, Contact.id == ContactIdentity.contact_id)
    .where(ContactIdentity.contact_id == bindparam("contact"), ContactIdentity.channel == bindparam("channel"))
    .order_by(ContactIdentity.id)
    .limit(1)
)
_LOAD = (
    select(Ticket.assignee_id, func.count().label("load"))
    .where(Ticket.assignee_id.is_not(None), Ticket.status.in_(("new", "open", "waiting", "on_hold")))
    .group_by(Ticket.assignee_id)
    .subquery()
)
_MEMBERS = Prepared(
    select(
        Agent.id, Agent.availability, Agent.seen_at, Agent.load_cap, func.coalesce(_LOAD.c.load, 0), Agent.skills, Agent.last_assigned_at
    )
    .join(TeamMember, TeamMember.agent_id == Agent.id)
    .outerjoin(_LOAD, _LOAD.c.assignee_id == Agent.id)
    .where(TeamMember.team_id == bindparam("team"), Agent.disabled_at.is_(None))
    .order_by(Agent.id)
)


async def contact_by_identity(session: ReadSession | UnitOfWork, *, channel: str, address: str) -> Contact | None:
    """The contact behind an address, without identities loaded."""
    within = session.session if isinstance(session, UnitOfWork) else session
    return await _BY_IDENTITY.first(within, {"channel": channel, "address": address})


async def contact_by_id(session: ReadSession, contact_id: str) -> Contact | None:
    """The contact, without identities loaded."""
    return await _BY_ID.first(session, {"id": contact_id})


async def reached(session: ReadSession, contact_id: str, *, channel: str) -> tuple[str, str, str | None] | None:
    """(address, name, time zone) of a contact on a channel."""
    rows = await _IDENTITY_OF.rows(session, {"contact": contact_id, "channel": channel})
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


async def identities(session: ReadSession | UnitOfWork, contact_ids: Collection[str]) -> list[ContactIdentity]:
    within = session.session if isinstance(session, UnitOfWork) else session
    query = select(ContactIdentity).where(ContactIdentity.contact_id.in_(contact_ids)).order_by(ContactIdentity.id)
    return list((await within.scalars(query)).all())


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
    rows = await _MEMBERS.rows(uow.session, {"team": team_id})
    return [Member(agent, state, seen_at, cap, load, tuple(skills), last) for agent, state, seen_at, cap, load, skills, last in rows]


async def note_assigned(uow: UnitOfWork, agent_id: str, *, now: datetime) -> None:
    await uow.execute(update(Agent).where(Agent.id == agent_id).values(last_assigned_at=now))


async def seen(uow: UnitOfWork, agent_id: str, *, now: datetime) -> None:
    """Note that an agent's console is open."""
    await uow.execute(update(Agent).where(Agent.id == agent_id).values(seen_at=now))
