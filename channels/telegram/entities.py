"""Telegram's text and its entities, as plain text that loses no link."""

from collections.abc import Mapping, Sequence
from typing import Any


def clean(text: str) -> str:
    """`text` without what no store and no page can hold: null characters and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        # JSON may carry halves of a pair as escapes; whole pairs written that way are joined, single halves replaced.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def plain_text(text: str, entities: Sequence[Any]) -> str:
    """`text` with every hidden link written out behind its label; formatting is dropped, characters never are."""
    links = [entity for entity in entities if isinstance(entity, Mapping) and entity.get("type") == "text_link"]
    if not links:
        return clean(text)
    # Offsets count UTF-16 units; from the last to the first, so that earlier ones stay right.
    units = text.encode("utf-16-le", "surrogatepass")
    for link in sorted(links, key=_end, reverse=True):
        url, end = str(link.get("url") or ""), _end(link)
        label = units[_start(link) * 2 : end * 2].decode("utf-16-le", "ignore")
        if url and end * 2 <= len(units) and not _same_link(label, url):
            units = units[: end * 2] + f" ({url})".encode("utf-16-le", "surrogatepass") + units[end * 2 :]
    return clean(units.decode("utf-16-le", "surrogatepass"))


def _start(entity: Mapping[str, Any]) -> int:
    offset = entity.get("offset")
    return offset if isinstance(offset, int) and offset >= 0 else 0


def _end(entity: Mapping[str, Any]) -> int:
    length = entity.get("length")
    return _start(entity) + (length if isinstance(length, int) and length >= 0 else 0)


def _same_link(label: str, url: str) -> bool:
    def bare(link: str) -> str:
        return link.strip().removeprefix("https://").removeprefix("http://").rstrip("/").lower()

    return bare(label) == bare(url) or url.startswith("tg://user")
