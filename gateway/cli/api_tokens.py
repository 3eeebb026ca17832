"""`priyom token`: keys of programs to the REST interface."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from desk_core.kit.errors import NotFound
from gateway.cli.shell import rows, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
Name = Annotated[str, typer.Option("--name", help="Which program it is for.")]


@app.command()
def add(
    name: Name,
    scope: Annotated[str, typer.Option("--scope", help="read or write (which includes read).")] = "read",
    json: Json = False,
) -> None:
    """Make a token; it is shown once and stored only as a hash."""
    if scope not in ("read", "write"):
        raise typer.BadParameter("read or write", param_hint="--scope")

    async def work(desk: "Desk") -> dict[str, Any]:
        from desk_core.kit.ids import new_id, new_token
        from desk_core.people import service
        from desk_core.people.entities import ApiToken
        from gateway.api.v1.access import token_hash

        secret, now = f"priyom_{new_token(30)}", desk.clock.now()
        async with desk.database.unit() as uow:
            uow.add(
                ApiToken(
                    id=new_id(), name=name, token_hash=token_hash(secret), scopes=[scope], created_at=now, last_used_at=None,
                    revoked_at=None,
                )
            )  # fmt: skip
            service.audit(uow, actor="shell", action="token.add", subject=name, before={}, after={"scope": scope}, now=now)
        return {"name": name, "scope": scope, "token": secret}

    made = run(work)
    show(made, as_json=json, table=lambda: print(f"{made['token']}\nKeep it: it is not shown again."))


@app.command("list")
def list_tokens(json: Json = False) -> None:
    """Which programs have a token, and when they last used it."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from sqlalchemy import select

        from desk_core.people.entities import ApiToken

        async with desk.database.read() as session:
            return [
                {
                    "name": one.name, "scopes": list(one.scopes), "created_at": one.created_at, "last_used_at": one.last_used_at,
                    "revoked": one.revoked_at is not None,
                }
                for one in await session.scalars(select(ApiToken).order_by(ApiToken.created_at))
            ]  # fmt: skip

    found = run(work)
    columns = ("name", "scopes", "created_at", "last_used_at", "revoked")
    lines = [[one[key] for key in columns] for one in found]
    show(found, as_json=json, table=lambda: rows(columns, lines, empty="No tokens yet. Make one: priyom token add --name N"))


@app.command()
def revoke(name: Name) -> None:
    """Close the door for every token of this name, at once."""

    async def work(desk: "Desk") -> None:
        from sqlalchemy import update

        from desk_core.people import service
        from desk_core.people.entities import ApiToken

        now = desk.clock.now()
        async with desk.database.unit() as uow:
            done = await uow.execute(update(ApiToken).where(ApiToken.name == name, ApiToken.revoked_at.is_(None)).values(revoked_at=now))
            if done.rowcount == 0:
                raise NotFound(token=name)
            service.audit(uow, actor="shell", action="token.revoke", subject=name, before={}, after={}, now=now)

    run(work)
    print(f"{name} can no longer call")
