"""Where a person adds files that are too large for their chat: the page that the bot's link leads to. No account, no request needed."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from channels.webform import lookup, submission
from channels.webform.desk import FormDesk, desk_of, language_of, pages_of
from channels.webform.forms import FILES
from channels.webform.protection import Signer, within_limits
from channels.webform.submission import MEGABYTE
from channels.webform.upload_links import UploadLinks, UploadUnknown
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Conversation
from desk_core.conversations.files import store_file
from desk_core.conversations.ports import InboundFile, InboundKind, InboundMessage, Sender
from desk_core.kit.blobs import human_size
from desk_core.kit.errors import Invalid, StoreUnavailable, TooLarge
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.kit.ids import new_id

router = APIRouter(include_in_schema=False)
Token = Annotated[str, Path(max_length=300)]


@router.get("/u/{token}")
async def ask(request: Request, token: Token, sent: str = "") -> Response:
    """The page; opening it changes nothing."""
    desk = desk_of(request)
    _conversation, limit = await _room(desk, token)
    return _page(request, limit=limit, sent=bool(sent))


@router.post("/u/{token}")
async def take(request: Request, token: Token) -> Response:
    """The files go into the conversation as if they had come by its own channel. Pressed twice they are one message."""
    desk, language = desk_of(request), language_of(request)
    conversation, limit = await _room(desk, token)
    if not await within_limits(request, desk, name="upload"):
        words = translate(language, _("Many messages came from your address lately. Your text is here; try again later."))
        return _page(request, limit=limit, problem=words, status=429)
    submission.check_whole(request, limit + MEGABYTE)
    try:
        files = await _stored(request, desk, limit)
    except TooLarge:
        words = translate(language, _("The file is larger than %(limit)s."), limit=human_size(limit))
        return _page(request, limit=limit, problem=words, status=413)
    except OSError as error:
        raise StoreUnavailable(reason=type(error).__name__) from error
    if not files:
        return _page(request, limit=limit, problem=translate(language, _("Choose at least one file.")), status=422)
    async with desk.database.read() as session:
        way = await lookup.way_of(session, conversation, conversation.contact_id)
    once = Signer(desk.key).secret(token, *(file.sha256 or "" for file in files))
    message = InboundMessage(
        kind=InboundKind.MESSAGE,
        external_id=f"upload:{once}",
        shown_id=new_id(),
        lane=way.lane,
        thread_key=way.thread_key,
        sender=Sender(address=way.address, name=way.name, language=language),
        at=desk.clock.now(),
        files=files,
    )
    await desk.accept(way.inbox_id, message)
    return RedirectResponse("?sent=1", 303)


async def _stored(request: Request, desk: FormDesk, limit: int) -> tuple[InboundFile, ...]:
    try:
        form = await request.form(max_files=FILES, max_fields=10)
    except HTTPException as error:
        raise Invalid(reason=str(error.detail)[:200]) from error
    kept: list[InboundFile] = []
    try:
        for upload in form.getlist("files"):
            if isinstance(upload, UploadFile) and (upload.filename or upload.size):
                file = await store_file(
                    desk.blobs, name=upload.filename, content=submission.stream(upload), limit=limit, declared=upload.content_type
                )
                kept.append(InboundFile(name=file.name, declared_type=file.declared_type, size=file.size, sha256=file.sha256))
                limit -= file.size
    finally:
        await form.close()
    return tuple(kept)


async def _room(desk: FormDesk, token: str) -> tuple[Conversation, int]:
    """The conversation, and how many bytes its person may still add today."""
    now, limits = desk.clock.now(), desk.settings.limits
    conversation_id = UploadLinks(desk.key).read(token, now=now)
    async with desk.database.read() as session:
        conversation = await session.get(Conversation, conversation_id)
        if conversation is None:
            raise UploadUnknown
        used = await conversations.bytes_since(session, conversation.contact_id, now - timedelta(days=1))
    room = limits.upload_mb * MEGABYTE
    if limits.telegram_mb_per_day:
        room = min(room, max(0, limits.telegram_mb_per_day * MEGABYTE - used))
    return conversation, room


def _page(request: Request, *, limit: int, sent: bool = False, problem: str = "", status: int = 200) -> Response:
    context = {"limit": limit, "sent": sent, "problem": problem}
    response = pages_of(request).render(request, "webform/upload.html", context, status=status)
    response.headers["referrer-policy"] = "no-referrer"
    response.headers["x-robots-tag"] = "noindex"
    return response
