"""Log-ins: a random secret in a cookie, its hash in the table, revocable at any time."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from starlette.requests import Request
from starlette.responses import Response

from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.people import repository as people
from desk_core.people.entities import Agent, AgentSession
from desk_core.people.permissions import Right, Role, allowed

LIFE = timedelta(days=14)
IDLE = timedelta(days=3)
SEEN_EVERY = timedelta(seconds=60)
COOKIE, SECURE_COOKIE = "priyom_session", "__Host-priyom_session"


@dataclass(frozen=True, slots=True)
class Signed:
    """Who is logged in, and since when they were last noted as present."""

    agent: Agent
    token_hash: str
    seen_at: datetime

    @property
    def role(self) -> Role:
        return Role(self.agent.role)

    def may(self, right: Right | str) -> bool:
        return allowed(self.role, Right(right))


def hash_of(secret: str) -> str:
    # A random secret of 256 bits needs no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


async def open_session(uow: UnitOfWork, agent: Agent, *, ip: str, user_agent: str, now: datetime) -> str:
    """A new session; the answer is the secret for the cookie, kept nowhere else."""
    secret = secrets.token_urlsafe(32)
    uow.add(
        AgentSession(
            token_hash=hash_of(secret), agent_id=agent.id, created_at=now, expires_at=now + LIFE, seen_at=now, ip=ip[:64],
            user_agent=user_agent[:200], revoked_at=None,
        )
    )  # fmt: skip
    await people.seen(uow, agent.id, now=now)
    return secret


async def find(session: ReadSession, secret: str, *, now: datetime) -> Signed | None:
    """Who this secret belongs to, in one statement; None when it is unknown, over, idle too long, revoked, or the agent disabled."""
    query = (
        select(AgentSession, Agent)
        .join(Agent, Agent.id == AgentSession.agent_id)
        .where(
            AgentSession.token_hash == hash_of(secret),
            AgentSession.revoked_at.is_(None),
            AgentSession.expires_at > now,
            AgentSession.seen_at > now - IDLE,
            Agent.disabled_at.is_(None),
        )
    )
    row = (await session.execute(query)).first()
    return Signed(agent=row[1], token_hash=row[0].token_hash, seen_at=row[0].seen_at) if row else None


async def note_seen(uow: UnitOfWork, signed: Signed, *, now: datetime) -> None:
    """The console is open: keeps the session alive and the operator present for assignment."""
    await uow.execute(update(AgentSession).where(AgentSession.token_hash == signed.token_hash).values(seen_at=now))
    await people.seen(uow, signed.agent.id, now=now)


async def revoke(uow: UnitOfWork, token_hash: str, *, now: datetime) -> None:
    await uow.execute(update(AgentSession).where(AgentSession.token_hash == token_hash).values(revoked_at=now))


async def revoke_all(uow: UnitOfWork, agent_id: str, *, now: datetime, but: str | None = None) -> None:
    """End every session of an agent, except the one at hand."""
    query = update(AgentSession).where(AgentSession.agent_id == agent_id, AgentSession.revoked_at.is_(None))
    if but is not None:
        query = query.where(AgentSession.token_hash != but)
    await uow.execute(query.values(revoked_at=now))


def is_secure(request: Request) -> bool:
    """Whether people reach the desk by https, so that the cookie must not travel otherwise."""
    url: str = request.app.state.desk.settings.http.public_url
    return url.startswith("https://")


def secret_of(request: Request) -> str | None:
    return request.cookies.get(SECURE_COOKIE if is_secure(request) else COOKIE)


def set_cookie(response: Response, request: Request, secret: str) -> None:
    secure = is_secure(request)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        secret,
        max_age=int(LIFE.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )


def drop_cookie(response: Response, request: Request) -> None:
    secure = is_secure(request)
    response.delete_cookie(SECURE_COOKIE if secure else COOKIE, path="/", httponly=True, samesite="lax", secure=secure)
