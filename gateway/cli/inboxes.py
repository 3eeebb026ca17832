"""`priyom inbox`: the accounts through which people write."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from gateway.cli.inbox_checks import Json, test
from gateway.cli.shell import language, rows, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)
add = typer.Typer(no_args_is_help=True, help="Connect a Telegram bot, a mail address or a web form.")
app.add_typer(add, name="add")

Name = Annotated[str, typer.Option("--name", help="Short name: letters, digits, - and _.")]
Lang = Annotated[str | None, typer.Option("--lang", help="Language of its first words: ru or en; the desk's own by default.")]

ImapUrl = Annotated[
    str | None,
    typer.Option("--imap-url", help="imaps://user:password@host[:port][/folder], imap+starttls:// or imap://; also fetched from there."),
]
ImapFolder = Annotated[list[str] | None, typer.Option("--imap-folder", help="A folder to fetch, may be repeated; INBOX by default.")]
ImapAfter = Annotated[
    str | None, typer.Option("--imap-after", help="What is done with a stored mail: seen (default), move:FOLDER or delete.")
]
OAuthTokenUrl = Annotated[str | None, typer.Option("--imap-oauth-token-url", help="Log in by XOAUTH2: where tokens are given out.")]
OAuthClientId = Annotated[str | None, typer.Option("--imap-oauth-client-id", help="The desk's id at that authority.")]
OAuthClientSecret = Annotated[str | None, typer.Option("--imap-oauth-client-secret", help="Its secret, where it has one.")]
OAuthRefreshToken = Annotated[str | None, typer.Option("--imap-oauth-refresh-token", help="The refresh token of the mailbox.")]
Alias = Annotated[
    list[str] | None,
    typer.Option("--alias", help="Another address whose mail comes to this inbox, may be repeated; answers go out from its own."),
]
SmtpUrl = Annotated[
    str | None,
    typer.Option("--smtp-url", help="Relay of its own: smtps://user:password@host, several by commas; empty: the desk's."),
]
Plus = Annotated[
    bool | None,
    typer.Option("--plus/--no-plus", help="Whether answers come back to support+...@; off where the mail server knows no such addresses."),
]
Dkim = Annotated[
    bool | None, typer.Option("--dkim/--no-dkim", help="Whether letters are signed where the domain has a key (priyom email dkim).")
]
Participants = Annotated[
    bool | None,
    typer.Option("--participants/--no-participants", help="Whether people in To and Cc are on the request and get copies of answers."),
]


async def _add(
    desk: "Desk",
    *,
    name: str,
    channel: str,
    address: str,
    lang: str | None,
    config: dict[str, Any],
    sealed: str | None,
    aliases: Sequence[str] = (),
) -> None:
    from desk_core.conversations.ports import ChannelKind
    from gateway import inboxes, mail_inboxes

    ctx = await desk.context()
    language = lang or ctx.config.language
    async with desk.database.unit() as uow:
        inbox = await inboxes.add(
            uow, name=name, channel=ChannelKind(channel), address=address, language=language, config=config, sealed=sealed, clock=desk.clock
        )
        if aliases:
            await mail_inboxes.set_aliases(uow, ctx, inbox, aliases)


Groups = Annotated[
    bool | None,
    typer.Option("--groups/--no-groups", help="Whether a mention of the bot, a command or a reply to it opens a request in a group."),
]


Local = Annotated[
    bool | None,
    typer.Option("--local/--not-local", help="The Bot API server is a local one: files up to 2 GB, read from its disk where that is here."),
]


@add.command()
def telegram(
    name: Name,
    token: Annotated[str, typer.Option("--token", help="The token that BotFather gave.")],
    api_url: Annotated[str | None, typer.Option("--api-url", help="Base of another Bot API server.")] = None,
    webhook_url: Annotated[str | None, typer.Option("--webhook-url", help="Public base of this desk; without it the bot polls.")] = None,
    proxy: Annotated[str | None, typer.Option("--proxy", help="http:// or socks5:// proxy for this bot.")] = None,
    groups: Groups = None,
    local: Local = None,
    lang: Lang = None,
) -> None:
    """Connect a Telegram bot."""

    async def work(desk: "Desk") -> None:
        from gateway import inboxes

        options = inboxes.BotOptions(
            token=token, api_url=api_url, webhook_url=webhook_url, proxy=proxy, groups=groups, local=local
        )  # fmt: skip
        config, sealed = inboxes.new_bot(desk.box, options)
        await _add(desk, name=name, channel="telegram", address=f"bot {config['bot']}", lang=lang, config=config, sealed=sealed)

    run(work)
    print(f"inbox {name} added; a running desk connects within seconds")


@add.command()
def email(
    name: Name,
    address: Annotated[str, typer.Option("--address", help="The address people write to.")],
    imap_url: ImapUrl = None,
    imap_folder: ImapFolder = None,
    imap_after: ImapAfter = None,
    imap_oauth_token_url: OAuthTokenUrl = None,
    imap_oauth_client_id: OAuthClientId = None,
    imap_oauth_client_secret: OAuthClientSecret = None,
    imap_oauth_refresh_token: OAuthRefreshToken = None,
    smtp_url: SmtpUrl = None,
    alias: Alias = None,
    plus: Plus = None,
    participants: Participants = None,
    dkim: Dkim = None,
    lang: Lang = None,
) -> None:
    """Connect a mail address: mail for it arriving at the listener, and by IMAP where given."""

    async def work(desk: "Desk") -> None:
        from gateway import mail_inboxes

        options = mail_inboxes.MailOptions(
            imap_url, _folders(imap_folder), imap_after, imap_oauth_token_url, imap_oauth_client_id, imap_oauth_client_secret,
            imap_oauth_refresh_token, smtp_url,
        )  # fmt: skip
        config, hidden = options.over({}, {})
        config |= {name: value for name, value in (("plus", plus), ("participants", participants), ("dkim", dkim)) if value is not None}
        sealed = desk.box.seal(hidden) if hidden else None
        own = mail_inboxes.mail_address(address)
        await _add(desk, name=name, channel="email", address=own, lang=lang, config=config, sealed=sealed, aliases=alias or ())

    run(work)
    print(f"inbox {name} added; a running desk takes mail for {address} within seconds")


@app.command("set-telegram")
def set_telegram(
    name: Annotated[str, typer.Argument()],
    webhook_url: Annotated[str | None, typer.Option("--webhook-url", help="Public base of this desk: Telegram calls it.")] = None,
    polling: Annotated[bool, typer.Option("--polling", help="Ask Telegram instead; the webhook is taken off.")] = False,
    token: Annotated[str | None, typer.Option("--token", help="A new token of the bot.")] = None,
    api_url: Annotated[str | None, typer.Option("--api-url", help="Base of another Bot API server; empty: Telegram's own.")] = None,
    proxy: Annotated[str | None, typer.Option("--proxy", help="http:// or socks5:// proxy for this bot; empty: none.")] = None,
    max_connections: Annotated[
        int | None, typer.Option("--max-connections", help="How many connections Telegram opens to the webhook, 1 to 100.")
    ] = None,
    only_telegram: Annotated[
        bool | None,
        typer.Option("--only-telegram/--from-anywhere", help="Take webhook calls from Telegram's own networks only, or from anywhere."),
    ] = None,
    groups: Groups = None,
    local: Local = None,
) -> None:
    """Change how a bot is connected, polling or webhook among it; what is not given stays as it is, and no message is lost."""

    async def work(desk: "Desk") -> list[str]:
        from desk_core.kit.errors import Invalid
        from desk_core.people import service
        from gateway import inboxes

        if polling and webhook_url:
            raise Invalid(reason=_("either polling or a webhook"))
        base = "" if polling else webhook_url
        options = inboxes.BotOptions(token, api_url, base, proxy, max_connections, only_telegram, groups, local)
        async with desk.database.unit() as uow:
            changed = await inboxes.set_bot(uow, await inboxes.by_name(uow, name), options, box=desk.box)
            if changed:
                after: dict[str, object] = {"changed": changed}
                service.audit(uow, actor="shell", action="inbox.set", subject=name, before={}, after=after, now=desk.clock.now())
        return changed

    changed = run(work)
    print(f"inbox {name}: {', '.join(changed)} changed" if changed else f"inbox {name} is as it was")


class SignedBy(StrEnum):
    OPERATOR = "operator"
    TEAM = "team"


@app.command("set-email")
def set_email(
    name: Annotated[str, typer.Argument()],
    imap_url: ImapUrl = None,
    imap_folder: ImapFolder = None,
    imap_after: ImapAfter = None,
    imap_oauth_token_url: OAuthTokenUrl = None,
    imap_oauth_client_id: OAuthClientId = None,
    imap_oauth_client_secret: OAuthClientSecret = None,
    imap_oauth_refresh_token: OAuthRefreshToken = None,
    smtp_url: SmtpUrl = None,
    alias: Alias = None,
    no_aliases: Annotated[bool, typer.Option("--no-aliases", help="Mail for no other address comes to it.")] = False,
    plus: Plus = None,
    participants: Participants = None,
    dkim: Dkim = None,
    lang: Lang = None,
) -> None:
    """Change which mail comes to an inbox, how it is fetched and what becomes of it; what is not given stays as it is."""

    async def work(desk: "Desk") -> list[str]:
        from desk_core.kit.errors import Invalid
        from desk_core.people import service
        from gateway import inboxes, mail_inboxes

        if alias and no_aliases:
            raise Invalid(reason=_("either aliases or none"))
        options = mail_inboxes.MailOptions(
            imap_url, _folders(imap_folder), imap_after, imap_oauth_token_url, imap_oauth_client_id, imap_oauth_client_secret,
            imap_oauth_refresh_token, smtp_url,
        )  # fmt: skip
        ctx = await desk.context()
        async with desk.database.unit() as uow:
            inbox = await inboxes.by_name(uow, name)
            changed = await mail_inboxes.set_aliases(uow, ctx, inbox, alias or ()) if alias or no_aliases else []
            changed += await mail_inboxes.set_mail(uow, inbox, options, box=desk.box)
            changed += mail_inboxes.set_habits(inbox, plus=plus, participants=participants, dkim=dkim)
            changed += inboxes.set_manner(inbox, language=lang)
            if changed:
                service.audit(uow, actor="shell", action="inbox.set", subject=name, before={}, after={"changed": changed}, now=ctx.now)
        return changed

    changed = run(work)
    print(f"inbox {name}: {', '.join(changed)} changed" if changed else f"inbox {name} is as it was")


def _folders(given: list[str] | None) -> tuple[str, ...] | None:
    return tuple(given) if given else None


@add.command()
def webform(name: Name, lang: Lang = None) -> None:
    """A web form at /f/NAME."""

    async def work(desk: "Desk") -> None:
        await _add(desk, name=name, channel="webform", address=f"/f/{name}", lang=lang, config={}, sealed=None)

    run(work)
    print(f"inbox {name} added: /f/{name}")


@app.command("list")
def list_(json: Json = False) -> None:
    """All inboxes with their state."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.conversations import repository
        from gateway import inboxes

        async with desk.database.read() as session:
            # Programs are told in English whatever the terminal speaks.
            return [
                {
                    **inboxes.shown(inbox, desk.settings),
                    **({"last_error": translate(language(), inbox.trouble)} if inbox.trouble and not json else {}),
                }
                for inbox in await repository.inboxes(session)
            ]

    found = run(work)
    columns = ("name", "channel", "address", "aliases", "state", "last_received_at", "last_error")
    empty = "No inbox yet. Add one: priyom inbox add telegram|email|webform --help"
    show(found, as_json=json, table=lambda: rows(columns, [[_cell(one[key]) for key in columns] for one in found], empty=empty))


def _cell(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


def _set_state(name: str, state: str) -> None:
    async def work(desk: "Desk") -> None:
        from gateway import inboxes

        async with desk.database.unit() as uow:
            inbox = await inboxes.by_name(uow, name)
            if inbox.state != state:
                inbox.state = state
                inbox.version += 1

    run(work)
    print(f"inbox {name} is {state}")


@app.command()
def sign(name: Annotated[str, typer.Argument()], by: Annotated[SignedBy, typer.Argument()]) -> None:
    """Whose name people hear when somebody answers: the operator's own, or the team's."""

    async def work(desk: "Desk") -> None:
        from desk_core.people import service
        from gateway import inboxes

        async with desk.database.unit() as uow:
            inbox = await inboxes.by_name(uow, name)
            before = {"signed_by": inbox.config.get("signed_by")}
            inboxes.set_manner(inbox, signed_by=by.value)
            service.audit(
                uow, actor="shell", action="inbox.set", subject=name, before=before, after={"signed_by": by.value}, now=desk.clock.now()
            )

    run(work)
    print(f"inbox {name}: answers bear the name of the {by.value}")


@app.command()
def pause(name: Annotated[str, typer.Argument()]) -> None:
    """Stop receiving and sending; nothing is lost: mail servers and Telegram keep what comes, answers wait."""
    _set_state(name, "paused")


@app.command()
def resume(name: Annotated[str, typer.Argument()]) -> None:
    """Go on."""
    _set_state(name, "active")


app.command()(test)
