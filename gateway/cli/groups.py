"""`priyom group`: the groups where operators work in Telegram."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import rows, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


@app.command()
def code(inbox: Annotated[str, typer.Argument(help="Name of the Telegram inbox whose bot is in the group.")]) -> None:
    """Make a one-time code; send `/link CODE` in the group within a quarter of an hour."""

    async def work(desk: "Desk") -> str:
        from sqlalchemy import select

        from desk_core.conversations.entities import Inbox
        from desk_core.groups import service
        from desk_core.kit.errors import NotFound

        async with desk.database.read() as session:
            found = await session.scalar(select(Inbox.id).where(Inbox.name == inbox, Inbox.channel == "telegram"))
        if found is None:
            raise NotFound(inbox=inbox)
        async with desk.database.unit() as uow:
            return await service.make_code(uow, purpose=service.FOR_GROUP, subject=found, by="shell", now=desk.clock.now())

    print(f"/link {run(work)}")


@app.command("list")
def list_(json: Json = False) -> None:
    """The groups that show requests, and what is wrong with them."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.conversations import repository as conversations
        from desk_core.groups import repository

        async with desk.database.read() as session:
            inboxes = {inbox.id: inbox.name for inbox in await conversations.inboxes(session)}
            return [
                {
                    "chat": group.chat, "title": group.title, "inbox": inboxes.get(group.inbox_id, ""), "teams": group.teams,
                    "alerts": group.alerts.get("kinds", []), "trouble": group.trouble, "linked_at": group.linked_at.isoformat(),
                }
                for group in await repository.groups(session)
            ]  # fmt: skip

    found = run(work)
    columns = ("chat", "title", "inbox", "trouble", "linked_at")
    lines = [[one[key] for key in columns] for one in found]
    show(found, as_json=json, table=lambda: rows(columns, lines, empty="No group yet. Make a code: priyom group code INBOX"))


@app.command()
def teams(
    chat: Annotated[str, typer.Argument(help="Number of the group, as `priyom group list` shows it.")],
    team: Annotated[list[str] | None, typer.Option("--team", help="Key of a team; may be repeated. None: all requests.")] = None,
) -> None:
    """Show only the requests of these teams from now on."""

    async def work(desk: "Desk") -> None:
        from desk_core.groups import service
        from desk_core.kit.errors import NotFound

        config = await desk.config()
        unknown = [key for key in team or [] if key not in config.teams]
        if unknown:
            raise NotFound(team=unknown[0])
        async with desk.database.unit() as uow:
            await service.change_group(uow, await _id_of(desk, chat), now=desk.clock.now(), teams=team or [])

    run(work)
    print(f"{chat} shows the requests of {', '.join(team or []) or 'every team'}")


@app.command()
def unlink(chat: Annotated[str, typer.Argument(help="Number of the group, as `priyom group list` shows it.")]) -> None:
    """Show nothing more in this group; what stands there stays."""

    async def work(desk: "Desk") -> None:
        from desk_core.groups import service

        async with desk.database.unit() as uow:
            await service.end_group(uow, await _id_of(desk, chat), now=desk.clock.now())

    run(work)
    print(f"{chat} is unlinked")


async def _id_of(desk: "Desk", chat: str) -> str:
    from desk_core.groups import repository
    from desk_core.kit.errors import NotFound

    async with desk.database.read() as session:
        for group in await repository.groups(session):
            if group.chat == chat:
                return group.id
    raise NotFound(group=chat)
