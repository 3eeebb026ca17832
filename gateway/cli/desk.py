"""Commands that make and check a desk: init, db upgrade, preset, doctor, demo."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from gateway.cli.shell import refuse, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

preset = typer.Typer(no_args_is_help=True)
db = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
DEFAULT_PRESET = "it_service_desk"


def register(app: typer.Typer) -> None:
    """Put the commands of this module onto the main command."""
    app.command()(init)
    app.command()(doctor)
    app.command()(demo)


def init(
    preset: Annotated[str, typer.Option("--preset", help="Name of a shipped preset, or a folder.")] = DEFAULT_PRESET,
    lang: Annotated[str, typer.Option("--lang", help="Language of the desk: ru or en.")] = "ru",
    admin_email: Annotated[str, typer.Option("--admin-email", help="E-mail of the first administrator.")] = "admin@localhost",
    admin_password: Annotated[
        str | None, typer.Option("--admin-password", help="Their password; generated and shown once if left out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Make the desk: tables, preset, administrator, the form inbox "site", first models. Again: says so and changes nothing."""
    import secrets

    if lang not in ("ru", "en"):
        raise typer.BadParameter("ru or en", param_hint="--lang")
    if admin_password is not None and len(admin_password) < 8:
        raise typer.BadParameter("at least 8 characters", param_hint="--admin-password")
    password = admin_password or secrets.token_urlsafe(12)

    async def work(desk: "Desk") -> Any:
        from gateway.setup import make_desk

        if not yes and sys.stdin.isatty():
            typer.confirm(f"Make a desk from preset {preset} in {desk.settings.home.resolve()}?", default=True, abort=True)
        print("making the desk and training its first models, some seconds ...", file=sys.stderr)
        return await make_desk(desk, preset=preset, language=lang, admin_email=admin_email, admin_password=password)

    made = run(work)
    if made.again:
        print("there is a desk already; nothing was changed")
        return
    print(f"the desk is ready; administrator {admin_email}" + ("" if admin_password else f", password {password} (shown once)"))
    if not made.trained:
        print("training failed: the bot works without predictions; see the log and run: priyom model train", file=sys.stderr)


@db.command()
def upgrade() -> None:
    """Bring the store to the newest schema; safe to run from several places at once."""

    async def work(desk: "Desk") -> tuple[str | None, str | None]:
        from desk_core import migrations

        await desk.migrate()
        return await migrations.current(desk.database)

    found, _newest = run(work)
    print(f"the store is at {found}")


@preset.command("check")
def check(
    folder: Annotated[str, typer.Argument(help="Name of a shipped preset, or a folder.")] = DEFAULT_PRESET, json: Json = False
) -> None:
    """Name file and line of everything that is wrong in a preset; exit 1 when something is."""
    from desk_core.catalogue.presets import check_preset
    from desk_core.kit.errors import DeskError
    from gateway.cli.shell import language
    from gateway.setup import preset_folder

    try:
        path = preset_folder(folder)
    except DeskError as error:
        raise typer.Exit(refuse(error)) from error
    problems = check_preset(path)
    data = [{"file": one.file, "line": one.line, "severity": one.severity.value, "message": one.render(language())} for one in problems]

    def table() -> None:
        for one in data:
            print(f"{one['file']}:{one['line']}: {one['severity']}: {one['message']}")
        print(f"{len(data)} problem(s)" if data else f"{path.name}: nothing is wrong")

    show(data, as_json=json, table=table)
    if any(one["severity"] == "error" for one in data):
        raise typer.Exit(1)


@preset.command("questions")
def questions(json: Json = False) -> None:
    """Which questions of the forms change what becomes of a request, by the desk's own requests; those that never do may be dropped."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.catalogue.form_use import measured

        config = await desk.config()
        async with desk.database.read() as session:
            found = await measured(session, config)
        return [
            {"form": one.form, "slot": one.slot, "answered": one.answered, "changed_priority": one.moved, "may_be_dropped": one.idle}
            for one in found
        ]

    told = run(work)

    def table() -> None:
        for one in told:
            drop = "  never changed anything: drop it, unless it is needed to solve" if one["may_be_dropped"] else ""
            counts = f"{one['answered']:>5} answered, {one['changed_priority']:>5} changed the priority"
            print(f"{one['form']:<18} {one['slot']:<20} {counts}{drop}")

    show(told, as_json=json, table=table)


@preset.command("load")
def load(
    folder: Annotated[str, typer.Argument(help="Name of a shipped preset, or a folder.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check and count.")] = False,
) -> None:
    """Load a preset into the desk: what it names is replaced, requests and people stay."""
    from desk_core.catalogue.presets import check_preset, load_preset
    from desk_core.kit.errors import DeskError, Invalid
    from gateway.setup import preset_folder

    try:
        path = preset_folder(folder)
        if bad := [one for one in check_preset(path) if one.severity == "error"]:
            raise Invalid(
                reason=Phrase(
                    _("errors in %(name)s: %(count)s; see: priyom preset check %(folder)s"), count=len(bad), name=path.name, folder=folder
                )
            )
    except DeskError as error:
        raise typer.Exit(refuse(error)) from error
    loaded = load_preset(path)
    print(f"{path.name}: {len(loaded.categories)} categories, {len(loaded.articles)} articles, {len(loaded.replies)} replies")
    if dry_run:
        return

    async def work(desk: "Desk") -> None:
        from desk_core.catalogue.install import install

        config = await desk.config()
        async with desk.database.unit() as uow:
            await install(uow, loaded, language=config.language, now=desk.clock.now())
        desk.forget_config()

    run(work)
    print("loaded; a running desk uses it within seconds")


@preset.command("export")
def export(folder: Annotated[Path, typer.Argument(help="An empty or new folder.")]) -> None:
    """Write the desk's tables back as a preset folder."""

    async def work(desk: "Desk") -> int:
        from desk_core.catalogue.export import export_preset

        async with desk.database.read() as session:
            return await export_preset(session, folder)

    print(f"{run(work)} files written to {folder}")


def doctor(json: Json = False) -> None:
    """Check store, migrations, Redis, channels, disk and clock, and say what to do."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from gateway.doctor import examine

        return await examine(desk)

    found = run(work)

    def table() -> None:
        for one in found:
            print(f"{'ok    ' if one['passed'] else 'FAILED'} {one['check']}: {one['words']}")
            if one["advice"]:
                print(f"       {one['advice']}")

    show(found, as_json=json, table=table)
    if not all(one["passed"] for one in found):
        raise typer.Exit(1)


def demo(
    url: Annotated[str, typer.Option("--url", help="Where the desk runs; the desk of this home by default.")] = "", json: Json = False
) -> None:
    """Play one story per channel against the running desk (with sandboxes) and print what became of each."""
    import asyncio

    from desk_core.kit.errors import DeskError
    from gateway.demo import play

    try:
        told = asyncio.run(play(url, waiting=lambda: print("the desk still learns its topics ...", file=sys.stderr)))
    except DeskError as error:
        raise typer.Exit(refuse(error)) from error

    def table() -> None:
        for one in told:
            print(f"{'ok    ' if one['passed'] else 'FAILED'} {one['channel']}: {one['words']}")

    show(told, as_json=json, table=table)
    if not all(one["passed"] for one in told):
        raise typer.Exit(1)
