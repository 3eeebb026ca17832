"""A form as it was sent: words, files, and the proofs beside them. Files are stored at once, so that an error loses none of them."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from channels.webform.desk import FormDesk
from channels.webform.forms import FILES, Filled, Problem
from channels.webform.protection import TRAP, Signer
from desk_core.conversations.files import NewFile, safe_name, store_file
from desk_core.conversations.ports import InboundFile
from desk_core.kit.blobs import human_size
from desk_core.kit.errors import Invalid, TooLarge
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

MEGABYTE = 1024 * 1024
WHOLE = 5
"""A whole form may be this many times as large as one file."""

FIELDS = 200
FIELD_BYTES = 512 * 1024
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored file of a form not sent yet; `signed` brings it back with the next attempt."""

    file: NewFile
    signed: str


@dataclass(frozen=True, slots=True)
class Posted:
    """Everything that came with one press of the button."""

    filled: Filled
    files: tuple[Kept, ...] = ()
    problems: tuple[Problem, ...] = ()  # of the files alone
    unstored: str = ""  # why a file could not be stored now, though nothing is wrong with it
    token: str = ""
    trap: str = ""
    work: str = ""
    step: str = ""
    article: str = ""
    values: dict[str, str] = field(default_factory=dict)  # single words of the small forms of the status page

    def inbound_files(self) -> tuple[InboundFile, ...]:
        return tuple(
            InboundFile(name=kept.file.name, declared_type=kept.file.declared_type, size=kept.file.size, sha256=kept.file.sha256)
            for kept in self.files
        )


async def read(request: Request, desk: FormDesk, *, signer: Signer, language: str) -> Posted:
    """Read a posted form. Raises `TooLarge` before reading what is larger than any form may be."""
    limit = desk.settings.limits.attachment_mb * MEGABYTE
    check_whole(request, limit * WHOLE)
    try:
        form = await request.form(max_files=FILES * 2, max_fields=FIELDS, max_part_size=FIELD_BYTES)
    except HTTPException as error:
        raise Invalid(reason=str(error.detail)[:200]) from error
    try:
        filled = Filled.of(form.multi_items())
        files, problems, unstored = await _files(form, desk, signer=signer, limit=limit, language=language)
        return Posted(
            filled=filled,
            files=files,
            problems=problems,
            unstored=unstored,
            token=_word(form, "token"),
            trap=_word(form, TRAP),
            work=_word(form, "work"),
            step=_word(form, "step"),
            article=_word(form, "article"),
            values={name: _word(form, name) for name in ("once", "solved", "score", "comment", "purpose")},
        )
    finally:
        await form.close()


def check_whole(request: Request, limit: int) -> None:
    """Raises `TooLarge` before anything is read, and `Invalid` where the length is not told."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        # Without a length the body could go on for ever; every browser tells it.
        raise Invalid(reason="Content-Length")
    if int(length) > limit:
        raise TooLarge(limit=human_size(limit))


def _megabytes(limit: int, language: str) -> str:
    return translate(language, _("%(n)s MB"), n=limit // MEGABYTE)


def _word(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


async def _files(
    form: FormData, desk: FormDesk, *, signer: Signer, limit: int, language: str
) -> tuple[tuple[Kept, ...], tuple[Problem, ...], str]:
    kept = [found for value in form.getlist("kept") if isinstance(value, str) and (found := _returning(signer, value))]
    problems: list[Problem] = []
    unstored = ""
    for upload in form.getlist("files"):
        if not isinstance(upload, UploadFile) or not (upload.filename or upload.size):
            continue
        name = safe_name(upload.filename)
        if len(kept) >= FILES:
            sentence = _("“%(name)s” was not attached: %(limit)s files at most. Send the others afterwards, as an addition.")
            problems.append(Problem("files", translate(language, sentence, name=name, limit=FILES)))
            continue
        try:
            file = await store_file(desk.blobs, name=name, content=stream(upload), limit=limit, declared=upload.content_type)
        except TooLarge:
            sentence = _("“%(name)s” is larger than %(limit)s and was not attached. Send it in parts, or put a link into the text.")
            problems.append(Problem("files", translate(language, sentence, name=name, limit=_megabytes(limit, language))))
            continue
        except OSError as error:
            unstored = type(error).__name__
            continue
        kept.append(Kept(file, signer.file(asdict(file))))
    return tuple(kept), tuple(problems), unstored


def _returning(signer: Signer, signed: str) -> Kept | None:
    """A file stored with an earlier attempt; a reference that we did not sign is no file of this form."""
    described = signer.read_file(signed)
    return Kept(NewFile(**described), signed) if described is not None else None


async def stream(upload: UploadFile) -> AsyncIterator[bytes]:
    """The bytes in pieces."""
    while chunk := await upload.read(CHUNK):
        yield chunk
