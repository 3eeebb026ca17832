"""How one outbound message becomes the messages Telegram takes: texts, files and keyboards, in order (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final, Self, TypeAlias
from urllib.parse import urlsplit

from channels.telegram import render
from channels.telegram.entities import clean
from desk_core.conversations.ports import OutboundButton, OutboundFile, OutboundMessage

MEGABYTE: Final = 1024 * 1024
LARGEST_UPLOAD: Final = 50 * MEGABYTE
LARGEST_LOCAL_UPLOAD: Final = 2000 * MEGABYTE
LARGEST_PHOTO: Final = 5 * MEGABYTE
LARGEST_ALBUM: Final = 10
LONGEST_CODE: Final = 3_000
MOST_PARTS: Final = 3
_CODE_SHOWN: Final = 800
_TEXT_SHOWN: Final = 3_000
_PHOTO_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
_PHOTO_TROUBLES: Final = ("image_process_failed", "photo_invalid_dimensions", "photo_ext_invalid", "photo_save_file_invalid")

Buttons: TypeAlias = tuple[tuple[OutboundButton, ...], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A chat and, where it has them, a topic. Whose words are answered there (`chat:topic@person`) is no place of its own."""

    chat_id: int | str
    thread_id: int | None = None

    @classmethod
    def of(cls, thread_key: str) -> Self:
        chat, _, thread = thread_key.partition("@")[0].partition(":")
        return cls(int(chat) if chat.lstrip("-").isdecimal() else chat, int(thread) if thread.isdecimal() else None)

    @property
    def is_group(self) -> bool:
        """Groups and channels have negative numbers, or are known by name."""
        return isinstance(self.chat_id, str) or self.chat_id < 0

    def message_id(self, shown_id: str | None) -> int | None:
        """The number of a message of this chat; None for a message of another."""
        chat, _, number = (shown_id or "").rpartition(":")
        return int(number) if chat == str(self.chat_id) and number.isdecimal() else None

    def shown_id(self, message_id: int) -> str:
        return f"{self.chat_id}:{message_id}"


@dataclass(frozen=True, slots=True)
class Written:
    """A text that is better read as a file."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One call to Telegram: a text, or files with a caption; `html` is either."""

    html: str = ""
    written: Written | None = None
    files: tuple[OutboundFile, ...] = ()
    buttons: Buttons = ()
    formatted: bool = True
    as_reply: bool = True
    as_photos: bool = False

    def easier(self, refusal: str) -> "Step | None":
        """The step again, without what Telegram refused in these words; None when nothing can be left out."""
        words = refusal.lower()
        if self.formatted and ("parse entities" in words or "unsupported start tag" in words):
            return replace(self, formatted=False)
        if self.as_reply and ("message to be replied not found" in words or "message to reply not found" in words):
            return replace(self, as_reply=False)
        if self.as_photos and any(trouble in words for trouble in _PHOTO_TROUBLES):
            return replace(self, as_photos=False)
        if "button" in words and "url" in words and any(button.url for row in self.buttons for button in row):
            buttons, html = _links_as_text(self.buttons, self.html, every=True)
            return replace(self, buttons=buttons, html=html)
        return None


def steps(message: OutboundMessage) -> list[Step]:
    """The calls that deliver `message`. The keyboard is on the last one, since people look for buttons at the end."""
    text, written = _folded(clean(message.text))
    buttons, source = _links_as_text(message.buttons, _signed(text, message.author_name, message.headline), every=False)
    albums = _albums(message.files)
    caption = ""
    # One call where it can be one: a caption that fits, on files that can carry the keyboard too (albums cannot).
    if (
        len(albums) == 1
        and not written
        and render.visible_length(source) <= render.LONGEST_CAPTION
        and not (buttons and len(albums[0]) > 1)
    ):
        caption, source = source, ""
    texts = [Step(html=part) for part in render.split(source)]
    if buttons and not texts and albums and not written and len(albums[-1]) > 1:
        # An album has no keyboard, so its last file comes after it, alone, with the keyboard.
        albums[-1:] = [albums[-1][:-1], albums[-1][-1:]]
    files = [_file_step(album, caption if number == 0 else "") for number, album in enumerate(albums)]
    files += [Step(written=one) for one in written]
    ordered = files + texts if buttons else texts + files
    if buttons and ordered:
        ordered[-1] = replace(ordered[-1], buttons=buttons)
    return ordered


def _folded(text: str) -> tuple[str, list[Written]]:
    """A text with its long logs, or where it is very long itself the whole of it, put into files; the beginnings stay in sight."""
    if len(text) <= LONGEST_CODE:
        return text, []  # nothing in it is longer, and it fits into one message or two
    text, blocks = render.fold_code(text, longest=LONGEST_CODE, shown=_CODE_SHOWN)
    logs = [Written(f"log-{number}.log" if len(blocks) > 1 else "log.log", block.encode()) for number, block in enumerate(blocks, 1)]
    if len(render.split(render.to_html(text))) <= MOST_PARTS:
        return text, logs
    head = text[:_TEXT_SHOWN]
    head = next((head[:at] for mark in ("\n\n", "\n", " ") if (at := head.rfind(mark)) > _TEXT_SHOWN // 2), head)
    return f"{head}\n\n…", [Written("message.txt", text.encode()), *logs]


def _signed(text: str, author_name: str, headline: str) -> str:
    """The text as HTML under the request it is about; an operator's words begin with their name: in a chat bot and person look the same."""
    source = render.to_html(text)
    lines = (escape(clean(line).strip(), quote=False) for line in (headline, author_name))
    return "\n".join([*(f"<b>{line}</b>" for line in lines if line), *([source] if source else [])])


def _file_step(album: tuple[OutboundFile, ...], caption: str) -> Step:
    return Step(html=caption, files=album, as_photos=all(_is_photo(file) for file in album))


def _is_photo(file: OutboundFile) -> bool:
    return file.content_type in _PHOTO_TYPES and file.size <= LARGEST_PHOTO


def _albums(files: Sequence[OutboundFile]) -> list[tuple[OutboundFile, ...]]:
    return [tuple(files[start : start + LARGEST_ALBUM]) for start in range(0, len(files), LARGEST_ALBUM)]


def _links_as_text(buttons: Buttons, source: str, *, every: bool) -> tuple[Buttons, str]:
    """Link buttons that Telegram refuses (addresses inside the house) as lines of the text, so that they are not lost."""
    kept, lines = [], []
    for row in buttons:
        stays = tuple(button for button in row if not button.url or not (every or _is_private(button.url)))
        lines += [f"{button.label}: {button.url}" for button in row if button not in stays]
        if stays:
            kept.append(stays)
    if lines:
        source = "\n\n".join(filter(None, (source, "\n".join(render.escape(line) for line in lines))))
    return tuple(kept), source


def _is_private(url: str) -> bool:
    return "." not in (urlsplit(url).hostname or "")
