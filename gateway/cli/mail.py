"""`priyom email`: mail that lies in files comes in like mail that arrives."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)

TOLD_EVERY = 100


@app.callback()
def main() -> None:
    """Mail: bring in what lies in files."""


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="An .eml file, an mbox, a maildir, or a folder of them.")],
    inbox: Annotated[str, typer.Option("--inbox", help="Name of the mail inbox; needed where there are several.")] = "",
    answer: Annotated[bool, typer.Option("--answer", help="Acknowledge each mail to its sender, as if it had just come.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read, and tell what each mail would be.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Bring in mails from files. Requests open as they would have; senders are answered only with --answer.

    Again with the same files changes nothing. The running desk processes what was brought in.
    """

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway.mail_import import MailImport

        bringing = await MailImport.of(desk, inbox, answer=answer, dry_run=dry_run)
        async for number in bringing.run(path):
            if number % TOLD_EVERY == 0:
                print(f"{number} mails", file=sys.stderr)
        return bringing.report()

    if not path.exists():
        print(f"there is nothing at {path}", file=sys.stderr)
        raise typer.Exit(3)
    told = run(work)

    def table() -> None:
        for one in told["refused"]:
            print(f"{one['file']}: {one['reason']}")
        for code, number in told["verdicts"].items():
            print(f"{number:>8}  {code}")
        print(
            f"{told['new']} new, {told['known']} there already, {len(told['refused'])} refused" + (" (nothing written)" if dry_run else "")
        )

    show(told, as_json=json, table=table)
    if told["refused"]:
        raise typer.Exit(1)
