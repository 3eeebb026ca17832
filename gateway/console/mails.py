"""A mail as it came: its page in a frame that can do nothing, and its bytes to keep."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from channels.email.viewing import page_of, page_policy
from desk_core.conversations import arrivals
from desk_core.conversations.entities import Message
from desk_core.conversations.files import safe_name
from desk_core.kit.errors import NotFound
from gateway.auth.dependencies import CurrentAgent
from gateway.web.desk import WebDesk, desk_of
from gateway.web.paths import Ident

router = APIRouter(include_in_schema=False)


@router.get("/console/messages/{message_id}/mail")
async def mail_page(request: Request, signed: CurrentAgent, message_id: Ident, *, pictures: bool = False) -> Response:
    """The mail as its sender made it; `pictures` also fetches those that lie elsewhere, which tells the sender that it was read."""
    _, raw = await _raw(desk_of(request), message_id)
    language = str(getattr(request.state, "language", "en"))
    headers = {
        "content-security-policy": page_policy(remote=pictures),
        "referrer-policy": "no-referrer",
        "cache-control": "private, no-store",
    }
    return HTMLResponse(page_of(raw, language=language, remote=pictures), headers=headers)


@router.get("/console/messages/{message_id}/source")
async def mail_source(request: Request, signed: CurrentAgent, message_id: Ident) -> Response:
    """The bytes of the mail, for download."""
    message, raw = await _raw(desk_of(request), message_id)
    name = quote(safe_name(f"{(message.subject or 'message')[:80]}.eml"), safe="")
    headers = {"content-disposition": f"attachment; filename*=utf-8''{name}", "content-security-policy": "default-src 'none'; sandbox"}
    return Response(raw, media_type="message/rfc822", headers=headers)


async def _raw(desk: WebDesk, message_id: str) -> tuple[Message, bytes]:
    async with desk.database.read() as session:
        message = await session.get(Message, message_id)
        kept = await arrivals.raw_of(session, message) if message is not None else None
    if message is None or kept is None:
        raise NotFound(message=message_id)
    raw = await desk.blobs.read(kept.raw_blob) if kept.raw_blob else kept.raw
    if raw is None:
        raise NotFound(message=message_id)
    return message, raw
