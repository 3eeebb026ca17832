"""Markdown that people type: as plain words, and with bare addresses as links. Pure."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_ADDRESS = re.compile(r"(https?://[^\s<>)\]]+)", re.IGNORECASE)
_LINK = re.compile(r"\[([^\]\n]{1,300})\]\((\S{1,2000}?)\)")
# Inside a word two underscores are only that: my__file, __init__.py.
_STRONG = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*|(?<![\w/])__(?=\S)(.+?)(?<=\S)__(?![\w.])")
_CODE = re.compile(r"`([^`\n]+)`")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>~|])")


def unmarked(text: str) -> str:
    """A text without the marks of Markdown that would only disturb its reader; web addresses stay to the letter."""
    text = _LINK.sub(lambda link: link[2] if link[1] == link[2] else f"{link[1]} ({link[2]})", text)
    pieces = (piece if place % 2 else _bare(piece) for place, piece in enumerate(_ADDRESS.split(text)))
    return _ESCAPED.sub(r"\1", "".join(pieces))


def _bare(text: str) -> str:
    return _CODE.sub(r"\1", _STRONG.sub(lambda strong: strong[1] or strong[2], text))


def with_links(parser: "MarkdownIt") -> "MarkdownIt":
    """A parser that makes links of bare http addresses and of mail addresses, and of nothing that only looks like one (node.js)."""
    from linkify_it import LinkifyIt

    parser.linkify = LinkifyIt({"ftp:": None, "//": None}, {"fuzzy_link": False, "fuzzy_email": True})
    parser.options["linkify"] = True
    return parser.enable("linkify")
