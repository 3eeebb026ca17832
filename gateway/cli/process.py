"""Commands that run a desk: everything in one process, or its parts."""

import os
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.shell import refuse

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from gateway.bootstrap import Desk
    from gateway.serving import Listening, Parts

END_SECONDS = 8.0
"""From the wish to end to the end, whatever a thread still does."""

Sandbox = Annotated[bool | None, typer.Option("--sandbox/--no-sandbox", help="Offer the Telegram and mail sandboxes (PRIYOM_SANDBOX).")]


def register(app: typer.Typer) -> None:
    """Put the commands of this module onto the main command."""
    app.command()(run)
    app.command()(serve)
    app.command()(work)
    app.command()(receive)


def run(sandbox: Sandbox = None) -> None:
    """Everything in one process. With the sandboxes on and no desk yet, makes one first."""
    from gateway.serving import Parts

    _start(Parts(web=True, work=True, receive=True), sandbox=sandbox, may_make=True)


def serve() -> None:
    """Web pages, REST and webhooks: one of the distributed parts."""
    from gateway.serving import Parts

    _start(Parts(web=True), sandbox=False)


def work() -> None:
    """Process messages, deliveries and timers: one of the distributed parts."""
    from gateway.serving import Parts

    _start(Parts(work=True), sandbox=False)


def receive() -> None:
    """Fetch from Telegram and mailboxes, listen for mail: one of the distributed parts."""
    from gateway.serving import Parts

    _start(Parts(receive=True), sandbox=False)


def _start(parts: "Parts", *, sandbox: bool | None, may_make: bool = False) -> None:
    import asyncio

    from desk_core.kit.errors import DeskError, StoreUnavailable, TablesMissing
    from gateway.bootstrap import Desk
    from gateway.environment import load_settings
    from gateway.logging import configure
    from gateway.serving import Listening, listen_for_the_end, settle_ports, wait_for_store
    from gateway.serving import run as run_parts

    settings = load_settings()
    configure(level=settings.log.level, style=settings.log_format)
    if sandbox is not None:
        settings = settings.model_copy(update={"sandbox": sandbox})
    listening = Listening()

    async def main() -> None:
        desk = Desk(settle_ports(settings, parts, listening))
        bound = asyncio.create_task(_end_in_time(desk))
        try:
            listen_for_the_end(desk)
            while await wait_for_store(desk):
                try:
                    await (_prepare(desk, listening) if may_make else desk.config())
                    break
                except StoreUnavailable as error:
                    if settings.embedded or isinstance(error, TablesMissing):
                        raise
                    await asyncio.sleep(0.5)  # it answered and went away again, as a restarting database does
            else:
                await desk.close()
                return
        except BaseException:
            await desk.close()
            raise

        async def ready() -> None:
            _announce(desk, parts, listening)
            if may_make:
                _leave_word(desk, listening)

        await run_parts(desk, parts, ready=ready, listening=listening, sandbox=settings.sandbox and parts.web)
        await bound

    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            runner.run(main())
    except DeskError as error:
        raise typer.Exit(refuse(error)) from error


def _fast_loop() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """uvloop where there is one (it takes a fifth off a turn), otherwise asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _end_in_time(desk: "Desk") -> None:
    """Once the desk is told to end, see to it that the process does.

    What is in hand is finished long before. A thread in the middle of an import or of building an index cannot be asked to stop, and
    holds nothing that anybody would miss.
    """
    await desk.stopping.wait()
    late = threading.Timer(END_SECONDS, os._exit, [0])
    late.daemon = True
    late.start()


async def _prepare(desk: "Desk", listening: "Listening") -> None:
    """Bring the store up to date; a demo desk is made when there is none, its password shown once."""
    from desk_core.catalogue import desk as catalogue
    from gateway.bootstrap import NotSetUp

    await desk.migrate()
    async with desk.database.read() as session:
        known = await catalogue.revision(session)
    if known is None:
        if not desk.settings.sandbox:
            raise NotSetUp
        import secrets

        from gateway.setup import make_desk

        password = secrets.token_urlsafe(9)
        language = "ru" if os.environ.get("LANG", "").lower().startswith("ru") else "en"
        print("first start: making a desk ...", file=sys.stderr, flush=True)
        email = "admin@priyom.example"
        await make_desk(desk, preset="it_service_desk", language=language, admin_email=email, admin_password=password, train=False)
        listening.notes.append(f"administrator {email}, password {password}  (shown only now; change it: priyom agent passwd {email})")
    if desk.settings.sandbox:
        from gateway.sandboxes import connect

        await connect(desk)


def _leave_word(desk: "Desk", listening: "Listening") -> None:
    """Where this desk listens, for commands on the same machine (`priyom demo`)."""
    import json

    from gateway.serving import RUNNING

    (desk.settings.home / RUNNING).write_text(json.dumps({"http": listening.http, "smtp": listening.smtp}), encoding="utf-8")


def _announce(desk: "Desk", parts: "Parts", listening: "Listening") -> None:
    """Say where to go."""
    lines = []
    if parts.web:
        lines += [("start page", f"{listening.http}/"), ("console", f"{listening.http}/console"), ("web form", f"{listening.http}/f/site")]
        if desk.settings.sandbox:
            lines += [
                ("Telegram sandbox", f"{listening.http}/sandbox/telegram"),
                ("mail sandbox", f"{listening.http}/sandbox/mail"),
            ]
    if parts.receive:
        lines.append(("mail listener", f"smtp://{listening.smtp}"))
    width = max((len(name) for name, _address in lines), default=0)
    for note in listening.notes:
        print(note)
    for name, address in lines:
        print(f"{name.ljust(width)}  {address}")
    print("ready" if lines else "working", flush=True)
