"""The pages of the mail sandbox: read what the desk sent, write to it as a pretend customer. Works without JavaScript."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData, UploadFile

from channels.email.sandbox.correspondent import Attachment, Correspondent
from channels.email.sandbox.mailbox import MailSandbox, Opened
from desk_core.kit.blobs import human_size
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import known_language, translate, translation

_ADDRESS = re.compile(r"^[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}$")
_LETTER_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
_FIELDS = ("sender", "name", "to", "subject", "text")
_MAX_UPLOAD = 30 * 1024 * 1024

Desks = Callable[[], Awaitable[Sequence[tuple[str, str]]]]


def create_pages(
    sandbox: MailSandbox,
    *,
    smtp: Callable[[], tuple[str, int]],
    inboxes: Desks,
    language: Callable[[Request], str] | None = None,
    stylesheet: str = "/static/priyom.css",
) -> APIRouter:
    """Routes under `/sandbox/mail`. `smtp` tells where the desk listens, `inboxes` lists (address, name) of its mail inboxes."""
    router = APIRouter(prefix="/sandbox/mail", include_in_schema=False)

    def say(request: Request) -> str:
        return language(request) if language else _language(request)

    async def page(request: Request, *, status: int = 200, form: Mapping[str, str] = MappingProxyType({}), **context: Any) -> Response:
        spoken = say(request)
        desks = [{"address": address, "name": name} for address, name in await inboxes()]
        body = _templates().get_template("mail.html").render(
            _=translation(spoken).gettext,
            language=spoken,
            stylesheet=stylesheet,
            mailboxes=await sandbox.mailboxes(),
            desks=desks,
            size=lambda size: translate(spoken, human_size(size)),
            **{"box": None, "letters": [], "letter": None, "error": "", "sent": False, **context},
            form={**dict.fromkeys(_FIELDS, ""), **form},
        )  # fmt: skip
        return HTMLResponse(body, status_code=status)

    async def send(request: Request, answered: Opened | None, form: FormData) -> str:
        """Send what a form holds; the answer is a sentence when it did not go through."""
        spoken = say(request)
        sender = answered.letter.mailbox if answered else _field(form, "sender").lower()
        to = answered.reply_to if answered else _field(form, "to")
        if not all(_ADDRESS.match(one) and one.isprintable() for one in (sender, to)):
            return translate(spoken, _("This does not look like an e-mail address."))
        files, too_large = await _files(form)
        if too_large:
            return translate(spoken, _("This file is larger than %(limit)s."), limit=human_size(_MAX_UPLOAD))
        person = Correspondent(sender, sandbox=sandbox, smtp=smtp(), desk=to, name=_field(form, "name"))
        import aiosmtplib

        try:
            if answered:
                await person.replies(answered, _field(form, "text"), *files)
            else:
                await person.writes(_field(form, "subject"), _field(form, "text"), *files)
        except (aiosmtplib.SMTPException, OSError) as error:
            words = " ".join(str(error).split())[:300]
            return translate(spoken, _("The desk did not take this letter: %(reason)s"), reason=words)
        return ""

    @router.get("")
    async def mailbox(request: Request, box: str | None = None, *, sent: bool = False) -> Response:
        """The letters of one mailbox, or of all."""
        return await page(request, box=box, letters=await sandbox.letters(box), sent=sent, form={"sender": box or ""})

    @router.post("/write")
    async def write(request: Request) -> Response:
        """Write as a pretend customer."""
        async with request.form(max_files=20) as form:
            error = await send(request, None, form)
            typed = {name: _field(form, name) for name in _FIELDS}
        if error:
            box = typed["sender"] or None
            return await page(request, status=422, box=box, letters=await sandbox.letters(box), error=error, form=typed)
        return _see({"box": typed["sender"].lower(), "sent": "1"})

    @router.get("/api/messages")
    async def api_messages(mailbox: str | None = None, limit: int = 100) -> Response:
        """Letters with their content, oldest first, for tests and scripts."""
        opened = [await sandbox.open(letter.id) for letter in await sandbox.letters(mailbox, limit=min(max(limit, 1), 500))]
        return JSONResponse([one.to_json() for one in reversed(opened) if one is not None])

    @router.get("/{letter_id}")
    async def read(request: Request, letter_id: str, *, sent: bool = False) -> Response:
        """One letter with its reply form."""
        letter = await sandbox.open(letter_id)
        if letter is None:
            return await page(request, status=404, error=translate(say(request), _("There is no such letter.")))
        box = letter.letter.mailbox
        return await page(request, box=box, letters=await sandbox.letters(box), letter=letter, sent=sent)

    @router.post("/{letter_id}/reply")
    async def reply(request: Request, letter_id: str) -> Response:
        """Answer as the customer."""
        letter = await sandbox.open(letter_id)
        if letter is None:
            return await page(request, status=404, error=translate(say(request), _("There is no such letter.")))
        async with request.form(max_files=20) as form:
            error = await send(request, letter, form)
            typed = {"text": _field(form, "text")}
        box = letter.letter.mailbox
        if error:
            return await page(request, status=422, box=box, letters=await sandbox.letters(box), letter=letter, error=error, form=typed)
        return _see({"box": box, "sent": "1"})

    @router.post("/{letter_id}/robot")
    async def robot(request: Request, letter_id: str) -> Response:
        """Answer as the machines do that stand before a customer: `what` is away, bounce or delay."""
        letter = await sandbox.open(letter_id)
        if letter is None or letter.letter.direction != "sent":
            return await page(request, status=404, error=translate(say(request), _("There is no such letter.")))
        async with request.form(max_files=0) as form:
            what = _field(form, "what")
        import aiosmtplib

        box = letter.letter.mailbox
        customer = Correspondent(box, sandbox=sandbox, smtp=smtp())
        try:
            if what == "away":
                await customer.is_away(letter)
            else:
                await customer.bounces(letter, permanent=what != "delay")
        except (aiosmtplib.SMTPException, OSError) as error:
            words = translate(say(request), _("The desk did not take this letter: %(reason)s"), reason=" ".join(str(error).split())[:300])
            return await page(request, status=422, box=box, letters=await sandbox.letters(box), letter=letter, error=words)
        return _see({"box": box, "sent": "1"})

    @router.get("/{letter_id}/html")
    async def markup(request: Request, letter_id: str) -> Response:
        """The HTML of a letter, for a frame that runs and fetches nothing."""
        letter = await sandbox.open(letter_id)
        headers = {"Content-Security-Policy": _LETTER_POLICY, "X-Frame-Options": "SAMEORIGIN", "X-Content-Type-Options": "nosniff"}
        body = letter.html or "" if letter else escape(translate(say(request), _("There is no such letter.")))
        return HTMLResponse(
            f'<!doctype html><meta charset="utf-8"><title>-</title>{body}', headers=headers, status_code=200 if letter else 404
        )

    @router.get("/{letter_id}/source")
    async def source(request: Request, letter_id: str, *, download: bool = False) -> Response:
        """The letter as it went over the wire."""
        letter = await sandbox.open(letter_id)
        if letter is None:
            return PlainTextResponse(translate(say(request), _("There is no such letter.")), status_code=404)
        if download:
            return Response(letter.raw, media_type="application/octet-stream", headers=_attached(f"{letter_id}.eml"))
        return PlainTextResponse(letter.raw.decode("utf-8", "replace"), headers={"X-Content-Type-Options": "nosniff"})

    @router.get("/{letter_id}/files/{number}")
    async def file(request: Request, letter_id: str, number: int) -> Response:
        """An attachment, always as a download."""
        letter = await sandbox.open(letter_id)
        if letter is None or not 0 <= number < len(letter.files):
            return PlainTextResponse(translate(say(request), _("There is no such file.")), status_code=404)
        found = letter.files[number]
        return Response(found.content, media_type="application/octet-stream", headers=_attached(found.name))

    return router


def _language(request: Request) -> str:
    wanted = request.query_params.get("lang") or request.cookies.get("lang")
    if wanted:
        return known_language(wanted)
    return known_language(request.headers.get("accept-language", "").split(",")[0].split(";")[0])


def _see(query: dict[str, str]) -> Response:
    return RedirectResponse(f"/sandbox/mail?{urlencode(query)}", status_code=303)


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}", "X-Content-Type-Options": "nosniff"}


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


async def _files(form: FormData) -> tuple[list[Attachment], bool]:
    found: list[Attachment] = []
    for value in form.getlist("files"):
        if isinstance(value, UploadFile) and value.filename:
            if (value.size or 0) > _MAX_UPLOAD:
                return [], True
            found.append((value.filename, value.content_type or "application/octet-stream", await value.read()))
    return found, False


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(Path(__file__).resolve().parent / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
