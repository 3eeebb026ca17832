"""Attachments: offered for download under their own name; only pictures that cannot carry script are shown in the page."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from starlette.responses import FileResponse, Response

from desk_core.conversations.entities import Attachment
from desk_core.conversations.files import INLINE_TYPES, PLAYED_TYPES, safe_name
from desk_core.kit.errors import NotFound
from gateway.auth.dependencies import CurrentAgent
from gateway.file_links import FileLinks, LinkUnknown
from gateway.web.desk import WebDesk, desk_of
from gateway.web.paths import Ident

router = APIRouter(include_in_schema=False)


@router.get("/console/files/{attachment_id}")
async def attachment(request: Request, signed: CurrentAgent, attachment_id: Ident) -> Response:
    desk = desk_of(request)
    async with desk.database.read() as session:
        found = await session.get(Attachment, attachment_id)
    if found is None:
        raise NotFound(file=attachment_id)
    return await file_response(desk, found)


@router.get("/files/{token}")
async def linked(request: Request, token: Annotated[str, Path(max_length=300)]) -> Response:
    """A file that was too large for a letter, for whoever holds its address."""
    desk = desk_of(request)
    attachment_id = FileLinks(desk.key).read(token, now=desk.clock.now())
    async with desk.database.read() as session:
        found = await session.get(Attachment, attachment_id)
    if found is None:
        raise LinkUnknown
    response = await file_response(desk, found)
    response.headers["x-robots-tag"] = "noindex"
    response.headers["cache-control"] = "private, no-store"  # an expired link must not go on from a cache
    response.headers["referrer-policy"] = "no-referrer"
    return response


async def file_response(desk: WebDesk, file: Attachment) -> Response:
    """The bytes with headers under which they cannot come alive: our type, never the claimed one, and a sandbox around it.

    Streamed from the disk, and in the ranges that a player asks for.
    """
    shown = file.content_type in INLINE_TYPES | PLAYED_TYPES
    name = quote(safe_name(file.name), safe="")
    await desk.blobs.size(file.sha256)  # not there: an answer in words instead of a broken stream
    return FileResponse(
        desk.blobs.path(file.sha256),
        media_type=file.content_type if shown else "application/octet-stream",
        headers={
            "content-disposition": f"{'inline' if shown else 'attachment'}; filename*=utf-8''{name}",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, max-age=86400, immutable",
        },
    )
