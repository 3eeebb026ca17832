"""The page at `/`: what this desk is and how to reach it; in a demo, three ways to try it."""

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from gateway.web.desk import desk_of
from gateway.web.templating import pages_of

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(request: Request) -> Response:
    """Every active way to write to this desk."""
    desk = desk_of(request)
    async with desk.database.read() as session:
        rows = await session.execute(select(Inbox.name, Inbox.channel, Inbox.address, Inbox.config).where(Inbox.state == "active"))
        found = sorted(rows.all(), key=lambda row: row.name)
    demo = getattr(request.app.state, "sandboxes", None) is not None
    return pages_of(request).render(request, "start/start.html", {"demo": demo, "ways": _ways(found)})


def _ways(found: list[Any]) -> dict[str, list[Any]]:
    """Active inboxes by channel; a sandbox's inbox is no address for the world."""
    ways: dict[str, list[Any]] = {kind.value: [] for kind in ChannelKind}
    for row in found:
        if not row.config.get("sandbox"):
            ways.setdefault(row.channel, []).append(row)
    return ways
