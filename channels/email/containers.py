"""Where an answer's history begins, by the elements that mail programs put it in. Pure; reads markup without building its tree.

Programs name the element they quote in, whatever language they speak: it tells what patterns of words cannot. What is found here is put
into the letters of the text, so that it fits the plain part and the text of the HTML alike.
"""

import re
from dataclasses import dataclass
from html import unescape


@dataclass(frozen=True, slots=True)
class Structure:
    """`head`: letters of what stands on top of the history, such as who wrote it; empty where no program says where it begins.

    `typed`: letters of lines that begin with ">" because the person wrote so. `between`: they wrote beside the quotes, not only above.
    """

    head: str = ""
    typed: tuple[str, ...] = ()
    between: bool = False


PLAIN = Structure()

_NAMES = (
    "gmail_quote",  # Gmail
    "divRplyFwdMsg",  # Outlook on the web, on phones, and since 2019
    "reference-message",  # Outlook for Mac and on phones: mail-editor-reference-message-container
    "OLK_SRC_BODY_SECTION",  # Outlook 2011 for Mac
    "moz-cite-prefix",  # Thunderbird
    "composeWebView_previouse_content",  # Mail.ru on phones
    "mail-quote-collapse",  # Mail.ru
    "yahoo_quoted",
    "protonmail_quote",
    "zmail_extra",  # Zoho
    "__DIVIDER__",  # Zimbra
    "reply-intro",  # Roundcube
)
# Outlook on a desktop rules a line above the head; signatures are ruled off in other colours.
_RULED = re.compile(
    r"border-top(?:-color)?\s*:\s*(?:(?:solid|1(?:\.0)?p[tx]|1(?:\.0)?p[tx] solid) )?"
    r"(?:#(?:E1E1E1|B5C4DF|E5E5E5)|rgb\((?:225, ?225, ?225|229, ?229, ?229|181, ?196, ?223)\))",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"<(/?)blockquote\b([^<>]{0,2000})>?", re.IGNORECASE)
INDENT = re.compile(r"border\s*:\s*(?:none|0)(?![^\"']*border-left)", re.IGNORECASE)
"""In the style of a blockquote that quotes nothing: Gmail and Outlook indent what somebody writes in one without a border."""
_TYPED = re.compile(r"(?:^|>)\s*((?:&gt;\s?)+[^<&]*(?:&(?!gt;)[^<&]*)*)")
_TAG = re.compile(r"<(?:style\b[^<]*</style|!--.*?--|[^<>]*)>", re.IGNORECASE | re.DOTALL)
_NOT_A_WORD = re.compile(r"[\W_]+")
_LABEL = re.compile(r"\s*[^\W\d_][^:@<\d]{0,22}:")
_LOOKED_AT = 1_500  # characters of the markup of a head
_KEPT = 80  # letters of a head
_TELLING = 12  # letters; fewer may stand anywhere
_MANY = 100


def structure_of(html: str) -> Structure:
    """What the elements of a mail's HTML tell of its history."""
    quotes = _quotes(html) if "blockquote" in html or "BLOCKQUOTE" in html else []
    begins = [at for at in (_element(html, name) for name in _NAMES) if at is not None]
    if "border-top" in html and (ruled := _RULED.search(html)) and (at := _opening(html, ruled.start())) is not None:
        begins += [at] if _LABEL.match(_text(html, at)) else []
    start = min(begins, default=len(html))
    own = html[: min([start, *(at for at, _ in quotes)])]
    if len(own) == len(html):
        return PLAIN
    head = bare(_text(html, start))[:_KEPT] if begins else ""
    typed = tuple(bare(unescape(line)) for line in _TYPED.findall(own)[:_MANY]) if "&gt;" in own else ()
    return Structure(head if len(head) >= _TELLING else "", tuple(filter(None, typed)), _is_between(html, quotes))


def bare(text: str) -> str:
    """The letters and digits of a text, which no program changes."""
    return _NOT_A_WORD.sub("", text).casefold()


def _text(html: str, at: int) -> str:
    return unescape(_TAG.sub(" ", html[at : at + _LOOKED_AT]))


def _element(html: str, name: str) -> int | None:
    """Where the first element begins that bears the name in a tag; style sheets name it as well."""
    position = -len(name)
    for _ in range(_MANY):
        position = html.find(name, position + len(name))
        if position < 0 or (at := _opening(html, position)) is not None:
            return at if position >= 0 else None
    return None


def _opening(html: str, position: int) -> int | None:
    """Where the tag begins that this position lies in."""
    at = html.rfind("<", max(0, position - _LOOKED_AT), position)
    return at if at >= 0 and html.find(">", at, position) < 0 else None


def _quotes(html: str) -> list[tuple[int, int]]:
    """Where the outermost quotations begin and end."""
    found: list[tuple[int, int]] = []
    depth = begins = 0
    shown: list[bool] = []
    for tag in _QUOTE.finditer(html):
        if not tag[1]:
            shown.append(not INDENT.search(tag[2]))
            if shown[-1] and not depth:
                begins = tag.start()
            depth += shown[-1]
        elif shown and shown.pop():
            depth -= 1
            if not depth:
                found.append((begins, tag.end()))
    return [*found, (begins, len(html))] if depth else found


def _is_between(html: str, quotes: list[tuple[int, int]]) -> bool:
    """Whether something is written behind a quotation, outside every other."""
    following = [*(at for at, _ in quotes[1:]), len(html)]
    return any(bare(_text(html[end:begins], 0)) for (_, end), begins in zip(quotes, following, strict=False))
