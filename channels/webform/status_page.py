"""The requester's own page of a request, on whatever channel it began: state, story, reply, solved or not, rating. No account.

Opening a link changes nothing: what a letter's link proposes is preselected here and done only when a person presses the button.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from starlette.responses import RedirectResponse, Response

from channels.webform import lookup, submission
from channels.webform.desk import FormDesk, desk_of, language_of, pages_of
from channels.webform.forms import TEXT_LENGTH
from channels.webform.protection import Signer, within_limits
from channels.webform.submission import Posted
from desk_core.catalogue.desk import DeskConfig
from desk_core.context import Actor
from desk_core.conversations import service as conversations
from desk_core.conversations.deep_links import deep_link
from desk_core.conversations.entities import Message
from desk_core.conversations.files import INLINE_TYPES, safe_name
from desk_core.conversations.ports import ChannelKind, InboundKind, InboundMessage, Sender
from desk_core.kit.db import ReadSession
from desk_core.kit.errors import NotFound, StoreUnavailable
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.kit.ids import new_id
from desk_core.people.entities import Contact
from desk_core.sla.clock import Metric
from desk_core.sla.words import humanise
from desk_core.tickets import history, invitations
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket, TicketEvent
from desk_core.tickets.invitations import Purpose
from desk_core.tickets.lifecycle import Event, Status

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)

PATIENCE = 3.0
STORY = 500

WORDS = {
    Status.NEW: _("Your request is in the queue."),
    Status.OPEN: _("We are working on it."),
    Status.WAITING: _("We are waiting for your answer."),
    Status.ON_HOLD: _("We are waiting for somebody else's part and will come back to you."),
    Status.RESOLVED: _("We believe it is solved. Please say whether it is."),
    Status.CLOSED: _("This request is closed."),
    Status.CANCELLED: _("This request was cancelled."),
    Status.MERGED: _("This request goes on together with another one of the same matter."),
}
PURPOSES = {one.value: one for one in Purpose}
HAPPENED = {
    Event.RESOLVED.value: _("Solved, as we believe"),
    Event.CONFIRMED.value: _("You confirmed that it is solved"),
    Event.DENIED.value: _("You said that it is not solved"),
    Event.REOPENED.value: _("Opened again"),
    Event.CLOSED_BY_REQUESTER.value: _("You closed the request"),
    Event.CLOSED_BY_AGENT.value: _("Closed"),
    Event.CLOSED_BY_TIMER.value: _("Closed after the waiting time"),
    Event.CANCELLED.value: _("Cancelled"),
    Event.MERGED.value: _("Joined with another request"),
}
"""What a requester is told of the history; everything else is the desk's own business."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a request stands, in one sentence, and what its requester may do."""

    sentence: str
    promise: str
    late: bool
    may_confirm: bool
    may_close: bool
    may_reopen: bool
    may_rate: bool
    over: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story: a message, or something that happened."""

    at: datetime
    message: Message | None = None
    happened: str = ""


def state_of(ticket: Ticket, config: DeskConfig, *, now: datetime, zone: str | ZoneInfo, language: str) -> State:
    """The state in words; a promise is told only while a clock holds it."""
    status = Status(ticket.status)
    owed = ticket.next_due_at if ticket.next_due_metric != Metric.RESOLUTION else None
    promise, late = "", False
    if owed is not None and status in (Status.NEW, Status.OPEN, Status.ON_HOLD):
        late = owed <= now
        sentence = _("The answer is later than we promised. Your request is not forgotten.") if late else _("We answer %(when)s.")
        promise = translate(language, sentence, when=humanise(owed, now, zone, language))
    return State(
        sentence=translate(language, WORDS[status]),
        promise=promise,
        late=late,
        may_confirm=status is Status.RESOLVED,
        may_close=status in (Status.NEW, Status.OPEN, Status.WAITING, Status.ON_HOLD),
        may_reopen=_reopens(ticket, config, now),
        may_rate=status in (Status.RESOLVED, Status.CLOSED),
        over=status in (Status.CLOSED, Status.CANCELLED, Status.MERGED),
    )


def _reopens(ticket: Ticket, config: DeskConfig, now: datetime) -> bool:
    return ticket.status == Status.CLOSED and ticket.closed_at is not None and config.ladder.may_reopen(ticket.closed_at, now)


async def _story(session: ReadSession, ticket: Ticket, language: str) -> list[Entry]:
    """What both sides said, and the few things that happened which the requester knows of anyway. Never a note."""
    query = (
        select(Message)
        .where(Message.ticket_id == ticket.id, Message.direction.in_(lookup.SHOWN), Message.deleted_at.is_(None))
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(STORY)
        .options(selectinload(Message.attachments))
    )
    said = [Entry(message.at, message) for message in await session.scalars(query) if not conversations.waits(message)]
    events = await session.scalars(
        select(TicketEvent)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind.in_(HAPPENED))
        .order_by(TicketEvent.at.desc(), TicketEvent.id.desc())
        .limit(STORY)
    )
    happened = [Entry(event.at, happened=translate(language, HAPPENED[event.kind])) for event in events]
    return sorted([*said, *happened], key=lambda entry: (entry.at, entry.message is None))


@router.get("/s/{token}")
async def status(request: Request, token: str, do: str = "", score: str = "", sent: str = "") -> Response:
    """The page. `do` and `score` (from a letter's links) preselect; nothing changes here."""
    return await _page(request, desk_of(request), token, do=do, score=score, sent=sent)


@router.post("/s/{token}/reply")
async def reply(request: Request, token: str) -> Response:
    """Words and files from the requester: they go the way of every message of that channel."""
    desk, language = desk_of(request), language_of(request)
    signer = Signer(desk.key)
    posted = await submission.read(request, desk, signer=signer, language=language)
    try:
        return await _reply(request, desk, token, posted, signer)
    except StoreUnavailable as error:
        log.warning("status_page.not_stored", error=str(error))
        sentence = translate(language, _("This did not go through. Your text is safe; please try again."))
        context = {"target": f"/s/{quote(token)}/reply", "posted": posted, "banner": sentence}
        return pages_of(request).render(request, "webform/kept.html", context, status=503)


async def _reply(request: Request, desk: FormDesk, token: str, posted: Posted, signer: Signer) -> Response:
    language = language_of(request)
    ticket = await _ticket(desk, token)
    if posted.unstored:
        raise StoreUnavailable(reason=posted.unstored)
    text = posted.filled.text
    problem = ""
    if posted.problems:
        problem = " ".join(one.sentence for one in posted.problems)
    elif not text and not posted.files:
        problem = translate(language, _("Write something first, or attach a file."))
    elif len(text) > TEXT_LENGTH:
        sentence = _("The text is too long: %(limit)s letters at most. Attach the rest as a file.")
        problem = translate(language, sentence, limit=TEXT_LENGTH)
    if problem:
        return await _page(request, desk, token, posted=posted, problem=problem, status=422)
    if not await within_limits(request, desk, name="status"):
        problem = translate(language, _("Many messages came from your address lately. Your text is here; try again later."))
        return await _page(request, desk, token, posted=posted, problem=problem, status=429)
    async with desk.database.read() as session:
        way = await lookup.way_into(session, ticket)
    if way is None:
        raise NotFound(conversation=ticket.number)
    # The same words of the same page are one message, however often the button is pressed.
    once = signer.secret(token, posted.values.get("once", ""), text, *(kept.file.sha256 for kept in posted.files))
    message = InboundMessage(
        kind=InboundKind.MESSAGE,
        external_id=f"page:{once}",
        shown_id=new_id(),
        lane=way.lane,
        thread_key=way.thread_key,
        sender=Sender(address=way.address, name=way.name, language=language),
        at=desk.clock.now(),
        text=text,
        files=posted.inbound_files(),
        card={"ticket": ticket.id},
    )
    await desk.accept(way.inbox_id, message)
    found = await lookup.processed_message(desk.database, way.inbox_id, message.external_id, seconds=PATIENCE)
    # What a merged request goes on as may be somebody else's, whose page is a secret.
    shown = found.token if found and found.contact_id == ticket.contact_id else token
    return RedirectResponse(f"/s/{quote(shown)}?sent={'1' if found else 'soon'}#story", 303)


@router.post("/s/{token}/telegram")
async def to_telegram(request: Request, token: str) -> Response:
    """A link that opens the request in a chat, for what was pressed: shown once, good once."""
    desk, language = desk_of(request), language_of(request)
    posted = await submission.read(request, desk, signer=Signer(desk.key), language=language)
    purpose = PURPOSES.get(posted.values.get("purpose", ""), Purpose.CONTINUE)
    ticket = await _ticket(desk, token)
    if not await within_limits(request, desk, name="telegram"):
        problem = translate(language, _("Many links were asked for from your address lately. Try again later."))
        return await _page(request, desk, token, problem=problem, status=429)
    async with desk.database.read() as session:
        bot = await lookup.telegram_bot(session)
    state = state_of(ticket, await desk.config(), now=desk.clock.now(), zone="UTC", language=language)
    if not bot or (not state.may_rate if purpose is Purpose.RATE else state.over):
        raise NotFound(bot="telegram")
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        by = Actor.requester(await uow.session.get_one(Contact, ticket.contact_id))
        secret = await invitations.invite(uow, ctx, ticket, purpose=purpose, by=by)
    context = {
        "ticket": ticket,
        "purpose": purpose.value,
        "back": f"/s/{quote(token)}",
        "bot": bot,
        "secret": secret,
        "link": deep_link(bot, secret),
    }
    response: Response = pages_of(request).render(request, "webform/telegram.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/s/{token}/solved")
async def solved(request: Request, token: str) -> Response:
    """Solved or not, said by the requester with a press of a button. Said twice it is said once."""
    desk = desk_of(request)
    posted = await submission.read(request, desk, signer=Signer(desk.key), language=language_of(request))
    answer = posted.values.get("solved")
    if answer not in ("yes", "no"):
        return RedirectResponse(f"/s/{quote(token)}", 303)
    ticket = await _ticket(desk, token)
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        now = await history.get(uow, ticket.id)
        by = Actor.requester(await uow.session.get_one(Contact, now.contact_id))
        state = state_of(now, ctx.config, now=ctx.now, zone=ctx.config.time_zone, language="en")
        if answer == "yes" and state.may_confirm:
            await tickets.confirm(uow, ctx, now.id, by=by, solved=True)
        elif answer == "yes" and state.may_close:
            await tickets.close(uow, ctx, now.id, by=by)
        elif answer == "no" and (state.may_confirm or state.may_reopen):
            await tickets.confirm(uow, ctx, now.id, by=by, solved=False)
    return RedirectResponse(f"/s/{quote(token)}{'#rate' if answer == 'yes' else '#reply'}", 303)


@router.post("/s/{token}/rate")
async def rate(request: Request, token: str) -> Response:
    """1 to 5 and words; may be changed."""
    desk, language = desk_of(request), language_of(request)
    posted = await submission.read(request, desk, signer=Signer(desk.key), language=language)
    score = posted.values.get("score", "")
    if score not in ("1", "2", "3", "4", "5"):
        return await _page(
            request, desk, token, posted=posted, rating_problem=translate(language, _("Choose from one to five stars.")), status=422
        )
    ticket = await _ticket(desk, token)
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        now = await history.get(uow, ticket.id)
        if now.status not in (Status.RESOLVED, Status.CLOSED):
            return RedirectResponse(f"/s/{quote(token)}", 303)
        by = Actor.requester(await uow.session.get_one(Contact, now.contact_id))
        await tickets.rate(uow, ctx, now.id, score=int(score), comment=posted.values.get("comment", ""), by=by)
    return RedirectResponse(f"/s/{quote(token)}?sent=rated#rate", 303)


@router.get("/s/{token}/files/{attachment_id}")
async def attachment(request: Request, token: str, attachment_id: str) -> Response:
    """A file of this request: shown only where it is a harmless picture, otherwise offered for download."""
    desk = desk_of(request)
    ticket = await _ticket(desk, token)
    async with desk.database.read() as session:
        found = await lookup.attachment_of(session, ticket, attachment_id) if _is_id(attachment_id) else None
    if found is None:
        raise NotFound(file=attachment_id[:60])
    shown = found.content_type in INLINE_TYPES
    name = quote(safe_name(found.name), safe="")
    return Response(
        await desk.blobs.read(found.sha256),
        media_type=found.content_type if shown else "application/octet-stream",
        headers={
            "content-disposition": f"{'inline' if shown else 'attachment'}; filename*=utf-8''{name}",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, no-store",
        },
    )


def _is_id(text: str) -> bool:
    return len(text) == 36 and all(letter in "0123456789abcdef-" for letter in text)


async def _ticket(desk: FormDesk, token: str) -> Ticket:
    async with desk.database.read() as session:
        found = await lookup.ticket_by_token(session, token)
    if found is None:
        raise NotFound(request="?")
    return found


async def _page(
    request: Request,
    desk: FormDesk,
    token: str,
    *,
    do: str = "",
    score: str = "",
    sent: str = "",
    posted: Posted | None = None,
    problem: str = "",
    rating_problem: str = "",
    status: int = 200,
) -> Response:
    language, now = language_of(request), desk.clock.now()
    config = await desk.config()
    async with desk.database.read() as session:
        ticket = await lookup.ticket_by_token(session, token)
        if ticket is None:
            if await lookup.raw_by_external_id(session, lookup.form_id(token)) is None:
                raise NotFound(request="?")
            return pages_of(request).render(request, "webform/pending.html", {"link": f"{desk.public_url}/s/{token}"})
        contact = await session.get_one(Contact, ticket.contact_id)
        story = await _story(session, ticket, language)
        bot = await lookup.telegram_bot(session)
    zone = contact.time_zone or config.time_zone
    request.state.time_zone = zone
    limit = desk.settings.limits.attachment_mb * submission.MEGABYTE
    context = {
        "ticket": ticket,
        "token": token,
        "state": state_of(ticket, config, now=now, zone=zone, language=language),
        "story": story,
        "do": do if do in ("rate", "solved", "not_solved") else "",
        "score": int(score) if score in ("1", "2", "3", "4", "5") else ticket.rating_score or 0,
        "sent": sent,
        "once": posted.values.get("once", "") if posted else new_id(),
        "text": posted.filled.text if posted else "",
        "comment": (posted.values.get("comment", "") if posted and rating_problem else "") or ticket.rating_comment or "",
        "files_kept": posted.files if posted else (),
        "problem": problem,
        "rating_problem": rating_problem,
        "limit": limit,
        "bot": bot,
        "elsewhere": ticket.channel != ChannelKind.TELEGRAM,
        "team": config.team_title(ticket.team_id, language) if ticket.team_id else "",
    }
    return pages_of(request).render(request, "webform/status.html", context, status=status)
