"""`priyom email`: mail that lies in files or mailboxes comes in like mail that arrives."""

import sys
from datetime import datetime
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
    """Mail: bring in what lies in files or mailboxes."""


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
    _report(run(work), json=json)


@app.command()
def backfill(
    inbox: Annotated[str, typer.Argument(help="A mail inbox that fetches by IMAP.")],
    since: Annotated[datetime, typer.Option("--since", formats=["%Y-%m-%d"], help="The first day, by the mail server's date of arrival.")],
    folder: Annotated[list[str] | None, typer.Option("--folder", help="A folder, may be repeated; those of the inbox by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read, and tell what each mail would be.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Bring in what lies in a mailbox since a day, read or not. Nobody is answered, nothing is marked or moved.

    Again with the same day changes nothing; after a lost connection it goes on.
    """

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway.mail_import import MailImport

        bringing = await MailImport.of(desk, inbox, answer=False, dry_run=dry_run)
        async for number, total in bringing.run_mailbox(since.date(), folders=tuple(folder or ())):
            if number % TOLD_EVERY == 0:
                print(f"{number} of {total} mails", file=sys.stderr)
        return bringing.report()

    _report(run(work), json=json)


def _report(told: dict[str, Any], *, json: bool) -> None:
    """What became of each mail; exit code 1 where some were refused."""

    def table() -> None:
        for one in told["refused"]:
            print(f"{one['file']}: {one['reason']}")
        for code, number in told["verdicts"].items():
            print(f"{number:>8}  {code}")
        print(
            f"{told['new']} new, {told['known']} there already, {len(told['refused'])} refused"
            + (" (nothing written)" if told["dry_run"] else "")
        )

    show(told, as_json=json, table=table)
    if told["refused"]:
        raise typer.Exit(1)
