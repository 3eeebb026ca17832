"""What lies in a mail: its readable pieces in order, and its files, whatever they are wrapped in. Pure."""

import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from channels.email.charsets import declared_in_html, text_of
from channels.email.containers import bare
from channels.email.enclosures import Enclosed, take_uuencoded, unwrap_tnef
from channels.email.html_text import text_of_html
from channels.email.mime import Part, header_text, headers_of, split_head

_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:\"|?*]")
_MANY = 50


@dataclass(frozen=True, slots=True)
class FilePart:
    """An attachment with its bytes, named safely; `content_id` is what `cid:` links in the HTML say."""

    name: str
    declared_type: str | None
    content: bytes
    inline: bool = False
    content_id: str | None = None


@dataclass(slots=True)
class Content:
    """Collected from part to part; where readable pieces lie only in a winmail.dat, they are what the mail says."""

    pieces: list[tuple[str, str]] = field(default_factory=list)  # (plain, html); one of them may be empty
    files: list[FilePart] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)  # letters of lines whose ">" is no mark of a quote
    wrapped: list[tuple[str, str]] = field(default_factory=list)  # of winmail.dat: mostly the same words again

    def enclose(self, enclosed: Sequence[Enclosed]) -> None:
        """Files that came in another wrapping than MIME."""
        for file in enclosed:
            kind, _ = mimetypes.guess_type(file.name)
            self.files.append(FilePart(safe_name(file.name, kind, len(self.files) + 1), kind, file.content))

    def text(self) -> str:
        texts = [plain if plain.strip() else text_of_html(html) for plain, html in self._told()]
        return "\n\n".join(text.strip("\n") for text in texts if text.strip())

    def html(self) -> str:
        return "\n".join(html for _, html in self._told() if html)

    def _told(self) -> list[tuple[str, str]]:
        return self.pieces if any(plain.strip() or html.strip() for plain, html in self.pieces) else self.wrapped


def contents_of(root: Part) -> Content:
    found = Content()
    _collect(root, found)
    return found


def _collect(part: Part, found: Content, *, related: bool = False) -> None:
    if part.type == "multipart/alternative":
        _alternative(part, found)
        return
    if part.parts:
        for child in part.parts:
            _collect(child, found, related=related or part.type == "multipart/related")
        return
    disposition, options = part.disposition()
    name = options.get("filename") or part.params.get("name") or ""
    if part.type in {"text/plain", "text/html", "text/enriched"} and disposition != "attachment" and not name:
        content = part.content()
        if part.type == "text/html":
            found.pieces.append(("", text_of(content, part.params.get("charset") or declared_in_html(content))))
        else:
            text = text_of(content, part.params.get("charset")).replace("\r\n", "\n").replace("\r", "\n")
            text, enclosed = take_uuencoded(text)
            if part.params.get("format", "").lower() == "flowed":
                found.typed += [bare(line) for line in text.split("\n") if line.startswith(" >") and bare(line)][:_MANY]
                text = _unflowed(text, part.params)
            found.pieces.append((text, ""))
            found.enclose(enclosed)
        return
    content = part.content()
    if (part.type in _TNEF or name.lower() == "winmail.dat") and (opened := unwrap_tnef(content)) is not None:
        if opened.text or opened.html:
            found.wrapped.append((opened.text, opened.html))
        found.enclose(opened.files)
        return
    if not content and not name and part.type in {"text/plain", "application/octet-stream"}:
        return
    content_id = part.get("content-id").strip("<> ") or None
    inline = disposition == "inline" or (related and content_id is not None and disposition != "attachment")
    if part.type == "message/rfc822" and not name:
        head, _ = split_head(content.lstrip(b"\r\n"))
        name = next((header_text(value) for key, value in headers_of(head) if key == "subject"), "") or "message"
        name = f"{name[:100]}.eml"
    found.files.append(FilePart(safe_name(name, part.type, len(found.files) + 1), part.type, content, inline, content_id))


def _alternative(part: Part, found: Content) -> None:
    """One piece from the alternatives: the plain text to read, the HTML to show, every file of either."""
    plain: list[str] = []
    html: list[str] = []
    for child in part.parts:
        inner = contents_of(child)
        plain += [text for text, _ in inner.pieces if text.strip()]
        html += [markup for _, markup in inner.pieces if markup.strip()]
        found.files += inner.files
        found.wrapped += inner.wrapped
        found.typed += inner.typed
    found.pieces.append(("\n\n".join(plain), "\n".join(html)))


def _unflowed(text: str, params: Mapping[str, str]) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676)."""
    joined: list[str] = []
    open_line = False
    for line in text.split("\n"):
        soft = line.endswith(" ") and line != "-- "
        body = line.removeprefix(" ")
        if open_line and not body.startswith(">") and joined and not joined[-1].startswith(">"):
            joined[-1] += body
        else:
            joined.append(body)
        open_line = soft
        if soft and params.get("delsp", "").lower() == "yes":
            joined[-1] = joined[-1][:-1]
    return "\n".join(joined)


def safe_name(name: str, kind: str | None, number: int) -> str:
    """A file name without a path, control characters or direction tricks; made up where there is none."""
    base = re.split(r"[/\\]", name)[-1]
    base = " ".join(_UNSAFE.sub(" ", base).split()).lstrip(".").strip()
    if not base:
        extension = ".eml" if kind == "message/rfc822" else (mimetypes.guess_extension(kind or "") or ".bin")
        return f"attachment-{number}{extension}"
    if len(base) > 150:
        stem, dot, extension = base.rpartition(".")
        base = f"{stem[: 149 - len(extension)]}.{extension}" if dot and len(extension) <= 12 else base[:150]
    return base
