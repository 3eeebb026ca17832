"""What a page asks before it opens: `CurrentAgent` for a log-in, `Depends(require(Right.X))` for a right."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from desk_core.people import permissions
from desk_core.people.permissions import Right
from gateway.auth import sessions
from gateway.auth.sessions import Signed
from gateway.web.desk import desk_of
from gateway.web.errors import LogInNeeded
from gateway.web.language import use_setting


async def current_agent(request: Request) -> Signed:
    """Who is logged in; raises `LogInNeeded`. Sets the page's language and zone to theirs and notes their presence once a minute."""
    secret = sessions.secret_of(request)
    if not secret:
        raise LogInNeeded
    desk = desk_of(request)
    now = desk.clock.now()
    async with desk.database.read() as session:
        signed = await sessions.find(session, secret, now=now)
    if signed is None:
        raise LogInNeeded
    use_setting(request, signed.agent.language)
    request.state.time_zone = signed.agent.time_zone
    if now - signed.seen_at > sessions.SEEN_EVERY:
        async with desk.database.unit() as uow:
            await sessions.note_seen(uow, signed, now=now)
    return signed


CurrentAgent = Annotated[Signed, Depends(current_agent)]


def require(right: Right) -> Callable[[Signed], Awaitable[Signed]]:
    """A dependency that lets only holders of a right pass; others get the 403 page."""

    async def check(signed: CurrentAgent) -> Signed:
        permissions.require(signed.role, right)
        return signed

    return check
