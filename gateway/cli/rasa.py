"""Commands between the desk and Rasa 3.x: write the desk as a project, bring a project in."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import language, refuse, rows, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


@app.command("export")
def export_project(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    preset: Annotated[str | None, typer.Option("--preset", help="A preset by name or folder, instead of the desk.")] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="Language to begin in: ru or en; the desk's own if left out.")] = None,
    json: Json = False,
) -> None:
    """Write domain.yml, data/nlu.yml, data/rules.yml and a light configuration, ready for `rasa train`."""
    from desk_core.catalogue.export import write_files
    from desk_core.catalogue.presets import load_preset
    from desk_core.catalogue.rasa_export import rasa_project
    from desk_core.kit.errors import DeskError

    if lang not in (None, "ru", "en"):
        raise typer.BadParameter("ru or en", param_hint="--lang")

    async def of_desk(desk: "Desk") -> dict[str, str]:
        from gateway.rasa import desk_as_preset

        return rasa_project(await desk_as_preset(desk), language=lang or (await desk.config()).language)

    try:
        if preset is None:
            files = run(of_desk)
        else:
            from gateway.setup import preset_folder

            loaded = load_preset(preset_folder(preset))
            files = rasa_project(loaded, language=lang or loaded.languages[0])
        write_files(folder, files)
    except DeskError as error:
        raise typer.Exit(refuse(error)) from error
    show(sorted(files), as_json=json, table=lambda: print(f"{len(files)} files written to {folder}"))


@app.command("import")
def import_project(
    folder: Annotated[Path, typer.Argument(help="A Rasa 3.x project.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read and report.")] = False,
    json: Json = False,
) -> None:
    """Bring a project's intents, entities, forms, slots and responses in, and report what has no counterpart."""

    async def work(desk: "Desk") -> Any:
        from gateway.rasa import bring_in

        return await bring_in(desk, folder, dry_run=dry_run)

    joined = run(work)
    from desk_core.kit.i18n import translate

    left = [{"kind": one.kind, "name": one.name, "advice": translate(language(), one.advice)} for one in joined.left]

    def table() -> None:
        print(", ".join(f"{count} {kind}" for kind, count in joined.brought.items()))
        kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(one["kind"] for one in left).items())
        print(f"without a counterpart: {kinds or 'nothing'}")
        if left:
            rows(("KIND", "NAME", "WHAT TO DO"), [(one["kind"], one["name"], one["advice"]) for one in left], empty="")
        print("nothing was changed" if dry_run else "brought in; now run: priyom model train")

    show({"brought": joined.brought, "left": left, "dry_run": dry_run}, as_json=json, table=table)
