"""Telegram's HTML: text and entities out of markup, refused in the words of the real server; offsets are UTF-16 units."""

import re
from dataclasses import dataclass
from typing import Any, Final

from channels.telegram.sandbox.refusals import Refusal, bad_request

Json = dict[str, Any]

_TYPES: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ESCAPE: Final = re.compile(r"&(?:#(x[0-9a-fA-F]+|\d+)|(lt|gt|amp|quot));")
_START: Final = re.compile(r"<([a-zA-Z0-9-]+)((?:\s+[a-zA-Z0-9-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)\s*>")
_ATTRIBUTE: Final = re.compile(r"([a-zA-Z0-9-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+)))?")
_END: Final = re.compile(r"</([a-zA-Z0-9-]*)\s*>")

# What every client marks by itself; parsed entities win where both meet.
_FOUND_BY_ITSELF: Final = (
    ("url", re.compile(r"\bhttps?://[^\s<>\"]+[^\s<>\".,;:!?)\]»]")),
    ("email", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")),
    ("bot_command", re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w+)?\b")),
    ("mention", re.compile(r"(?<![\w@.])@[A-Za-z]\w{3,31}\b")),
    ("hashtag", re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}\b")),
    ("phone_number", re.compile(r"(?<![\w+])\+\d[\d ()-]{8,18}\d\b")),
)


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    at: int
    attributes: dict[str, str]


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def unescape(text: str) -> str:
    """Telegram's four named escapes and the numeric ones; anything else stays as written."""

    def replace(match: re.Match[str]) -> str:
        number, name = match.groups()
        if name:
            return _NAMED[name]
        code = int(number[1:], 16) if number.startswith("x") else int(number)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()

    return _ESCAPE.sub(replace, text)


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Plain text and entities; raises the refusal that the real server answers for broken markup."""
    out: list[str] = []
    length = 0
    opened: list[_Open] = []
    entities: list[Json] = []
    at = 0
    while at < len(source):
        if source[at] != "<":
            upto = source.find("<", at)
            upto = len(source) if upto < 0 else upto
            piece = unescape(source[at:upto])
            out.append(piece)
            length += utf16_length(piece)
            at = upto
        elif source.startswith("</", at):
            match = _END.match(source, at)
            if match is None:
                raise _broken("Unclosed end tag", source, at)
            _close(opened, match[1].lower(), length, entities, source=source, at=at)
            at = match.end()
        else:
            opened.append(_begin(source, at, length))
            at = source.index(">", at) + 1 if (match := _START.match(source, at)) is None else match.end()
    if opened:
        raise bad_request(f"can't parse entities: Can't find end tag corresponding to start tag \"{opened[-1].tag}\"")
    text = "".join(out)
    for entity in entities:
        if entity["type"] == "text_link" and not entity["url"]:
            entity["url"] = utf16_slice(text, entity["offset"], entity["length"])
    return _trimmed(text, sorted(entities, key=lambda entity: (entity["offset"], -entity["length"])))


def _broken(what: str, source: str, at: int) -> Refusal:
    return bad_request(f"can't parse entities: {what} at byte offset {len(source[:at].encode())}")


def _begin(source: str, at: int, length: int) -> _Open:
    match = _START.match(source, at)
    if match is None:
        name = re.match(r"<([a-zA-Z0-9-]*)", source[at:])
        tag = name[1].lower() if name else ""
        if tag not in _TYPES:
            raise _broken(f'Unsupported start tag "{tag}"', source, at)
        raise _broken("Unclosed start tag", source, at)
    tag = match[1].lower()
    if tag not in _TYPES:
        raise _broken(f'Unsupported start tag "{tag}"', source, at)
    attributes = {name.lower(): unescape(double or single or bare) for name, double, single, bare in _ATTRIBUTE.findall(match[2])}
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise _broken('Tag "span" must have class "tg-spoiler"', source, at)
    return _Open(tag, length, attributes)


def _close(opened: list[_Open], tag: str, length: int, entities: list[Json], *, source: str, at: int) -> None:
    if not opened:
        raise _broken("Unexpected end tag", source, at)
    begun = opened.pop()
    if tag and tag != begun.tag:
        raise bad_request(
            "can't parse entities: Unmatched end tag at byte offset "
            f'{len(source[:at].encode())}, expected "</{begun.tag}>", found "</{tag}>"'
        )
    if length == begun.at:
        return
    entity: Json = {"type": _TYPES[begun.tag], "offset": begun.at, "length": length - begun.at}
    if begun.tag == "a":
        entity["url"] = begun.attributes.get("href", "")
    elif begun.tag == "tg-emoji":
        entity["custom_emoji_id"] = begun.attributes.get("emoji-id", "")
    elif begun.tag == "blockquote" and "expandable" in begun.attributes:
        entity["type"] = "expandable_blockquote"
    elif begun.tag == "code" and begun.attributes.get("class", "").startswith("language-"):
        entity["language"] = begun.attributes["class"].removeprefix("language-")
    elif begun.tag == "pre" and entities and _same_place(entities[-1], entity) and entities[-1]["type"] == "code":
        # <pre><code class="language-x"> is one block with a language, not two entities.
        inner = entities.pop()
        if "language" in inner:
            entity["language"] = inner["language"]
    if begun.tag == "code" and not any(outer.tag == "pre" for outer in opened):
        entity.pop("language", None)
    entities.append(entity)


def _same_place(one: Json, other: Json) -> bool:
    return bool(one["offset"] == other["offset"] and one["length"] == other["length"])


def utf16_slice(text: str, offset: int, length: int) -> str:
    return text.encode("utf-16-le")[offset * 2 : (offset + length) * 2].decode("utf-16-le", "replace")


def _trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Without the white space around, as the server stores it."""
    ahead = utf16_length(text) - utf16_length(text.lstrip())
    text = text.strip()
    total = utf16_length(text)
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - ahead)
        end = min(total, entity["offset"] + entity["length"] - ahead)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    return text, kept


def found_entities(text: str, besides: list[Json]) -> list[Json]:
    """`besides` and the links, addresses and commands that clients mark by themselves, in order."""
    taken = [(entity["offset"], entity["offset"] + entity["length"]) for entity in besides]
    marks_inside = {"code", "pre", "text_link"}
    closed = [span for span, entity in zip(taken, besides, strict=True) if entity["type"] in marks_inside]
    found = list(besides)
    for kind, pattern in _FOUND_BY_ITSELF:
        for match in pattern.finditer(text):
            start = utf16_length(text[: match.start()])
            end = start + utf16_length(match.group())
            if all(end <= left or start >= right for left, right in closed):
                found.append({"type": kind, "offset": start, "length": end - start})
                closed.append((start, end))
    return sorted(found, key=lambda entity: (entity["offset"], -entity["length"]))


def formatted(text: str, *, parse_mode: str | None, entities: list[Json] | None) -> tuple[str, list[Json]]:
    """The text and all its entities as the server stores them."""
    match (parse_mode or "").lower():
        case "html":
            text, marked = parse_html(text)
        case "":
            text, marked = _trimmed(text, [_checked(entity) for entity in entities or []])
        case _:
            # The desk renders HTML alone; the two Markdown dialects of the real server are not spoken here.
            raise bad_request("unsupported parse_mode")
    return text, found_entities(text, marked)


def _checked(entity: Json) -> Json:
    if not {"type", "offset", "length"} <= entity.keys():
        raise bad_request("can't parse MessageEntity: Can't find field \"type\"")
    if not all(isinstance(entity[name], int) for name in ("offset", "length")):
        raise bad_request('can\'t parse MessageEntity: Field "offset" must be of type Number')
    return entity
