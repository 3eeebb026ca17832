"""What lies in a mail in other wrappings than MIME: Outlook's winmail.dat, uuencoded files in the text, signed and encrypted mail. Pure."""

import binascii
import re
from dataclasses import dataclass
from typing import Any

from channels.email.charsets import text_of
from channels.email.mime import Part

_MOST = 200  # files of one wrapping
_MOST_VALUES = 50_000  # of one property, and properties of one file
_UU_BEGIN = re.compile(r"^begin(?:-base64)? [0-7]{3,4} (\S.{0,200})$", re.MULTILINE)
_SIGNATURES = {"application/pkcs7-signature": "S/MIME", "application/x-pkcs7-signature": "S/MIME", "application/pgp-signature": "PGP"}
_ARMOUR = re.compile(r"^-----BEGIN PGP (SIGNED MESSAGE|MESSAGE)-----\s*$", re.MULTILINE)
_ARMOUR_HEAD = re.compile(r"^-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:[A-Za-z]+:.*\r?\n)*\r?\n", re.MULTILINE)
_ARMOUR_SHUT = re.compile(r"^-----BEGIN PGP MESSAGE-----.*?(?:^-----END PGP MESSAGE-----\s*$|\Z)", re.MULTILINE | re.DOTALL)
_ARMOUR_TAIL = re.compile(r"^-----BEGIN PGP SIGNATURE-----.*?(?:^-----END PGP SIGNATURE-----\s*$|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that was wrapped: its name as it was given, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What a winmail.dat held."""

    text: str = ""
    html: str = ""
    files: tuple[Enclosed, ...] = ()


def unwrap_tnef(content: bytes) -> Wrapped | None:
    """The text and files of a winmail.dat (MS-OXTNEF); None where it cannot be read: then it is a file like any other."""
    import logging

    from tnefparse import mapi
    from tnefparse.tnef import TNEF

    vars(mapi)["range"] = _few  # it believes whatever number of values a broken file names, and four thousand million take for ever

    logging.getLogger("tnef-decode").setLevel(logging.ERROR)  # it tells of every odd attribute
    try:
        opened: Any = TNEF(content, do_checksum=False)  # type: ignore[no-untyped-call]
        files = [Enclosed(_tnef_name(file), bytes(file.data)) for file in opened.attachments[:_MOST] if file.data]
        found = Wrapped(_tnef_text(opened.body), _tnef_text(opened.htmlbody), tuple(files))
        return found if found != Wrapped() else None
    except Exception:  # noqa: BLE001 - the library answers what is broken with whatever error it runs into
        return None


def _few(count: int) -> range:
    if count > _MOST_VALUES:
        raise ValueError("more values than a mail has")
    return range(count)


def _tnef_name(file: object) -> str:
    try:
        long = file.long_filename()  # type: ignore[attr-defined]
    except (UnicodeDecodeError, AttributeError, TypeError):
        long = None
    name = long or getattr(file, "_name", b"")
    return (text_of(name) if isinstance(name, bytes) else str(name)).strip("\x00 ")


def _tnef_text(body: object) -> str:
    if isinstance(body, bytes):
        return text_of(body).strip("\x00")
    return str(body).strip("\x00") if body else ""


def take_uuencoded(text: str) -> tuple[str, list[Enclosed]]:
    """The text without its uuencoded files (POSIX uuencode), and those files. What does not decode stays in the text."""
    files: list[Enclosed] = []
    kept: list[str] = []
    at = 0
    for begin in _UU_BEGIN.finditer(text):
        if begin.start() < at or len(files) >= _MOST:
            continue
        end = text.find("\nend", begin.end())
        if end < 0:
            break
        content = _uudecoded(text[begin.end() + 1 : end], base64="-base64" in begin[0])
        if content is None:
            continue
        files.append(Enclosed(begin[1].strip(), content))
        kept.append(text[at : begin.start()])
        at = end + len("\nend")
    return ("".join([*kept, text[at:]]), files) if files else (text, [])


def _uudecoded(body: str, *, base64: bool) -> bytes | None:
    content = bytearray()
    for line in body.split("\n"):
        line = line.rstrip("\r")
        if not line or line in ("`", " ", "===="):
            continue
        try:
            content += binascii.a2b_base64(line) if base64 else binascii.a2b_uu(line)
        except (binascii.Error, ValueError):
            return None
    return bytes(content) or None


def sealed(root: Part, text: str) -> dict[str, str]:
    """Whether a mail is signed or encrypted, and by what: {"how": "signed" | "encrypted", "by": "S/MIME" | "PGP"}; empty for most."""
    for part in root.walk():
        match part.type:
            case "multipart/encrypted" | "application/pgp-encrypted":
                return {"how": "encrypted", "by": "PGP"}
            case "application/pkcs7-mime" | "application/x-pkcs7-mime":
                signed = part.params.get("smime-type", "").lower() in ("signed-data", "certs-only")
                return {"how": "signed" if signed else "encrypted", "by": "S/MIME"}
            case kind if kind in _SIGNATURES:
                return {"how": "signed", "by": _SIGNATURES[kind]}
            case "multipart/signed":
                return {"how": "signed", "by": "PGP" if "pgp" in part.params.get("protocol", "").lower() else "S/MIME"}
    armour = _ARMOUR.search(text)
    if armour is None:
        return {}
    return {"how": "encrypted" if armour[1] == "MESSAGE" else "signed", "by": "PGP"}


def without_armour(text: str) -> str:
    """The words of a clear-signed text (RFC 9580, section 7) without the lines that seal it, and those around an encrypted block."""
    if "-----BEGIN PGP " not in text:
        return text
    text = _ARMOUR_SHUT.sub("", text).rstrip()
    bare = _ARMOUR_TAIL.sub("", _ARMOUR_HEAD.sub("", text))
    return re.sub(r"^- (?=-|From )", "", bare, flags=re.MULTILINE)  # dash-escaped
