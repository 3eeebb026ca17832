"""`priyom agent`: operators."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import agent_by, rows, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
Email = Annotated[str, typer.Argument(help="The operator's e-mail.")]


@app.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="How people see them.")] = "",
    role: Annotated[str, typer.Option("--role", help="agent, supervisor or administrator.")] = "agent",
    team: Annotated[list[str] | None, typer.Option("--team", help="Key of a team; may be repeated.")] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="ru or en; the desk's own by default.")] = None,
    password: Annotated[str | None, typer.Option("--password", help="Generated and shown once if left out.")] = None,
) -> None:
    """Add an operator."""
    import secrets

    from desk_core.people.permissions import Role

    if role not in tuple(Role):
        raise typer.BadParameter("agent, supervisor or administrator", param_hint="--role")
    secret = password or secrets.token_urlsafe(12)

    async def work(desk: "Desk") -> None:
        from desk_core.people import service
        from gateway.auth.passwords import hash_password

        config = await desk.config()
        async with desk.database.unit() as uow:
            await service.add_agent(
                uow, email=email, name=name, password_hash=hash_password(secret), role=Role(role), language=lang or config.language,
                time_zone=config.time_zone, team_keys=team or [], now=desk.clock.now(),
            )  # fmt: skip
            service.audit(
                uow,
                actor="shell",
                action="agent.add",
                subject=email,
                before={},
                after={"role": role, "teams": team or []},
                now=desk.clock.now(),
            )

    run(work)
    print(f"{email} added" + ("" if password else f", password {secret} (shown once)"))


@app.command("list")
def list_(json: Json = False) -> None:
    """Everyone who answers."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.people import repository

        async with desk.database.read() as session:
            return [
                {
                    "email": one.email, "name": one.name, "role": one.role, "language": one.language, "availability": one.availability,
                    "disabled": one.disabled_at is not None, "seen_at": one.seen_at.isoformat() if one.seen_at else None,
                }
                for one in await repository.agents(session)
            ]  # fmt: skip

    found = run(work)
    columns = ("email", "name", "role", "availability", "disabled", "seen_at")
    lines = [[one[key] for key in columns] for one in found]
    show(found, as_json=json, table=lambda: rows(columns, lines, empty="Nobody yet. Add one: priyom agent add EMAIL"))


@app.command()
def passwd(email: Email, password: Annotated[str | None, typer.Option("--password", help="Asked for when left out.")] = None) -> None:
    """Set a new password; open log-ins of this operator end."""
    import getpass

    secret = password or (getpass.getpass("New password: ") if sys.stdin.isatty() else sys.stdin.readline().strip())
    if len(secret) < 8:
        raise typer.BadParameter("at least 8 characters", param_hint="--password")

    async def work(desk: "Desk") -> None:
        from sqlalchemy import update

        from desk_core.people.entities import Agent, AgentSession
        from gateway.auth.passwords import hash_password

        agent = await agent_by(desk, email)
        async with desk.database.unit() as uow:
            await uow.execute(update(Agent).where(Agent.id == agent.id).values(password_hash=hash_password(secret)))
            await uow.execute(update(AgentSession).where(AgentSession.agent_id == agent.id).values(revoked_at=desk.clock.now()))

    run(work)
    print(f"{email} has a new password")


@app.command()
def disable(email: Email) -> None:
    """Close the door; what they did stays, and their requests go back to the queue."""

    async def work(desk: "Desk") -> None:
        from sqlalchemy import update

        from desk_core.people import service
        from desk_core.people.entities import Agent, AgentSession
        from desk_core.tickets.entities import Ticket
        from desk_core.tickets.lifecycle import ACTIVE

        agent = await agent_by(desk, email)
        now = desk.clock.now()
        async with desk.database.unit() as uow:
            await uow.execute(update(Agent).where(Agent.id == agent.id).values(disabled_at=now))
            await uow.execute(update(AgentSession).where(AgentSession.agent_id == agent.id).values(revoked_at=now))
            active = [status.value for status in ACTIVE]
            await uow.execute(update(Ticket).where(Ticket.assignee_id == agent.id, Ticket.status.in_(active)).values(assignee_id=None))
            service.audit(uow, actor="shell", action="agent.disable", subject=email, before={}, after={}, now=now)

    run(work)
    print(f"{email} is disabled")


@app.command()
def telegram(
    email: Email, unlink: Annotated[bool, typer.Option("--unlink", help="Their Telegram account is nobody's from now on.")] = False
) -> None:
    """Make a one-time code; they send `/me CODE` to the bot within a quarter of an hour and may work in the operators' group."""

    async def work(desk: "Desk") -> str:
        from desk_core.groups import service

        agent = await agent_by(desk, email)
        async with desk.database.unit() as uow:
            if unlink:
                gone = await service.unlink_agent(uow, agent.id, channel="telegram")
                return f"{email}: {gone} account(s) unlinked"
            code = await service.make_code(uow, purpose=service.FOR_AGENT, subject=agent.id, by="shell", now=desk.clock.now())
            return f"/me {code}"

    print(run(work))
