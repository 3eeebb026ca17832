"""Mail inboxes in the console: add one step by step, check it, pause it, replace its secret. A secret is never shown again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from channels.email.imap_account import Account, Fate, Security, guess, is_host, is_port, url_of
from desk_core.conversations.checkups import State
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.errors import DeskError, Invalid, StaleWrite
from desk_core.kit.i18n import gettext_noop as _
from gateway import inboxes, mail_inboxes
from gateway.checkups import checkup_of, told
from gateway.console import typed_secrets
from gateway.console.frame import Frame
from gateway.console.inbox_pages import Administrator, inbox_of, note_change, reason_of, switch
from gateway.console.mail_arrival import Arrival, teams_by_rule
from gateway.console.settings import SPEECH
from gateway.mail_inboxes import MailOptions
from gateway.web.paths import Ident
from gateway.web.templating import wants_part

router = APIRouter(prefix="/console/settings/mail", include_in_schema=False)

SECURITY = {Security.TLS.value: "TLS", Security.STARTTLS.value: "STARTTLS", Security.NONE.value: _("no protection")}
AFTER = {Fate.SEEN.value: _("Mark it as read"), Fate.MOVE.value: _("Move it to a folder"), Fate.DELETE.value: _("Delete it")}
NAMES = {"operator": _("The operator's own name"), "team": _("The name of the team")}
STEP_SECONDS = 6.0
LOOP_SECONDS = 12.0
"""Together with the steps before less than the half minute a page waits."""


@dataclass
class Typed:
    """What the form holds. `only` says that there is no mailbox to fetch.

    `kept` is a sealed password that was typed a moment ago; it opens only for the server and user it was typed for.
    """

    name: Annotated[str, Form(max_length=60)] = ""
    address: Annotated[str, Form(max_length=254)] = ""
    host: Annotated[str, Form(max_length=253)] = ""
    port: Annotated[str, Form(max_length=5)] = ""
    security: Annotated[str, Form(max_length=20)] = Security.TLS.value
    user: Annotated[str, Form(max_length=254)] = ""
    password: Annotated[str, Form(max_length=1000)] = field(default="", repr=False)
    kept: Annotated[str, Form(max_length=4000)] = field(default="", repr=False)
    folders: Annotated[str, Form(max_length=2000)] = "INBOX"
    after: Annotated[str, Form(max_length=20)] = Fate.SEEN.value
    move_to: Annotated[str, Form(max_length=250)] = ""
    only: Annotated[str, Form(max_length=20)] = ""
    version: Annotated[int, Form()] = 0

    @classmethod
    def guessed(cls, address: str) -> "Typed":
        """A form for an address, filled in as far as the address tells."""
        found = guess(address)
        name = re.sub(r"[^\w-]+", "-", address.partition("@")[0]).strip("-")[:60]
        return cls(name=name, address=address, host=found.host, port=str(found.port), security=found.security.value, user=address)

    @classmethod
    def of(cls, inbox: Inbox, account: Account | None) -> "Typed":
        """A form for a stored inbox; without its secrets."""
        if account is None:
            return cls(name=inbox.name, address=inbox.address, port=str(guess("").port), user=inbox.address, version=inbox.version)
        return cls(
            name=inbox.name, address=inbox.address, host=account.host, port=str(account.port), security=account.security.value,
            user=account.user, folders="\n".join(account.folders), after=account.after.fate.value, move_to=account.after.folder,
            version=inbox.version,
        )  # fmt: skip

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Where a password goes to: it is never sent to another server or for another user than it was typed for."""
        return self.security, self.host.strip().lower(), self.port.strip(), self.user.strip()


@dataclass(frozen=True, slots=True)
class Read:
    """A form read: what to store, the mailbox it makes, and what is wrong by field."""

    options: MailOptions
    account: Account | None
    address: str
    errors: Mapping[str, str]


@router.get("/new")
async def new(request: Request, signed: Administrator, address: str = "") -> Response:
    """First the address alone; then everything that can be guessed from it is filled in."""
    frame = await Frame.of(request, signed)
    if not address.strip():
        return _form(frame, Typed(), begun=False)
    try:
        known = mail_inboxes.mail_address(address[:254])
    except Invalid as error:
        return _form(frame, Typed(address=address[:254]), begun=False, errors={"address": reason_of(error)}, status=422)
    return _form(frame, Typed.guessed(known))


@router.post("/check")
async def check_new(request: Request, signed: Administrator, typed: Annotated[Typed, Depends()], itself: str = "") -> Response:
    return await _check(await Frame.of(request, signed), typed, None, itself=bool(itself))


@router.post("")
async def create(request: Request, signed: Administrator, typed: Annotated[Typed, Depends()]) -> Response:
    frame = await Frame.of(request, signed)
    read = _read(frame, typed, None)
    if read.errors:
        return _form(frame, typed, errors=read.errors, status=422)
    desk = frame.desk
    config, hidden = read.options.over({}, {})
    sealed = desk.box.seal(hidden) if hidden else None
    try:
        async with desk.database.unit() as uow:
            inbox = await inboxes.add(
                uow, name=typed.name.strip(), channel=ChannelKind.EMAIL, address=read.address, language=frame.config.language,
                config=config, sealed=sealed, clock=desk.clock,
            )  # fmt: skip
            note_change(uow, frame, "inbox.add", inbox.name, {"address": inbox.address, **config})
            inbox_id = inbox.id
    except mail_inboxes.AddressTaken as error:
        return _form(frame, typed, errors={"address": error.phrase}, status=error.status)
    except (inboxes.InboxExists, Invalid) as error:
        return _form(frame, typed, errors={"name": reason_of(error)}, status=error.status)
    return RedirectResponse(f"/console/settings/mail/{inbox_id}?saved=new", 303)


@router.get("/{inbox_id}")
async def mailbox(request: Request, signed: Administrator, inbox_id: Ident, saved: str = "") -> Response:
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    try:
        account = _stored(frame, inbox)
    except DeskError as error:
        # A secret sealed with a key that is lost: everything else can be read, and the secret typed anew.
        return _form(frame, Typed.of(inbox, None), inbox=inbox, saved=saved, errors={"password": error.text})
    return _form(frame, Typed.of(inbox, account), inbox=inbox, saved=saved)


@router.post("/{inbox_id}/check")
async def check(request: Request, signed: Administrator, inbox_id: Ident, typed: Annotated[Typed, Depends()], itself: str = "") -> Response:
    frame = await Frame.of(request, signed)
    return await _check(frame, typed, await inbox_of(frame, inbox_id, ChannelKind.EMAIL), itself=bool(itself))


@router.post("/{inbox_id}/state")
async def set_state(request: Request, signed: Administrator, inbox_id: Ident, state: Annotated[str, Form(max_length=10)]) -> Response:
    """Pause or resume; a pause loses nothing: the mail server keeps what comes, answers wait."""
    await switch(await Frame.of(request, signed), inbox_id, ChannelKind.EMAIL, state)
    return RedirectResponse(f"/console/settings/mail/{inbox_id}?saved={state}", 303)


@router.post("/{inbox_id}/habits")
async def set_habits(
    request: Request,
    signed: Administrator,
    inbox_id: Ident,
    plus: Annotated[str, Form(max_length=10)] = "",
    participants: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """How the inbox goes about its letters; what is not ticked is off."""
    frame = await Frame.of(request, signed)
    known = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    async with frame.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, known.id, with_for_update=True)
        if mail_inboxes.set_habits(inbox, plus=bool(plus), participants=bool(participants)):
            note_change(uow, frame, "inbox.habits", inbox.name, dict(mail_inboxes.habits(inbox.config)))
    return RedirectResponse(f"/console/settings/mail/{inbox_id}?saved=change", 303)


@router.post("/{inbox_id}/aliases")
async def set_aliases(
    request: Request, signed: Administrator, inbox_id: Ident, aliases: Annotated[str, Form(max_length=15_000)] = ""
) -> Response:
    """Which other addresses' mail comes to the inbox, one a line; none where nothing is typed."""
    frame = await Frame.of(request, signed)
    known, ctx = await inbox_of(frame, inbox_id, ChannelKind.EMAIL), await frame.desk.context()
    try:
        async with frame.desk.database.unit() as uow:
            inbox = await uow.session.get_one(Inbox, known.id)
            if await mail_inboxes.set_aliases(uow, ctx, inbox, [line for line in aliases.splitlines() if line.strip()]):
                note_change(uow, frame, "inbox.set", inbox.name, {"aliases": inbox.addresses[1:]})
    except (mail_inboxes.AddressTaken, Invalid) as error:
        words = reason_of(error) if isinstance(error, Invalid) else error.phrase
        typed = Typed.of(known, _stored_quietly(frame, known))
        return _form(frame, typed, inbox=known, errors={"aliases": words}, aliases=aliases, status=error.status)
    return RedirectResponse(f"/console/settings/mail/{inbox_id}?saved=change", 303)


@router.post("/{inbox_id}/manner")
async def set_manner(
    request: Request,
    signed: Administrator,
    inbox_id: Ident,
    language: Annotated[str, Form(max_length=10)],
    signed_by: Annotated[str, Form(max_length=10)],
) -> Response:
    """The language of its first words, and whose name people read under answers."""
    frame = await Frame.of(request, signed)
    known = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    async with frame.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, known.id, with_for_update=True)
        if inboxes.set_manner(inbox, language=language, signed_by=signed_by):
            note_change(uow, frame, "inbox.set", inbox.name, {"language": language, "signed_by": signed_by})
    return RedirectResponse(f"/console/settings/mail/{inbox_id}?saved=change", 303)


@router.post("/{inbox_id}")
async def change(request: Request, signed: Administrator, inbox_id: Ident, typed: Annotated[Typed, Depends()]) -> Response:
    frame = await Frame.of(request, signed)
    known = await inbox_of(frame, inbox_id, ChannelKind.EMAIL)
    read = _read(frame, typed, known)
    if read.errors:
        return _form(frame, typed, inbox=known, errors=read.errors, status=422)
    async with frame.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, known.id)
        if typed.version and typed.version != inbox.version:
            raise StaleWrite
        changed = await mail_inboxes.set_mail(uow, inbox, read.options, box=frame.desk.box)
        if changed:
            note_change(uow, frame, "inbox.set", inbox.name, {"changed": changed})
    return RedirectResponse(f"/console/settings/mail/{inbox_id}?saved=change", 303)


def _stored(frame: Frame, inbox: Inbox | None) -> Account | None:
    return None if inbox is None else mail_inboxes.mail_account(inbox.config, frame.desk.box.open(inbox.secrets))


def _read(frame: Frame, typed: Typed, inbox: Inbox | None) -> Read:
    """Everything that does not fit, by field; a password left empty is the one that was given for this very server and user."""
    errors: dict[str, str] = {}
    address = inbox.address if inbox is not None else ""
    try:
        address = address or mail_inboxes.mail_address(typed.address)
    except Invalid as error:
        errors["address"] = reason_of(error)
    if typed.after not in AFTER or typed.security not in SECURITY:
        raise Invalid(reason=_("This is none of the choices."))
    if typed.only or not typed.host.strip():
        return Read(MailOptions(imap_url=""), None, address, errors)
    if not typed.user.strip():
        errors["user"] = _("Who logs in? Most services want the whole address here.")
    if not is_port(typed.port.strip()):
        errors["port"] = _("A port is a number from 1 to 65535.")
    if not is_host(typed.host.strip()):
        errors["host"] = _("Only the server's name belongs here, like imap.example.org.")
    if typed.after == Fate.MOVE and not typed.move_to.strip():
        errors["move_to"] = _("Name the folder. It is made if it is missing.")
    if errors:
        return Read(MailOptions(), None, address, errors)
    held = _stored_quietly(frame, inbox)
    password = (
        typed.password
        or typed_secrets.opened(frame.desk.box, typed.place, typed.kept)
        or (held.password if held is not None and _same_place(typed, held) else "")
    )
    by_token = held is not None and held.oauth is not None and not typed.password and _same_place(typed, held)
    if not password and not by_token:
        lost = held is not None
        errors["password"] = _("Type the password again: it was given for another server or user.") if lost else _("A password is needed.")
        return Read(MailOptions(), None, address, errors)
    options = MailOptions(
        imap_url=url_of(
            security=Security(typed.security), host=typed.host.strip().lower(), port=int(typed.port), user=typed.user.strip(),
            password=password,
        ),
        imap_folders=tuple(folder.strip() for folder in typed.folders.splitlines() if folder.strip()) or ("INBOX",),
        imap_after=f"move:{typed.move_to.strip()}" if typed.after == Fate.MOVE else typed.after,
    )  # fmt: skip
    try:
        hidden = frame.desk.box.open(inbox.secrets) if inbox is not None and by_token else {}
        account = mail_inboxes.mail_account(*options.over(inbox.config if inbox is not None and by_token else {}, hidden))
    except Invalid as error:
        return Read(options, None, address, {"move_to": reason_of(error)})
    return Read(options, account, address, errors)


def _stored_quietly(frame: Frame, inbox: Inbox | None) -> Account | None:
    """The stored mailbox; None where its secret was sealed with a lost key, so that another can be typed."""
    try:
        return _stored(frame, inbox)
    except DeskError:
        return None


def _same_place(typed: Typed, held: Account) -> bool:
    return typed.place == (held.security.value, held.host.lower(), str(held.port), held.user)


async def _check(frame: Frame, typed: Typed, inbox: Inbox | None, *, itself: bool) -> Response:
    """Every step on one page; with `itself` the mail to itself too, which sends something."""
    read = _read(frame, typed, inbox)
    steps: list[dict[str, Any]] = []
    if not read.errors:
        found = await checkup_of(
            frame.desk, address=read.address, account=read.account, inbox=inbox, itself=itself, seconds=STEP_SECONDS,
            loop_seconds=LOOP_SECONDS,
        )  # fmt: skip
        steps = [told(step, frame.language) for step in await found.run()]
    status = 422 if read.errors else 200
    if wants_part(frame.request):
        return frame.render("parts/checkup.html", _around(frame, typed, inbox, errors=read.errors, steps=steps), status=status)
    return _form(frame, typed, inbox=inbox, errors=read.errors, steps=steps, status=status)


def _form(frame: Frame, typed: Typed, *, inbox: Inbox | None = None, status: int = 200, **more: Any) -> Response:
    return frame.render("mailbox.html", _around(frame, typed, inbox, **more), status=status)


def _around(frame: Frame, typed: Typed, inbox: Inbox | None, **more: Any) -> dict[str, Any]:
    account = _stored_quietly(frame, inbox)
    steps = more.get("steps", [])
    return {
        "habits": mail_inboxes.habits(inbox.config) if inbox is not None else {},
        "aliases": "\n".join(inbox.addresses[1:]) if inbox is not None else "",
        "arrival": Arrival.of(frame.desk.settings, *(inbox.addresses if inbox is not None else (typed.address,))),
        "spoken": {one: SPEECH.get(one, one) for one in (*frame.config.languages, *([inbox.language] if inbox is not None else ()))},
        "names": NAMES, "rules": teams_by_rule(frame.config, inbox.name, frame.language) if inbox is not None else (),
        "typed": typed, "inbox": inbox, "base": f"/console/settings/mail{'/' + inbox.id if inbox is not None else ''}", "begun": True,
        "errors": {}, "steps": steps, "saved": "", "security": SECURITY, "after": AFTER,
        "kept": typed_secrets.keep(frame.desk.box, typed.place, typed.password, typed.kept),
        "has_secret": account is not None or bool(typed.password or typed.kept),
        "by_token": account is not None and account.oauth is not None,
        "failed": sum(step["state"] == State.FAIL for step in steps), "warned": sum(step["state"] == State.WARN for step in steps),
        "tried_itself": any(step["key"] == "loop" for step in steps), **more,
    }  # fmt: skip
