"""`priyom stories run`: tell the desk's bot stories, and see where it went another way."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import run as on_desk
from gateway.cli.shell import show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


@app.callback()
def stories() -> None:
    """Stories: dialogues written down with what the bot has to make of them."""


@app.command()
def run(
    path: Annotated[Path, typer.Argument(help="A file of stories, or a folder of them.")] = Path("tests/stories"),
    json: Json = False,
) -> None:
    """Play every story on this desk's catalogue, forms, articles and models; nothing is stored. 1 where one goes otherwise."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.kit.errors import NotFound
        from nlu.stories import play, read

        files = sorted(path.glob("*.yml")) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise NotFound(stories=str(path))
        tools = await desk.tools()
        return [
            {"file": file.name, "story": story.story, "differences": [asdict(one) for one in play(story, tools)]}
            for file in files
            for story in read(file.read_text(encoding="utf-8"), file=file.name)
        ]

    told = on_desk(work)
    failed = [one for one in told if one["differences"]]

    def table() -> None:
        for one in failed:
            print(f"{one['file']}: {one['story']}")
            for other in one["differences"]:
                print(
                    f"  turn {other['turn']}, {other['said'][:60]!r}: {other['what']}"
                    if other["turn"]
                    else f"  at the end: {other['what']}"
                )
                print(f"    - {other['expected']}")
                print(f"    + {other['got']}")
        print(f"{len(told) - len(failed)} of {len(told)} stories go as written")

    show(told, as_json=json, table=table)
    if failed:
        raise typer.Exit(1)
