"""Settings: one's own language, zone, theme and password; and the desk's inboxes and teams to look at."""

from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Form, Request
from sqlalchemy import select, update
from starlette.responses import RedirectResponse, Response

from desk_core.conversations import repository as conversations
from desk_core.groups import repository as groups
from desk_core.kit.db import ReadSession
from desk_core.kit.i18n import LANGUAGES
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people import repository as people
from desk_core.people.entities import Agent, TeamMember
from gateway.auth import passwords, sessions
from gateway.auth.dependencies import CurrentAgent
from gateway.auth.sessions import Signed
from gateway.console.frame import Frame
from gateway.console.inbox_pages import page_of
from gateway.web.language import A_YEAR, COOKIE
from gateway.web.templating import THEMES

router = APIRouter(prefix="/console/settings", include_in_schema=False)

ZONES = (
    "Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Krasnoyarsk", "Asia/Irkutsk",
    "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka", "Europe/Minsk", "Asia/Almaty", "Asia/Tashkent", "Asia/Yerevan",
    "Asia/Tbilisi", "Europe/London", "Europe/Berlin", "UTC",
)  # fmt: skip
AVAILABILITY = {"online": _("Online"), "busy": _("Busy"), "away": _("Away")}
SPEECH = {"ru": "Русский", "en": "English"}
ROLES = {"agent": _("Operator"), "supervisor": _("Supervisor"), "administrator": _("Administrator")}


@router.get("")
async def settings(request: Request, signed: CurrentAgent, saved: str = "") -> Response:
    return await _page(request, signed, saved=saved)


async def _page(request: Request, signed: Signed, *, saved: str = "", errors: dict[str, str] | None = None, status: int = 200) -> Response:
    frame = await Frame.of(request, signed)
    async with frame.desk.database.read() as session:
        inboxes = await conversations.inboxes(session)
        agents = await people.agents(session)
        members = await _members(session)
        group_trouble = next((group.trouble for group in await groups.groups(session) if group.trouble), "")
    context = {
        "inboxes": inboxes, "page_of": page_of, "group_trouble": group_trouble,
        "agents": {agent.id: agent for agent in agents}, "members": members, "zones": _zones(signed.agent),
        "themes": THEMES, "availability": AVAILABILITY, "speech": SPEECH, "roles": ROLES, "saved": saved, "errors": errors or {},
        "least": passwords.LEAST_LENGTH,
    }  # fmt: skip
    return frame.render("settings.html", context, status=status)


async def _members(session: ReadSession) -> dict[str, list[str]]:
    rows = await session.execute(select(TeamMember.team_id, TeamMember.agent_id).order_by(TeamMember.team_id).limit(5000))
    found: dict[str, list[str]] = {}
    for team_id, agent_id in rows:
        found.setdefault(team_id, []).append(agent_id)
    return found


def _zones(agent: Agent) -> list[str]:
    return list(dict.fromkeys((agent.time_zone, *ZONES)))


@router.post("/profile")
async def save_profile(
    request: Request,
    signed: CurrentAgent,
    language: Annotated[str, Form(max_length=10)] = "en",
    time_zone: Annotated[str, Form(max_length=64)] = "",
    theme: Annotated[str, Form(max_length=10)] = "auto",
    availability: Annotated[str, Form(max_length=10)] = "online",
) -> Response:
    """Language and zone belong to the person, the theme to this browser."""
    frame = await Frame.of(request, signed)
    values: dict[str, str] = {}
    if language in LANGUAGES:
        values["language"] = language
    if time_zone in available_timezones() and ZoneInfo(time_zone):
        values["time_zone"] = time_zone
    if availability in AVAILABILITY:
        values["availability"] = availability
    if values:
        async with frame.desk.database.unit() as uow:
            await uow.execute(update(Agent).where(Agent.id == signed.agent.id).values(**values))
    response = RedirectResponse("/console/settings?saved=profile", 303)
    if language in LANGUAGES:
        response.set_cookie(COOKIE, language, max_age=A_YEAR, path="/", samesite="lax")
    if theme in THEMES:
        response.set_cookie("theme", theme, max_age=A_YEAR, path="/", samesite="lax")
    return response


@router.post("/password")
async def change_password(
    request: Request,
    signed: CurrentAgent,
    present: Annotated[str, Form(max_length=1000)] = "",
    fresh: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """A new password ends every other session of this person."""
    frame = await Frame.of(request, signed)
    if not await passwords.verify(signed.agent.password_hash, present):
        return await _page(request, signed, errors={"present": _("This is not your present password.")}, status=422)
    if len(fresh) < passwords.LEAST_LENGTH:
        return await _page(request, signed, errors={"fresh": _("Please take at least 8 characters.")}, status=422)
    hashed = passwords.hash_password(fresh)
    now = frame.desk.clock.now()
    async with frame.desk.database.unit() as uow:
        await uow.execute(update(Agent).where(Agent.id == signed.agent.id).values(password_hash=hashed))
        await sessions.revoke_all(uow, signed.agent.id, now=now, but=signed.token_hash)
    return RedirectResponse("/console/settings?saved=password", 303)
