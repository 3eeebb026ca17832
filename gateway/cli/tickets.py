"""`priyom tickets`: requests, and an operator's acts from the shell."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import agent_by, language, rows, run, show, ticket_by

if TYPE_CHECKING:
    from desk_core.context import Context
    from desk_core.kit.db import UnitOfWork
    from desk_core.people.entities import Agent
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The request's number, as in #1042.")]
By = Annotated[str, typer.Option("--by", help="E-mail of the operator who acts.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]

Act = Callable[["UnitOfWork", "Context", str, "Agent"], Awaitable[Any]]


@app.command("list")
def list_(all_: Annotated[bool, typer.Option("--all", help="Closed, cancelled and merged ones too.")] = False, json: Json = False) -> None:
    """Requests, oldest first."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from sqlalchemy import select

        from desk_core.tickets.entities import Ticket
        from gateway import shapes

        query = select(Ticket).order_by(Ticket.number)
        if not all_:
            query = query.where(Ticket.status.not_in(shapes.OVER))
        config = await desk.config()
        async with desk.database.read() as session:
            return await shapes.tickets(session, config, query, language=language())

    found = run(work)
    lines = [
        [f"#{one['number']}", one["status"], one["priority"], one["team"], one["assignee"], one["channel"], one["subject"]] for one in found
    ]
    header = ("number", "status", "priority", "team", "assignee", "channel", "subject")
    show(found, as_json=json, table=lambda: rows(header, lines, empty="No open requests."))


@app.command("show")
def show_(number: Number, json: Json = False) -> None:
    """One request, whole: messages, history, slots, conversations."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from desk_core.kit.errors import NotFound
        from gateway import shapes

        config = await desk.config()
        async with desk.database.read() as session:
            found = await shapes.ticket_whole(session, config, number, language=language())
        if found is None:
            raise NotFound(ticket=f"#{number}")
        return found

    whole = run(work)

    def table() -> None:
        print(f"#{whole['number']} {whole['subject']}")
        print(f"{whole['status']} · {whole['priority']} · {whole['category_title']} · {whole['team']} · {whole['contact']['name']}")
        for message in whole["messages"]:
            print(f"\n[{message['at'][:16]}] {message['author']} ({message['direction']})\n{message['text']}")

    show(whole, as_json=json, table=table)


def _act(number: int, by: str, act: Act) -> Any:
    async def work(desk: "Desk") -> Any:
        agent = await agent_by(desk, by)
        ticket = await ticket_by(desk, number)
        ctx = await desk.context()
        async with desk.database.unit() as uow:
            return await act(uow, ctx, ticket.id, agent)

    return run(work)


@app.command()
def take(number: Number, by: By) -> None:
    """Take over: the bot is silent and the requester is told."""
    from desk_core.tickets import service

    _act(number, by, lambda uow, ctx, ident, agent: service.take_over(uow, ctx, ident, by=agent))
    print(f"#{number} is yours")


@app.command()
def release(number: Number, by: By, to: Annotated[str, typer.Option("--to", help="bot or queue")] = "bot") -> None:
    """Give the word back to the bot or to the queue."""
    from desk_core.tickets import service

    if to not in ("bot", "queue"):
        raise typer.BadParameter("bot or queue", param_hint="--to")
    _act(number, by, lambda uow, ctx, ident, agent: service.release(uow, ctx, ident, by=agent, to=to))
    print(f"#{number} released to the {to}")


@app.command()
def reply(
    number: Number,
    by: By,
    text: Annotated[str, typer.Option("--text", help="What to say, in Markdown.")],
    resolve: Annotated[bool, typer.Option("--resolve", help="It is solved: ask the requester.")] = False,
    undoable: Annotated[bool, typer.Option("--undoable", help="It waits as one of the console does: priyom messages undo ID.")] = False,
    copies: Annotated[bool, typer.Option("--copies/--no-copies", help="People in copy of the letter answered get one too.")] = True,
) -> None:
    """Answer on the channel the request came from."""
    from desk_core.tickets import service
    from gateway.environment import load_settings

    chosen, window = None if copies else (), load_settings().work.undo_window() if undoable else {}

    async def answer(uow: "UnitOfWork", ctx: "Context", ident: str, agent: "Agent") -> str:
        message = await service.reply(uow, ctx, ident, by=agent, text=text, resolve=resolve, copies=chosen, window=window)
        return str(message.id)

    written = _act(number, by, answer)
    print(f"#{number} answered" + (f"; until it leaves: priyom messages undo {written}" if undoable else ""))


@app.command()
def participants(
    number: Number,
    by: Annotated[str, typer.Option("--by", help="E-mail of the operator who acts; needed to change something.")] = "",
    add: Annotated[list[str] | None, typer.Option("--add", help="An address to copy in, may be repeated.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="An address to take off, may be repeated.")] = None,
    json: Json = False,
) -> None:
    """Who else is on a request that came by mail: shown, copied in, taken off."""
    if (add or remove) and not by:
        raise typer.BadParameter("--by says who copies in or takes off")

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.tickets import copies
        from desk_core.tickets import participants as others

        ticket = await ticket_by(desk, number)
        if add or remove:
            agent, ctx = await agent_by(desk, by), await desk.context()
            async with desk.database.unit() as uow:
                for address in add or ():
                    await others.add(uow, ctx, ticket.id, by=agent, address=address)
                for address in remove or ():
                    await others.remove(uow, ctx, ticket.id, by=agent, address=address)
        async with desk.database.read() as session:
            return [
                {"address": one.address, "name": one.name, "added_by": one.added_by, "added_at": one.added_at}
                for one in await copies.of(session, ticket.id)
            ]

    found = run(work)
    lines = [[one["address"], one["name"], one["added_by"]] for one in found]
    show(found, as_json=json, table=lambda: rows(("address", "name", "added by"), lines, empty="Nobody else is on it."))


@app.command()
def note(number: Number, by: By, text: Annotated[str, typer.Option("--text", help="For colleagues only.")]) -> None:
    """Write an internal note."""
    from desk_core.tickets import service

    _act(number, by, lambda uow, ctx, ident, agent: service.note(uow, ctx, ident, by=agent, text=text))
    print(f"#{number} noted")


@app.command()
def escalate(
    number: Number,
    by: By,
    line: Annotated[int, typer.Option("--line", help="Line 1, 2 or 3.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; the next line reads it first.")],
) -> None:
    """Hand it to another line, with the reason."""
    from desk_core.context import Actor
    from desk_core.tickets import belonging

    _act(number, by, lambda uow, ctx, ident, agent: belonging.escalate(uow, ctx, ident, by=Actor.of(agent), line=line, reason=reason))
    print(f"#{number} is with line {line}")


@app.command("set")
def set_(
    number: Number,
    by: By,
    category: Annotated[str | None, typer.Option("--category", help="Key of a category.")] = None,
    priority: Annotated[str | None, typer.Option("--priority", help="P1 to P4.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="open, waiting, on_hold, resolved, closed, cancelled.")] = None,
    assignee: Annotated[str | None, typer.Option("--assignee", help="E-mail of a colleague; empty for the queue.")] = None,
) -> None:
    """Correct category, priority, status or assignee."""
    if category is None and priority is None and status is None and assignee is None:
        raise typer.BadParameter("nothing to set: give --category, --priority, --status or --assignee")

    async def work(desk: "Desk") -> None:
        from desk_core.context import Actor
        from desk_core.tickets import belonging, service

        agent = await agent_by(desk, by)
        ticket = await ticket_by(desk, number)
        other = await agent_by(desk, assignee) if assignee else None
        ctx = await desk.context()
        async with desk.database.unit() as uow:
            if category is not None:
                await belonging.categorise(uow, ctx, ticket.id, by=Actor.of(agent), category=category)
            if priority is not None:
                await belonging.prioritise(uow, ctx, ticket.id, by=Actor.of(agent), priority=priority)
            if assignee is not None:
                await belonging.assign(uow, ctx, ticket.id, by=Actor.of(agent), agent_id=other.id if other else None)
            if status is not None:
                await service.set_status(uow, ctx, ticket.id, by=agent, status=status)

    run(work)
    print(f"#{number} changed")


@app.command()
def resolve(number: Number, by: By, text: Annotated[str, typer.Option("--text", help="The solution, told to the requester.")] = "") -> None:
    """Say it is solved; the requester is asked, and the close ladder starts."""
    from desk_core.tickets import service

    _act(number, by, lambda uow, ctx, ident, agent: service.resolve(uow, ctx, ident, by=agent, text=text))
    print(f"#{number} resolved")
