"""What commands share: opening the desk, printing, refusing."""

import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import translate

if TYPE_CHECKING:
    from desk_core.people.entities import Agent
    from desk_core.tickets.entities import Ticket
    from gateway.bootstrap import Desk

T = TypeVar("T")


def language() -> str:
    """The language of messages on a terminal."""
    import os

    tag = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "en"
    return "ru" if tag.lower().startswith("ru") else "en"


def refuse(error: DeskError) -> int:
    """Say on stderr why it was refused; the answer is the exit code."""
    print(error.with_facts(language()), file=sys.stderr)
    for name, problem in error.problems.items():
        print(f"  {name}: {translate(language(), problem)}", file=sys.stderr)
    return 3 if isinstance(error, NotFound) else 1


@contextlib.asynccontextmanager
async def open_desk() -> AsyncIterator["Desk"]:
    """The desk of this environment, quiet but for warnings; closed afterwards."""
    from gateway.bootstrap import Desk
    from gateway.environment import load_settings
    from gateway.logging import configure

    settings = load_settings()
    configure(level="warning" if settings.log.level == "info" else settings.log.level, style=settings.log_format)
    desk = Desk(settings)
    try:
        yield desk
    finally:
        await desk.close()


def run(work: Callable[["Desk"], Awaitable[T]]) -> T:
    """Run one command over the desk and turn a refusal into its exit code."""
    import asyncio  # 40 ms that `priyom --help` does not need

    async def inside() -> T:
        async with open_desk() as desk:
            return await work(desk)

    try:
        return asyncio.run(inside())
    except DeskError as error:
        raise typer.Exit(refuse(error)) from error


def show(value: Any, *, as_json: bool, table: Callable[[], None] | None = None) -> None:
    """Print data: one JSON value and nothing else, or for people."""
    if as_json or table is None:
        import orjson

        sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_plain).decode() + "\n")
    else:
        table()


def rows(header: Sequence[str], lines: Sequence[Sequence[Any]], *, empty: str) -> None:
    """A plain table for a terminal; says what to do when there is nothing."""
    if not lines:
        print(empty)
        return
    cells = [[str(cell if cell is not None else "") for cell in line] for line in lines]
    widths = [min(48, max(len(head), *(len(line[column]) for line in cells))) for column, head in enumerate(header)]
    for line in [list(header), *cells]:
        print("  ".join(cell[:width].ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


async def agent_by(desk: "Desk", email: str) -> "Agent":
    """The operator who acts; raises `NotFound`."""
    from desk_core.people import repository

    async with desk.database.read() as session:
        agent = await repository.agent_by_email(session, email)
    if agent is None or agent.disabled_at is not None:
        raise NotFound(agent=email)
    return agent


async def ticket_by(desk: "Desk", number: int) -> "Ticket":
    """A request by its number; raises `NotFound`."""
    from sqlalchemy import select

    from desk_core.tickets.entities import Ticket

    async with desk.database.read() as session:
        ticket: Ticket | None = await session.scalar(select(Ticket).where(Ticket.number == number))
    if ticket is None:
        raise NotFound(ticket=f"#{number}")
    return ticket
