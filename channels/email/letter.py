"""What an inbox puts around the words of every letter: greeting, signature, footer, the mail answered. By language, in Markdown. Pure."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from desk_core.conversations.ports import OutboundMessage

PLACES = ("name", "number", "team")
_PLACE = re.compile(r"%\((\w+)\)s")
_LOOKS_LIKE_ONE = re.compile(r"%\([^)\n]{0,40}\)?.?|%\{[^}\n]{0,40}\}?")
_NOBODY = re.compile(r"[,\s]*%\(name\)s")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!<>~|])")


@dataclass(frozen=True, slots=True)
class Letter:
    """`footer` tells the number and the status page, `history` quotes the mail that an operator answers."""

    greeting: str = ""
    signature: str = ""
    footer: bool = True
    history: bool = True

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def letters_of(config: Mapping[str, Any]) -> dict[str, Letter]:
    """The letters of an inbox by language, from its configuration."""
    kept = config.get("letter")
    if not isinstance(kept, Mapping):
        return {}
    known = Letter.__dataclass_fields__
    return {
        str(language): Letter(**{name: value for name, value in one.items() if name in known})
        for language, one in kept.items()
        if isinstance(one, Mapping)
    }


def fault(text: str) -> str | None:
    """The first thing that looks like a placeholder and is none."""
    for match in _LOOKS_LIKE_ONE.finditer(text):
        place = _PLACE.match(text, match.start())
        if place is None or place[1] not in PLACES:
            return match[0].strip()
    return None


def worded(message: OutboundMessage, letter: Letter, *, organisation: str) -> OutboundMessage:
    """The message as it is written out. In the greeting %(name)s is the person written to, in the signature whoever writes."""
    about = {"number": str(message.ticket_number or ""), "team": message.team or organisation}
    greeting = _filled(letter.greeting, name=message.to_name if message.to_name != message.to else "", **about)
    signature = _filled(letter.signature, name=message.author_name or organisation, **about)
    text = "\n\n".join(part for part in (greeting, message.text, signature) if part.strip())
    if message.author == "agent" and not letter.history:
        message = replace(message, original={})
    if not letter.footer:
        message = replace(message, ticket_number=None, status_url=None, promise="")
    return replace(message, text=text)


def _filled(text: str, *, name: str, **about: str) -> str:
    if not name:
        text = _NOBODY.sub("", text)  # "Hello, %(name)s!" to somebody whose name is not known is "Hello!"
    values = {key: " ".join(value.split()) for key, value in {"name": name, **about}.items()}
    return _PLACE.sub(lambda match: _MARKDOWN.sub(r"\\\1", values.get(match[1], "")), text).strip()
