"""`priyom email`: mail that lies in files or mailboxes comes in like mail that arrives; whose word counts; how ours is signed."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import rows, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)
dkim = typer.Typer(no_args_is_help=True, help="Sign what the desk sends (DKIM).")
app.add_typer(dkim, name="dkim")

Domain = Annotated[str, typer.Argument(help="The domain of the desk's mail addresses, as in example.org.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]

TOLD_EVERY = 100


@app.callback()
def main() -> None:
    """Mail: bring in what lies in files or mailboxes, say whose word counts, sign what goes out."""


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


@app.command()
def trust(
    inbox: Annotated[str, typer.Argument(help="A mail inbox.")],
    authserv: Annotated[
        list[str] | None,
        typer.Option("--authserv", help='Id in Authentication-Results of an own mail server, *.example.org for all hosts, "" for none.'),
    ] = None,
    sealer: Annotated[list[str] | None, typer.Option("--sealer", help="Domain that may vouch for mail it passed on (ARC).")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Believe nobody.")] = False,
    json: Json = False,
) -> None:
    """Whose word about senders an inbox believes; without options it is shown. What is given replaces what was.

    The mail server named here has to remove headers with its own id from mail that comes from outside (RFC 8601, section 5).
    """

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway.mail_inboxes import set_trust

        async with desk.database.unit() as uow:
            return await set_trust(uow, inbox, authserv=[] if clear else authserv, sealers=[] if clear else sealer)

    told = run(work)

    def table() -> None:
        print(f"servers: {', '.join(one or '(without an id)' for one in told['authserv']) or 'none'}")
        print(f"sealers: {', '.join(told['sealers']) or 'none'}")

    show(told, as_json=json, table=table)


@app.command()
def rules(
    inbox: Annotated[str, typer.Argument(help="A mail inbox.")],
    hold: Annotated[list[str] | None, typer.Option("--hold", help="Such mail is held, and nobody is answered.")] = None,
    person: Annotated[list[str] | None, typer.Option("--person", help="Such mail is a person's, whatever it says of itself.")] = None,
    apart: Annotated[list[str] | None, typer.Option("--apart", help="Each such letter is a request of its own.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="No rule for such mail any more.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell which letters of the last 30 days each new rule would have met.")
    ] = False,
    json: Json = False,
) -> None:
    """Rules for mail of an address, a domain (@example.org), or with words in its subject; without options they are shown.

    They go before everything that the desk sees in a letter itself. Each option may be repeated.
    """

    async def work(desk: "Desk") -> dict[str, Any]:
        from channels.email.rules import Rules
        from desk_core.conversations import holding
        from desk_core.conversations.ports import TakeAs
        from desk_core.kit.errors import NotFound
        from gateway.mail_inboxes import mail_inbox
        from gateway.mail_rules import met_by

        given = {TakeAs.ROBOT: hold or [], TakeAs.PERSON: person or [], TakeAs.APART: apart or []}
        wanted = [(about, what, *holding.rule_of(about)) for what, every in given.items() for about in every]
        async with desk.database.unit() as uow:
            kept = await mail_inbox(uow, inbox)
            if not dry_run:
                for about, what, _place, _key in wanted:
                    holding.set_rule(kept, about, what)
                for about in remove or []:
                    if not holding.forget_rule(kept, about):
                        raise NotFound(rule=about)
            told: dict[str, Any] = {place: dict(kept.config.get(place, {})) for place in ("senders", "subjects")}
        if dry_run:
            async with desk.database.read() as session:
                met = {
                    key: await met_by(session, kept, Rules.of({place: {key: what}}), now=desk.clock.now()) for _, what, place, key in wanted
                }
            told["met"] = {key: {"count": one.count, "of": one.of, "letters": one.letters} for key, one in met.items()}
        return told

    told = run(work)

    def table() -> None:
        for about, met in told.get("met", {}).items():
            print(f"{about}: would have met {met['count']} of {met['of']}")
            for address, subject in met["letters"]:
                print(f"  {address}  {subject}")
        lines = [(about, what) for place in ("senders", "subjects") for about, what in sorted(told[place].items())]
        for about, what in lines:
            print(f"{what:<7} {about}")
        if not lines and "met" not in told:
            print("No rules.")

    show(told, as_json=json, table=table)


@dkim.command()
def init(
    domain: Domain,
    selector: Annotated[str, typer.Option("--selector", help="Name of the key; made from the month by default.")] = "",
    bits: Annotated[int, typer.Option("--bits", min=1024, max=4096, help="Length of an RSA key.")] = 2048,
    algorithm: Annotated[str, typer.Option("--algorithm", help="rsa, or ed25519, which not every receiver can check.")] = "rsa",
    replace: Annotated[bool, typer.Option("--replace", help="Make another key; the old one signs until the new record is found.")] = False,
    show_only: Annotated[bool, typer.Option("--show", help="Only show the record again.")] = False,
    json: Json = False,
) -> None:
    """Make a key for a domain and print the DNS record to publish. Again: says that there is one and changes nothing.

    Mail from inboxes of the domain is signed from then on. `priyom email dkim check` finds out whether the record is there.
    """

    async def work(desk: "Desk") -> dict[str, Any]:
        from channels.email.signing import Algorithm, make_key
        from desk_core.kit.errors import NotFound
        from gateway import mail_signing

        name = mail_signing.mail_domain(domain)
        async with desk.database.read() as session:
            keys = await mail_signing.keys_of(session, name)
        if show_only and not keys:
            raise NotFound(dkim=name)
        if keys and (show_only or not replace):
            return {**keys[-1].shown(name), "made": False}
        pair = make_key(Algorithm(algorithm), bits=bits)
        async with desk.database.unit() as uow:
            made = await mail_signing.add_key(uow, name, pair, selector=selector, box=desk.box, now=desk.clock.now())
        return {**made.shown(name), "made": True}

    if algorithm not in ("rsa", "ed25519"):
        print("--algorithm: rsa or ed25519", file=sys.stderr)
        raise typer.Exit(2)
    told = run(work)

    def table() -> None:
        if not told["made"] and not show_only:
            print(f"{told['domain']} has a key already: {told['selector']} (another one: --replace)")
        print("Publish this record:\n")
        print(f"name   {told['name']}\ntype   TXT\nvalue  {told['value']}\n")
        print("In a zone file:\n")
        quoted = " ".join(f'"{one}"' for one in told["strings"])
        print(f"{told['name']}. IN TXT ( {quoted} )")

    show(told, as_json=json, table=table)


@dkim.command()
def check(domain: Domain, json: Json = False) -> None:
    """Ask the name servers whether each key's record is published as it should be. Exit 1 where the newest one is not.

    The newest key whose record was found signs from then on.
    """

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        import asyncio

        from desk_core.kit.errors import NotFound
        from gateway import mail_signing

        name = mail_signing.mail_domain(domain)
        async with desk.database.read() as session:
            keys = await mail_signing.keys_of(session, name)
        if not keys:
            raise NotFound(dkim=name)
        states = await asyncio.to_thread(mail_signing.look_up, keys, name, desk.resolver)
        async with desk.database.unit() as uow:
            found = {selector: state == "published" for selector, state in states.items()}
            keys = await mail_signing.note_published(uow, name, found, now=desk.clock.now())
        signs = mail_signing.in_use(keys)
        return [{**key.shown(name), "state": states.get(key.selector, "new"), "signs": key == signs} for key in keys]

    told = run(work)
    lines = [[one["name"], one["algorithm"], one["state"], "signs" if one["signs"] else ""] for one in told]
    show(told, as_json=json, table=lambda: rows(("record", "key", "state", ""), lines, empty=""))
    if told[-1]["state"] != "published":
        raise typer.Exit(1)


@dkim.command()
def remove(domain: Domain, selector: Annotated[str, typer.Option("--selector", help="Name of the key.")]) -> None:
    """Forget a key. Take its record out of the DNS a week later: mail on its way is still checked against it."""

    async def work(desk: "Desk") -> None:
        from gateway import mail_signing

        async with desk.database.unit() as uow:
            await mail_signing.remove_key(uow, mail_signing.mail_domain(domain), selector, now=desk.clock.now())

    run(work)
    print(f"key {selector} of {domain} removed")
