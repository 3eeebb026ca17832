"""What somebody typed into a page of the mail sandbox, and what was wrong with it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile

from channels.email.sandbox.correspondent import Attachment
from desk_core.kit.blobs import human_size
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

FIELDS = ("sender", "name", "to", "cc", "subject", "text", "html", "all")
MOST_FILES = 20
_MAX_UPLOAD = 30 * 1024 * 1024
_MOST_COPIES = 20
_ADDRESS = re.compile(r"^[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}$")


@dataclass(slots=True)
class Typed:
    """A form as it was sent. `errors` holds sentences by field; under "" stands what is wrong with the whole."""

    values: Mapping[str, str]
    files: list[Attachment]
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def of(cls, form: FormData, *, language: str) -> "Typed":
        typed = cls({name: _field(form, name) for name in FIELDS}, [])
        for value in form.getlist("files"):
            if isinstance(value, UploadFile) and value.filename:
                if (value.size or 0) > _MAX_UPLOAD:
                    limit = human_size(_MAX_UPLOAD)
                    typed.errors["files"] = translate(language, _("This file is larger than %(limit)s."), limit=limit)
                    break
                typed.files.append((value.filename, value.content_type or "application/octet-stream", await value.read()))
        return typed

    def check(self, language: str, *, names: Collection[str]) -> None:
        """Say at each of these fields that it holds no address."""
        for name in names:
            if not is_address(self.values[name]):
                self.errors[name] = translate(language, _("This does not look like an e-mail address."))

    def copies(self, language: str) -> list[str]:
        """Whom the letter is copied to; what is no address is told at its field."""
        found = [one.lower() for one in re.split(r"[\s,;]+", self.values["cc"]) if one]
        wrong = next((one for one in found if not is_address(one)), None)
        if wrong is not None:
            self.errors["cc"] = translate(language, _("“%(text)s” does not look like an e-mail address."), text=wrong[:60])
        elif len(found) > _MOST_COPIES:
            self.errors["cc"] = translate(language, _("At most %(count)s people, please."), count=_MOST_COPIES)
        return found


def is_address(text: str) -> bool:
    return bool(_ADDRESS.match(text)) and text.isprintable()


def refusal(error: Exception, language: str) -> str:
    """Why a letter did not go, in the words of the desk's own server where it said some."""
    import aiosmtplib

    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        words = " ".join(f"{error.code} {error.message}".split())[:300]
    elif isinstance(error, aiosmtplib.SMTPNotSupported):
        words = str(error)
    else:
        return translate(language, _("The desk does not listen for mail right now. Nothing was sent; try again when it runs."))
    return translate(language, _("The desk did not take this letter: %(reason)s"), reason=words)


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
