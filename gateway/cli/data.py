"""`priyom messages`, `priyom conversations`, `priyom dead`: what came in, who speaks, what failed."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import language, rows, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

messages = typer.Typer(no_args_is_help=True)
conversations = typer.Typer(no_args_is_help=True)
dead = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
Ident = Annotated[str, typer.Argument(help="Id of the dead item; its beginning is enough.")]


@messages.command("list")
def list_messages(json: Json = False) -> None:
    """Every inbound message of every channel, in a request or not, oldest first."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from sqlalchemy import select

        from desk_core.conversations.entities import Message
        from gateway import shapes

        async with desk.database.read() as session:
            return await shapes.messages(session, select(Message).where(Message.direction == "inbound"), language=language())

    found = run(work)
    lines = [
        [one["at"][:16], one["channel"], one["author"], f"#{one['ticket']}" if one["ticket"] else "", one["text"][:60]] for one in found
    ]
    show(found, as_json=json, table=lambda: rows(("at", "channel", "author", "request", "text"), lines, empty="Nothing came in yet."))


@messages.command("undo")
def undo(
    ident: Annotated[str, typer.Argument(help="Id of an answer that has not left yet.")],
    by: Annotated[str, typer.Option("--by", help="E-mail of the operator who takes it back; its author by default.")] = "",
    json: Json = False,
) -> None:
    """Take an answer back before it leaves; its words are printed. Exit 1 where it is on its way already."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from desk_core.kit.errors import NotFound
        from desk_core.tickets import taking_back
        from gateway.cli.shell import agent_by
        from gateway.web.paths import canonical

        try:
            message_id = canonical(ident)
        except ValueError as error:
            raise NotFound(message=ident) from error
        agent = await agent_by(desk, by) if by else None
        ctx = await desk.context()
        async with desk.database.unit() as uow:
            taken = await taking_back.take_back(uow, ctx, message_id, by=agent)
        return {"text": taken.text, "files": list(taken.files)}

    taken = run(work)
    show(taken, as_json=json, table=lambda: print("\n".join([taken["text"], *(f"[{name}]" for name in taken["files"])])))


Author = Annotated[str, typer.Option("--by", help="E-mail of the operator who wrote it.")]
Sent = Annotated[str, typer.Argument(help="Id of an answer that is with the person already.")]


@messages.command("edit")
def edit(ident: Sent, by: Author, text: Annotated[str, typer.Option("--text", help="What it is to say, in Markdown.")]) -> None:
    """Correct an own answer in the person's chat, within two days; answered already, the correction follows as a new message."""
    _correct(ident, by, text)
    print("The correction is on its way.")


@messages.command("delete")
def delete(ident: Sent, by: Author) -> None:
    """Take an own answer away from the person's chat, within two days; the desk keeps it and who took it away."""
    _correct(ident, by, None)
    print("It is being taken away.")


def _correct(ident: str, by: str, text: str | None) -> None:
    async def work(desk: "Desk") -> str:
        from gateway.cli.shell import agent_by
        from gateway.correcting import correct

        return await correct(desk, ident, by=await agent_by(desk, by), text=text)

    run(work)


@conversations.command("list")
def list_conversations(json: Json = False) -> None:
    """Conversations, newest last, with who speaks."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from sqlalchemy import select

        from desk_core.conversations.entities import Conversation
        from gateway import shapes

        async with desk.database.read() as session:
            return await shapes.conversations(session, select(Conversation).order_by(Conversation.updated_at, Conversation.id))

    found = run(work)
    lines = [[one["inbox"], one["contact"]["name"], one["baton"], one["state"], one["ticket"], one["updated_at"][:16]] for one in found]
    show(
        found,
        as_json=json,
        table=lambda: rows(("inbox", "contact", "baton", "state", "request", "updated"), lines, empty="Nobody wrote yet."),
    )


@dead.command("list")
def list_dead(json: Json = False) -> None:
    """Work that failed for good and waits for a person."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.lanes import queue
        from gateway import shapes

        async with desk.database.read() as session:
            return shapes.dead_items(await queue.list_dead(session, limit=10_000))

    found = run(work)
    lines = [[one["id"][-12:], one["kind"], one["lane"], one["attempts"], one["reason"]] for one in found]
    show(found, as_json=json, table=lambda: rows(("id", "kind", "lane", "attempts", "reason"), lines, empty="Nothing is dead."))


async def _find(session: Any, ident: str) -> Any:
    from sqlalchemy import select

    from desk_core.kit.errors import NotFound
    from desk_core.lanes.entities import DeadItem

    for item in await session.scalars(select(DeadItem).order_by(DeadItem.at.desc())):
        if item.id == ident or (len(ident) >= 6 and (item.id.startswith(ident) or item.id.endswith(ident))):
            return item
    raise NotFound(dead_item=ident)


@dead.command("show")
def show_dead(ident: Ident, json: Json = False) -> None:
    """One dead item with its payload and reason."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway import shapes

        async with desk.database.read() as session:
            return shapes.dead_items([await _find(session, ident)])[0]

    found = run(work)
    show(found, as_json=json, table=lambda: rows(("", ""), [[key, value] for key, value in found.items()], empty=""))


@dead.command("replay")
def replay(
    ident: Annotated[str | None, typer.Argument(help="Id of the dead item; its beginning or end is enough.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Replay every dead item.")] = False,
) -> None:
    """Put it back into its lane."""
    if (ident is None) == (not all_):
        raise typer.BadParameter("give one id, or --all")

    async def work(desk: "Desk") -> int:
        from desk_core.lanes import queue
        from desk_core.lanes.signal import WORK

        async with desk.database.read() as session:
            items = await queue.list_dead(session, limit=10_000) if all_ else [await _find(session, ident or "")]
        async with desk.database.unit() as uow:
            for item in items:
                await queue.replay(uow, item.id, now=desk.clock.now())
            uow.after_commit(lambda: desk.signal.publish(WORK))
        return len(items)

    print(f"{run(work)} put back")
