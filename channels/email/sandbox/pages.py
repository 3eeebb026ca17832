"""The pages of the mail sandbox: read what the desk sent, write to it as a pretend customer. Works without JavaScript."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from channels.email.sandbox.correspondent import Correspondent
from channels.email.sandbox.forms import FIELDS, MOST_FILES, Typed, refusal
from channels.email.sandbox.mailbox import MailSandbox, Opened
from channels.email.sandbox.threads import Thread, threads
from channels.email.viewing import page_of
from desk_core.kit.blobs import human_size
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import known_language, translate, translation

_HERE = Path(__file__).resolve().parent
_LETTER_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
_SENT = {
    "letter": _("The letter is on its way. The desk's answer appears here by itself."),
    "away": _("The automatic reply went to the desk. Nobody answers a robot; the console shows it."),
    "bounce": _("The desk was told that there is no such address. The console shows it at the letter."),
    "delay": _("The desk was told that the letter is delayed. It waits on; the console shows the report."),
}

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

    async def page(
        request: Request,
        *,
        status: int = 200,
        box: str | None = None,
        letter: Opened | None = None,
        typed: Typed | None = None,
        error: str = "",
    ) -> Response:
        spoken = say(request)
        desks = [{"address": address, "name": name} for address, name in await inboxes()]
        found = threads(await sandbox.letters(box))
        values = typed.values if typed else {**dict.fromkeys(FIELDS, ""), "sender": box or ""}
        errors = typed.errors if typed else {}
        body = _templates().get_template("mail.html").render(
            _=translation(spoken).gettext,
            ngettext=translation(spoken).ngettext,
            language=spoken,
            stylesheet=stylesheet,
            mailboxes=await sandbox.mailboxes(),
            box=box,
            threads=found,
            letter=letter,
            thread=_thread_of(letter, found) if letter else None,
            here=f"/sandbox/mail/{letter.letter.id}" if letter else "/sandbox/mail",
            desks=desks,
            ours={desk["address"] for desk in desks},
            size=lambda size: translate(spoken, human_size(size)),
            error=error or errors.get("", ""),
            errors=errors,
            sent=translate(spoken, _SENT[sent]) if (sent := request.query_params.get("sent", "")) in _SENT else "",
            awaited=sent == "letter",
            form=values,
        )  # fmt: skip
        return HTMLResponse(body, status_code=status)

    async def nothing(request: Request) -> Response:
        return await page(request, status=404, error=translate(say(request), _("There is no such letter.")))

    async def correspondent(address: str, *, desk: str = "", name: str = "") -> Correspondent:
        return Correspondent(
            address, sandbox=sandbox, smtp=smtp(), desk=desk, desks=[one for one, _name in await inboxes()], name=name
        )  # fmt: skip

    async def sends(work: Awaitable[Any], typed: Typed, spoken: str) -> None:
        """Let a letter go; where the desk refuses it, the form says why."""
        import aiosmtplib

        try:
            await work
        except (aiosmtplib.SMTPException, OSError) as error:
            typed.errors[""] = refusal(error, spoken)

    @router.get("")
    async def mailbox(request: Request, box: str | None = None) -> Response:
        """The letters of one mailbox, or of all."""
        return await page(request, box=box)

    @router.get("/mail.js")
    async def script() -> Response:
        """What brings in the desk's answer by itself."""
        return FileResponse(_HERE / "static" / "mail.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    @router.post("/write")
    async def write(request: Request) -> Response:
        """Write as a pretend customer."""
        spoken = say(request)
        async with request.form(max_files=MOST_FILES) as form:
            typed = await Typed.of(form, language=spoken)
        typed.check(spoken, names=("sender", "to"))
        cc, said = typed.copies(spoken), typed.values
        sender = said["sender"].lower()
        if not typed.errors:
            person = await correspondent(sender, desk=said["to"], name=said["name"])
            await sends(person.writes(said["subject"], said["text"], *typed.files, cc=cc, html=said["html"] or None), typed, spoken)
        if typed.errors:
            return await page(request, status=422, box=None if "sender" in typed.errors else sender, typed=typed)
        return _see("", {"box": sender, "sent": "letter"})

    @router.get("/api/messages")
    async def api_messages(mailbox: str | None = None, limit: int = 100) -> Response:
        """Letters with their content, oldest first, for tests and scripts."""
        opened = [await sandbox.open(letter.id) for letter in await sandbox.letters(mailbox, limit=min(max(limit, 1), 500))]
        return JSONResponse([one.to_json() for one in reversed(opened) if one is not None])

    @router.get("/api/newest")
    async def api_newest(box: str | None = None) -> Response:
        """The id of the newest letter, for pages that wait for one."""
        return PlainTextResponse(
            next((letter.id for letter in await sandbox.letters(box, limit=1)), ""), headers={"Cache-Control": "no-store"}
        )

    @router.get("/{letter_id}")
    async def read(request: Request, letter_id: str) -> Response:
        """One letter with its thread and a form to answer it."""
        letter = await sandbox.open(letter_id)
        return await page(request, box=letter.letter.mailbox, letter=letter) if letter else await nothing(request)

    @router.post("/{letter_id}/reply")
    async def reply(request: Request, letter_id: str) -> Response:
        """Answer as the customer, to the desk alone or to all."""
        spoken, letter = say(request), await sandbox.open(letter_id)
        if letter is None:
            return await nothing(request)
        async with request.form(max_files=MOST_FILES) as form:
            typed = await Typed.of(form, language=spoken)
        if not typed.errors:
            cc = letter.others if typed.values["all"] else ()
            person = await correspondent(letter.letter.mailbox)
            await sends(person.replies(letter, typed.values["text"], *typed.files, cc=cc), typed, spoken)
        if typed.errors:
            return await page(request, status=422, box=letter.letter.mailbox, letter=letter, typed=typed)
        return _see(f"/{letter.letter.id}", {"sent": "letter"})

    @router.post("/{letter_id}/robot")
    async def robot(request: Request, letter_id: str) -> Response:
        """Answer as the machines do that stand before a customer: `what` is away, bounce or delay."""
        spoken, letter = say(request), await sandbox.open(letter_id)
        if letter is None or letter.letter.direction != "sent":
            return await nothing(request)
        async with request.form(max_files=0) as form:
            what = form.get("what")
            typed = await Typed.of(form, language=spoken)
        if what not in ("away", "bounce", "delay"):
            typed.errors[""] = translate(spoken, _("This is none of the choices."))
        else:
            person = await correspondent(letter.letter.mailbox)
            await sends(person.is_away(letter) if what == "away" else person.bounces(letter, permanent=what == "bounce"), typed, spoken)
        if typed.errors:
            return await page(request, status=422, box=letter.letter.mailbox, letter=letter, typed=typed)
        return _see(f"/{letter.letter.id}", {"sent": str(what)})

    @router.get("/{letter_id}/html")
    async def markup(request: Request, letter_id: str) -> Response:
        """The HTML of a letter, for a frame that runs and fetches nothing."""
        spoken, letter = say(request), await sandbox.open(letter_id)
        if letter is None:
            return PlainTextResponse(translate(spoken, _("There is no such letter.")), status_code=404)
        headers = {"Content-Security-Policy": _LETTER_POLICY, "X-Frame-Options": "SAMEORIGIN", "X-Content-Type-Options": "nosniff"}
        return HTMLResponse(page_of(letter.raw, language=spoken), headers=headers)

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


def _see(path: str, query: dict[str, str]) -> Response:
    return RedirectResponse(f"/sandbox/mail{path}?{urlencode(query)}", status_code=303)


def _thread_of(letter: Opened, found: Sequence[Thread]) -> Thread:
    """The thread of a letter; it alone where it is older than what the list shows."""
    return next((thread for thread in found if any(one.id == letter.letter.id for one in thread.letters)), Thread((letter.letter,)))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}", "X-Content-Type-Options": "nosniff"}


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(_HERE / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
