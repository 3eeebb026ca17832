"""Log-in and log-out."""

from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Form, Request
from sqlalchemy import update
from starlette.responses import RedirectResponse, Response

from desk_core.kit.errors import TooMany
from desk_core.people import repository as people
from desk_core.people.entities import Agent
from gateway.auth import passwords, sessions
from gateway.web.desk import desk_of
from gateway.web.language import language_of
from gateway.web.templating import pages_of

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)

TRIES, WINDOW = 5, 15 * 60


def inside(target: str | None) -> str:
    """The page to go to after log-in: an address of our own, never somebody else's."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and not urlsplit(target).netloc:
        return target
    return "/console"


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


@router.get("/login")
async def log_in_page(request: Request, next: str = "") -> Response:  # noqa: A002 - the customary name of the parameter
    secret = sessions.secret_of(request)
    if secret:
        desk = desk_of(request)
        async with desk.database.read() as session:
            if await sessions.find(session, secret, now=desk.clock.now()):
                return RedirectResponse(inside(next), 303)
    return _page(request, next_page=next)


@router.post("/login")
async def log_in(
    request: Request,
    email: Annotated[str, Form(max_length=254)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the customary name of the parameter
) -> Response:
    desk = desk_of(request)
    email = email.strip().lower()
    # Per address and e-mail: nobody can lock a colleague out from elsewhere, and one list of passwords gets five tries.
    tries = f"{address_of(request)}|{email}"
    if not await desk.limits.left("login", tries, limit=TRIES, seconds=WINDOW):
        log.warning("auth.too_many_tries", ip=address_of(request))
        return _page(request, next_page=next, email=email, error="", limited=True, status=429)
    async with desk.database.read() as session:
        agent = await people.agent_by_email(session, email)
    fits = await passwords.verify(agent.password_hash if agent else None, password)
    if agent is None or not fits or agent.disabled_at is not None:
        await desk.limits.hit("login", tries, limit=TRIES, seconds=WINDOW)
        log.info("auth.refused", ip=address_of(request))
        return _page(request, next_page=next, email=email, error="wrong", status=401)
    stronger = passwords.hash_password(password) if passwords.outdated(agent.password_hash) else None
    now = desk.clock.now()
    async with desk.database.unit() as uow:
        if stronger:
            await uow.execute(update(Agent).where(Agent.id == agent.id).values(password_hash=stronger))
        secret = await sessions.open_session(uow, agent, ip=address_of(request), user_agent=request.headers.get("user-agent", ""), now=now)
    log.info("auth.logged_in", agent=agent.id)
    response = RedirectResponse(inside(next), 303)
    sessions.set_cookie(response, request, secret)
    return response


@router.post("/logout")
async def log_out(request: Request) -> Response:
    secret = sessions.secret_of(request)
    if secret:
        desk = desk_of(request)
        async with desk.database.unit() as uow:
            await sessions.revoke(uow, sessions.hash_of(secret), now=desk.clock.now())
    response = RedirectResponse("/login", 303)
    sessions.drop_cookie(response, request)
    return response


def _page(request: Request, *, next_page: str, email: str = "", error: str = "", limited: bool = False, status: int = 200) -> Response:
    context = {
        "next_page": inside(next_page) if next_page else "",
        "email": email,
        "wrong": error == "wrong",
        "limited": TooMany().said(language_of(request)) if limited else "",
    }
    return pages_of(request).render(request, "login.html", context, status=status)
