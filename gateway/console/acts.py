"""What an operator does with a request. Every act is a plain form: it posts, and the request is shown again."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from channels.email.robots import UNREAD, behind
from channels.webform.lookup import telegram_bot
from desk_core.context import Actor, Context
from desk_core.conversations.deep_links import deep_link
from desk_core.conversations.files import NewFile, store_file
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.people import joining
from desk_core.people.permissions import Right, require
from desk_core.tickets import belonging, history, invitations, participants, sent, service, taking_back
from desk_core.tickets import repository as tickets
from desk_core.tickets.invitations import Purpose
from gateway.auth.dependencies import CurrentAgent
from gateway.auth.sessions import Signed
from gateway.console.frame import Frame, chosen
from gateway.console.ticket import show
from gateway.web.desk import desk_of
from gateway.web.paths import Number, canonical

router = APIRouter(prefix="/console/tickets/{number}", include_in_schema=False)

Act = Callable[[UnitOfWork, Context, str], Awaitable[Any]]
Text = Annotated[str, Form(max_length=100_000)]
Word = Annotated[str, Form(max_length=2000)]
MOST_FILES = 10
MOST_COPIES = 50


class TooManyFiles(DeskError):
    code, status, text = "too_many_files", 422, _("Please attach at most ten files at once.")


async def carry_out(request: Request, signed: Signed, number: int, act: Act, *, typed: dict[str, str] | None = None) -> Response:
    """One act in one transaction. What the desk refuses comes back as the page with its reason and everything that was typed."""
    require(signed.role, Right.WORK_TICKETS)
    frame = await Frame.of(request, signed)
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    async with frame.desk.database.read() as session:
        ticket = await tickets.ticket_by_number(session, number)
    if ticket is None:
        raise NotFound(ticket=number)
    try:
        async with frame.desk.database.unit() as uow:
            await act(uow, ctx, ticket.id)
    except DeskError as refused:
        if refused.status >= 500 and not typed:
            raise
        return await show(frame, number, status=refused.status, typed=typed, notice=refused.said(frame.language))
    return RedirectResponse(f"/console/tickets/{number}?{chosen(request).query}", 303)


def _version(value: str) -> int | None:
    return int(value) if value.isdecimal() and len(value) < 10 else None


def ident(value: str) -> str:
    try:
        return canonical(value)
    except ValueError as error:
        raise NotFound(message=value) from error


async def _store(request: Request, signed: Signed, files: Sequence[UploadFile]) -> list[NewFile]:
    """Files go into the blob store before the transaction; it only names them."""
    frame = await Frame.of(request, signed)
    limit = frame.desk.settings.limits.attachment_mb * 1024 * 1024
    real = [file for file in files if file.filename]
    if len(real) > MOST_FILES:
        raise TooManyFiles
    return [
        await store_file(frame.desk.blobs, name=file.filename, content=await file.read(), limit=limit, declared=file.content_type)
        for file in real
    ]


@router.post("/baton")
async def baton(request: Request, signed: CurrentAgent, number: Number, to: Word, version: Word = "") -> Response:
    """Who speaks: `agent` takes over, `bot` and `queue` give the word back."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        if to == "agent":
            await service.take_over(uow, ctx, ticket_id, by=signed.agent, seen=_version(version))
        elif to in ("bot", "queue"):
            await service.release(uow, ctx, ticket_id, by=signed.agent, to=to, seen=_version(version))
        else:
            raise Invalid(reason=to)

    return await carry_out(request, signed, number, act)


@router.post("/reply")
async def reply(
    request: Request,
    signed: CurrentAgent,
    number: Number,
    text: Text = "",
    version: Word = "",
    resolve: Word = "",
    cc: Annotated[list[Word], Form()] = [],  # noqa: B006 - FastAPI reads the default, nobody changes it
    cc_shown: Word = "",
    files: Annotated[list[UploadFile], File()] = [],  # noqa: B006 - FastAPI reads the default, nobody changes it
) -> Response:
    """Answer on the channel the person wrote on; with `resolve` also ask whether it is solved. `cc` counts where it could be seen."""
    copies = cc[:MOST_COPIES] if cc_shown else None
    typed = {"reply": text, **({"cc": " ".join(copies)} if copies is not None else {})}
    window = desk_of(request).settings.work.undo_window()

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await service.reply(
            uow, ctx, ticket_id, by=signed.agent, text=text, files=stored, seen=_version(version), resolve=bool(resolve), window=window,
            copies=copies,
        )  # fmt: skip

    try:
        stored = await _store(request, signed, files)
    except DeskError as refused:
        frame = await Frame.of(request, signed)
        return await show(frame, number, status=refused.status, typed=typed, notice=refused.said(frame.language))
    return await carry_out(request, signed, number, act, typed=typed)


@router.post("/joins")
async def undo_join(request: Request, signed: CurrentAgent, number: Number, join: Word) -> Response:
    """Take the requester and somebody they were joined with apart again."""
    require(signed.role, Right.MANAGE_PEOPLE)

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        ticket = await history.get(uow, ticket_id)
        await joining.undo_join(uow, ctx, ident(join), of=ticket.contact_id, by=Actor.of(signed.agent))

    return await carry_out(request, signed, number, act)


@router.post("/messages/edit")
async def edit_message(request: Request, signed: CurrentAgent, number: Number, message: Word, text: Text = "") -> Response:
    """Correct an own answer that is with the person already."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await sent.edit(uow, ctx, ticket_id, ident(message), by=signed.agent, text=text)

    return await carry_out(request, signed, number, act)


@router.post("/messages/delete")
async def delete_message(request: Request, signed: CurrentAgent, number: Number, message: Word) -> Response:
    """Take an own answer away from the person's chat."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await sent.delete(uow, ctx, ticket_id, ident(message), by=signed.agent)

    return await carry_out(request, signed, number, act)


@router.post("/messages/react")
async def react(request: Request, signed: CurrentAgent, number: Number, message: Word, emoji: Word = "") -> Response:
    """Put a reaction on the person's message; an empty one takes it off."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await sent.react(uow, ctx, ticket_id, ident(message), by=signed.agent, emoji=emoji or None)

    return await carry_out(request, signed, number, act)


@router.post("/undo")
async def undo(request: Request, signed: CurrentAgent, number: Number, message: Word) -> Response:
    """Take an answer back into the composer before it leaves."""
    require(signed.role, Right.WORK_TICKETS)
    frame = await Frame.of(request, signed)
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    try:
        async with frame.desk.database.unit() as uow:
            taken = await taking_back.take_back(uow, ctx, ident(message), by=signed.agent)
    except DeskError as refused:
        if refused.status >= 500:
            raise
        return await show(frame, number, status=refused.status, notice=refused.said(frame.language))
    notice = translate(frame.language, _("Attach the files again: %(names)s"), names=", ".join(taken.files)) if taken.files else ""
    return await show(frame, number, typed={"reply": taken.text}, notice=notice)


@router.post("/note")
async def note(
    request: Request,
    signed: CurrentAgent,
    number: Number,
    text: Text = "",
    files: Annotated[list[UploadFile], File()] = [],  # noqa: B006 - FastAPI reads the default, nobody changes it
) -> Response:
    """Write for colleagues only: a different form, a different address, never a delivery."""
    typed = {"note": text}

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await service.note(uow, ctx, ticket_id, by=signed.agent, text=text, files=stored)

    try:
        stored = await _store(request, signed, files)
    except DeskError as refused:
        frame = await Frame.of(request, signed)
        return await show(frame, number, status=refused.status, typed=typed, notice=refused.said(frame.language))
    return await carry_out(request, signed, number, act, typed=typed)


@router.post("/assign")
async def assign(request: Request, signed: CurrentAgent, number: Number, agent: Word = "") -> Response:
    """Give it to a colleague, to oneself, or (empty) back to the queue."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        try:
            agent_id = canonical(agent) if agent else None
        except ValueError as error:
            raise NotFound(agent=agent) from error
        await belonging.assign(uow, ctx, ticket_id, by=Actor.of(signed.agent), agent_id=agent_id)

    return await carry_out(request, signed, number, act)


@router.post("/escalate")
async def escalate(request: Request, signed: CurrentAgent, number: Number, to: Word = "", reason: Word = "") -> Response:
    """Pass it to another line (`line:2`) or team (`team:infrastructure`), with the reason."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        kind, _sep, name = to.partition(":")
        if kind == "line" and name.isdecimal():
            await belonging.escalate(uow, ctx, ticket_id, by=Actor.of(signed.agent), line=int(name), reason=reason)
        elif kind == "team":
            await belonging.escalate(uow, ctx, ticket_id, by=Actor.of(signed.agent), team_key=name, reason=reason)
        else:
            raise Invalid(reason=to)

    return await carry_out(request, signed, number, act, typed={"escalate": reason, "escalate_to": to})


@router.post("/return")
async def give_back(request: Request, signed: CurrentAgent, number: Number, reason: Word = "") -> Response:
    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await belonging.give_back(uow, ctx, ticket_id, by=Actor.of(signed.agent), reason=reason)

    return await carry_out(request, signed, number, act, typed={"return": reason})


@router.post("/participants")
async def change_participants(request: Request, signed: CurrentAgent, number: Number, add: Word = "", remove: Word = "") -> Response:
    """Copy somebody in, or take them off the request."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        if remove:
            await participants.remove(uow, ctx, ticket_id, by=signed.agent, address=remove)
        else:
            await participants.add(uow, ctx, ticket_id, by=signed.agent, address=add, unread=behind(add.strip().lower()) in UNREAD)

    return await carry_out(request, signed, number, act, typed={"participant": add})


@router.post("/invite")
async def invite(request: Request, signed: CurrentAgent, number: Number) -> Response:
    """A link by which somebody joins from Telegram: shown once, on a page of its own that nothing refreshes."""
    require(signed.role, Right.WORK_TICKETS)
    frame = await Frame.of(request, signed)
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    async with frame.desk.database.read() as session:
        ticket, bot = await tickets.ticket_by_number(session, number), await telegram_bot(session)
    if ticket is None:
        raise NotFound(ticket=number)
    if not bot:
        raise NotFound(bot="telegram")
    async with frame.desk.database.unit() as uow:
        secret = await invitations.invite(uow, ctx, ticket, purpose=Purpose.JOIN, by=Actor.of(signed.agent))
    context = {"ticket": ticket, "link": deep_link(bot, secret), "back": f"/console/tickets/{number}"}
    response = frame.render("invite.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/category")
async def category(request: Request, signed: CurrentAgent, number: Number, category: Word) -> Response:
    """Correct the category; the correction is an example to learn from."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await belonging.categorise(uow, ctx, ticket_id, by=Actor.of(signed.agent), category=category)

    return await carry_out(request, signed, number, act)


@router.post("/article")
async def article(request: Request, signed: CurrentAgent, number: Number, article: Word) -> Response:
    """This article does not answer it: the search learns from that."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await belonging.refuse_article(uow, ctx, ticket_id, by=Actor.of(signed.agent), article_id=article)

    return await carry_out(request, signed, number, act)


@router.post("/priority")
async def priority(request: Request, signed: CurrentAgent, number: Number, priority: Word) -> Response:
    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await belonging.prioritise(uow, ctx, ticket_id, by=Actor.of(signed.agent), priority=priority)

    return await carry_out(request, signed, number, act)


@router.post("/status")
async def status(request: Request, signed: CurrentAgent, number: Number, status: Word, version: Word = "") -> Response:
    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await service.set_status(uow, ctx, ticket_id, by=signed.agent, status=status, seen=_version(version))

    return await carry_out(request, signed, number, act)


@router.post("/accept")
async def accept(request: Request, signed: CurrentAgent, number: Number, version: Word = "") -> Response:
    """The requester has said by themselves that it is solved: close it without asking them once more."""

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await service.take_word(uow, ctx, ticket_id, by=signed.agent, seen=_version(version))

    return await carry_out(request, signed, number, act)


@router.post("/tags")
async def tags(request: Request, signed: CurrentAgent, number: Number, add: Word = "", remove: Word = "") -> Response:
    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        added = [name for name in add.replace(",", " ").split() if name]
        await belonging.tag(uow, ctx, ticket_id, by=Actor.of(signed.agent), add=added, remove=[remove] if remove else [])

    return await carry_out(request, signed, number, act)
