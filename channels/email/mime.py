"""The structure of a mail: headers, parts, names and transfer encodings, read leniently and within bounds. Pure, never raises.

The standard library's parser walks line by line and its modern policy parses every header in full; together that costs many times more
per mail than finding boundaries in the bytes, and it gives up where mail in the wild is merely untidy.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from channels.email.charsets import text_of

MAX_PARTS = 1000
MAX_DEPTH = 20
_MAX_HEADERS = 2000
_MAX_HEADER = 64 * 1024

_HEADER = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]*")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_GUESSED_BOUNDARY = re.compile(rb"(?:^|\n)--([^\s-][^\r\n]{0,198}?)[ \t]*\r?\n(?=[Cc]ontent-[A-Za-z-]+:)")
_SEGMENT = re.compile(r"^([^*]+)(?:\*(\d{1,3}))?(\*)?$")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){3,}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME entity: raw headers with lower-case names, its type with parameters, its raw body or its children."""

    headers: tuple[tuple[str, bytes], ...]
    type: str
    params: dict[str, str]
    body: bytes
    parts: tuple["Part", ...] = ()
    defects: tuple[str, ...] = ()
    depth: int = 0

    def raw(self, name: str) -> bytes | None:
        """The first header of that (lower-case) name, undecoded."""
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        """Every header of that name, decoded."""
        return [header_text(value) for key, value in self.headers if key == name]

    def get(self, name: str) -> str:
        """The first header of that name, decoded; empty where there is none."""
        value = self.raw(name)
        return header_text(value) if value is not None else ""

    def disposition(self) -> tuple[str, dict[str, str]]:
        """Content-Disposition and its parameters."""
        value = self.raw("content-disposition")
        return parameters(value) if value else ("", {})

    def content(self) -> bytes:
        """The body with its transfer encoding undone."""
        return decode_transfer(self.body, self.get("content-transfer-encoding"))

    def walk(self) -> Iterator["Part"]:
        """This part and everything in it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(slots=True)
class _Budget:
    parts: int = MAX_PARTS
    defects: list[str] = field(default_factory=list)


def read(raw: bytes) -> Part:
    """The tree of a mail. Whatever is broken is named in the root's `defects` and kept as text as far as it goes."""
    budget = _Budget()
    root = _part(_from_the_top(raw), budget, depth=0, default="text/plain")
    return Part(root.headers, root.type, root.params, root.body, root.parts, tuple(dict.fromkeys(budget.defects)))


def top_headers(raw: bytes) -> tuple[tuple[str, bytes], ...]:
    """The headers of a mail alone, as `headers_of` gives them."""
    return headers_of(split_head(_from_the_top(raw))[0])


def _from_the_top(raw: bytes) -> bytes:
    """A mail without what an mbox or an untidy sender puts before its first header."""
    raw = raw.lstrip(b"\r\n")
    return raw[raw.index(b"\n") + 1 :] if raw.startswith(b"From ") and b"\n" in raw else raw


def split_head(raw: bytes) -> tuple[bytes, bytes]:
    """(header block, body). A block whose first line is no header is all body."""
    ends = [(at, at + skip) for mark, skip in ((b"\n\n", 2), (b"\n\r\n", 3)) if (at := raw.find(mark)) >= 0]
    if not ends and b"\n" not in raw and (at := raw.find(b"\r\r")) >= 0:
        ends = [(at, at + 2)]
    if raw[:1] == b"\n":
        return b"", raw[1:]
    if raw[:2] == b"\r\n":
        return b"", raw[2:]
    head, body = (raw[: min(ends)[0]], raw[min(ends)[1] :]) if ends else (raw, b"")
    if not _HEADER.match(head):
        return b"", raw
    told = _end_of_headers(head)
    return (head, body) if told == len(head) else (head[:told], raw[told:])


def _end_of_headers(head: bytes) -> int:
    """Where the text begins that follows the headers without an empty line; the whole block where headers go on after stray lines."""
    stray, at = -1, 0
    for line in head.splitlines(keepends=True):
        if _HEADER.match(line) or (line[:1] in {b" ", b"\t"} and stray < 0):
            stray = -1
        elif stray < 0 and line.strip():
            stray = at
        at += len(line)
    return len(head) if stray < 0 else stray


def headers_of(head: bytes) -> tuple[tuple[str, bytes], ...]:
    """Unfolded headers in order, names in lower case; lines that are no headers are passed over."""
    if b"\r" in head:
        head = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found: list[tuple[str, bytes]] = []
    for line in head.replace(b"\n ", b" ").replace(b"\n\t", b" ").split(b"\n"):
        match = _HEADER.match(line)
        if match:
            found.append((match[1].decode("ascii").lower(), line[match.end() : match.end() + _MAX_HEADER].rstrip()))
            if len(found) >= _MAX_HEADERS:
                break
    return tuple(found)


def _part(raw: bytes, budget: _Budget, *, depth: int, default: str) -> Part:
    head, body = split_head(raw)
    headers = headers_of(head)
    declared = next((value for name, value in headers if name == "content-type"), None)
    kind, params = parameters(declared) if declared else (default, {})
    kind = kind.lower().strip()
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind):
        kind = "text/plain" if kind in {"", "text", "text/"} else "application/octet-stream"
    if not kind.startswith("multipart/"):
        return Part(headers, kind, params, body, depth=depth)
    chunks = _chunks(body, params.get("boundary", ""), budget)
    if chunks is None or depth >= MAX_DEPTH:
        budget.defects.append("too_deep" if chunks is not None else "no_boundary")
        return Part(headers, "text/plain", {}, body, depth=depth)
    default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    children: list[Part] = []
    for chunk in chunks:
        if budget.parts <= 0:
            budget.defects.append("too_many_parts")
            break
        budget.parts -= 1
        children.append(_part(chunk, budget, depth=depth + 1, default=default))
    return Part(headers, kind, params, b"", tuple(children), depth=depth)


def _chunks(body: bytes, boundary: str, budget: _Budget) -> list[bytes] | None:
    """The pieces between boundaries; a boundary that is missing or wrong is guessed from the body. None: there is none."""
    chunks = _split(body, boundary.encode("latin-1", "replace"), budget) if boundary else None
    if chunks is None:
        guess = _GUESSED_BOUNDARY.search(body)
        if guess:
            budget.defects.append("wrong_boundary")
            chunks = _split(body, guess[1], budget)
    return chunks


def _split(body: bytes, boundary: bytes, budget: _Budget) -> list[bytes] | None:
    mark = b"--" + boundary
    chunks: list[bytes] = []
    start: int | None = None
    position = 0
    while (at := body.find(mark, position)) >= 0:
        position = at + len(mark)
        if at and body[at - 1] not in b"\r\n":
            continue
        line_end = body.find(b"\n", position)
        rest = body[position : len(body) if line_end < 0 else line_end].strip()
        if rest not in {b"", b"--"}:
            continue
        if start is not None:
            chunks.append(_without_last_newline(body[start:at]))
        start = None
        if rest == b"--":
            break
        start = len(body) if line_end < 0 else line_end + 1
        position = start
    if start is not None:
        budget.defects.append("unfinished")
        chunks.append(body[start:])
    return chunks or None


def _without_last_newline(chunk: bytes) -> bytes:
    if chunk.endswith(b"\r\n"):
        return chunk[:-2]
    return chunk[:-1] if chunk.endswith((b"\n", b"\r")) else chunk


_PADDED_END = re.compile(rb"=[ \t]+(?=\r?\n|$)")  # servers pad lines; a soft break is one all the same (RFC 2045, 6.7)


def decode_transfer(body: bytes, encoding: str) -> bytes:
    """The bytes behind base64 or quoted-printable; anything else stays as it is."""
    match encoding.strip().strip("\"'").lower().split(";")[0].strip():
        case "base64":
            return decode_base64(body)
        case "quoted-printable" | "quoted-printeable" | "quopri":
            return binascii.a2b_qp(_PADDED_END.sub(b"=", body))
        case _:
            return body


def decode_base64(body: bytes) -> bytes:
    """Base64 as far as it goes: foreign characters passed over, missing padding supplied."""
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        pure = _NOT_BASE64.sub(b"", body)
        if len(pure) % 4 == 1:
            pure = pure[:-1]
        return binascii.a2b_base64(pure + b"=" * (-len(pure) % 4))


def header_text(value: bytes) -> str:
    """A header as people read it: encoded words decoded, raw eight-bit bytes recognised, white space collapsed."""
    if b"=?" not in value:
        text = text_of(value) if not value.isascii() else value.decode("ascii").replace("\x00", "")
    else:
        text = _decode_words(value)
    return " ".join(text.split())


def _decode_words(value: bytes) -> str:
    source = value.decode("latin-1")
    pieces: list[str] = []
    waiting, charset, end = b"", "", 0
    for word in _WORD.finditer(source):
        between = source[end : word.start()]
        content = _word_bytes(word[2], word[3])
        # One letter may be cut in two by neighbouring words, so their bytes are joined before decoding.
        if waiting and not between.strip() and word[1].lower() == charset:
            waiting += content
        else:
            if waiting:
                pieces.append(text_of(waiting, charset))
                between = between if between.strip() else ""
            pieces.append(text_of(between.encode("latin-1")))
            waiting, charset = content, word[1].lower()
        end = word.end()
    if waiting:
        pieces.append(text_of(waiting, charset))
    pieces.append(text_of(source[end:].encode("latin-1")))
    return "".join(pieces)


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("latin-1")
    return decode_base64(raw) if encoding in "bB" else binascii.a2b_qp(raw, header=True)


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """A structured header: its value and its parameters, with RFC 2231 continuations, encoded words and raw bytes decoded."""
    fields = list(_fields(value.decode("latin-1")))
    main = fields[0].strip() if fields else ""
    segments: dict[str, dict[int, tuple[str, bool]]] = {}
    for item in fields[1:]:
        name, equals, text = item.partition("=")
        match = _SEGMENT.match(name.strip().lower())
        if equals and match:
            parts, place, extended = segments.setdefault(match[1].strip(), {}), int(match[2] or 0), bool(match[3])
            if place not in parts or (extended and not parts[place][1]):  # "filename*" says it better than "filename" (RFC 6266, 4.3)
                parts[place] = (_unquote(text), extended)
    return main.lower(), {name: _joined(parts) for name, parts in segments.items()}


def _fields(text: str) -> Iterator[str]:
    """Split at semicolons outside quotes. A quote that is never closed ends at the end of the value."""
    start = position = 0
    quoted = False
    while position < len(text):
        letter = text[position]
        if letter == '"':
            quoted = not quoted
        elif letter == "\\" and quoted and text[position + 1 : position + 2] in {'"', "\\"}:
            position += 1
        elif letter == ";" and not quoted:
            yield text[start:position]
            start = position + 1
        position += 1
    yield text[start:]


def _unquote(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        text = text[1:].removesuffix('"')
        # Only these two are escapes; a lone backslash is a Windows path.
        return text.replace('\\"', '"').replace("\\\\", "\\")
    return text


def _joined(parts: dict[int, tuple[str, bool]]) -> str:
    charset: str | None = None
    content = b""
    for index in sorted(parts):
        text, encoded = parts[index]
        if encoded:
            if charset is None and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            content += unquote_to_bytes(text.encode("latin-1"))
        else:
            content += text.encode("latin-1")
    if b"=?" in content:
        return header_text(content)
    decoded = text_of(content, charset or None)
    if charset is None and _PERCENT.search(decoded):
        return text_of(unquote_to_bytes(decoded.encode()))
    return decoded
