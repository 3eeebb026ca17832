"""Calls from outside that bring messages: Telegram webhooks, on random paths that hold no token."""

import hmac

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from gateway.bootstrap import Desk

router = APIRouter(include_in_schema=False)


@router.post("/hooks/telegram/{path}")
async def telegram(path: str, request: Request) -> Response:
    """One update. 200 only after the commit; a wrong secret or path is refused and stored nowhere."""
    desk: Desk = request.app.state.desk
    async with desk.database.read() as session:
        rows = await session.execute(
            select(Inbox.id, Inbox.version, Inbox.secrets).where(Inbox.channel == ChannelKind.TELEGRAM.value, Inbox.state == "active")
        )
        found = next(
            (row for row in rows if hmac.compare_digest(desk.box.open(row.secrets).get("hook_path", "").encode(), path.encode())), None
        )
    channel = await desk.channel(found.id, version=found.version) if found else None
    if channel is None:
        return Response(status_code=404)
    from channels.telegram.channel import TelegramChannel

    if not isinstance(channel, TelegramChannel):
        return Response(status_code=404)
    # Behind a trusted proxy this is the address that the proxy saw.
    caller = request.client.host if request.client else None
    status = await channel.webhook(request.headers.get("x-telegram-bot-api-secret-token"), await request.body(), desk.accept, caller=caller)
    return Response(status_code=status)
