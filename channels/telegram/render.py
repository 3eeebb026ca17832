"""Markdown as Telegram's HTML, and HTML cut into messages that Telegram takes (pure)."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

LONGEST_TEXT: Final = 4096
LONGEST_CAPTION: Final = 1024

_INLINE_TAGS: Final = {"strong": "b", "em": "i", "s": "s"}
_LINKABLE: Final = re.compile(r"(?:https?|tg)://", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"[\w+#.-]{1,30}")
_MARKUP: Final = re.compile(r"<(/?)([a-z]+)([^<>]*)>|([^<]+|<)")
_BREAKS: Final = ("\n\n", "\n", " ")
# Lines in which nothing means anything in Markdown: no mark, and nothing at their ends that Markdown would drop.
_MARKS: Final = r"\0*_`~\[\]\\&<>"
_PLAIN_LINE: Final = rf"(?![-+#]|\d{{1,9}}[.)])[^\s{_MARKS}](?:[^\r\n\t\f\v{_MARKS}]*[^\s{_MARKS}])?"
_PLAIN: Final = re.compile(rf"{_PLAIN_LINE}(?:\n{{1,2}}{_PLAIN_LINE})*")


@cache
def _parser() -> MarkdownIt:
    # What a chat message rarely means as Markdown stays text: indented lines, underlined headings, link definitions.
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough").disable(["code", "lheading", "reference"])


def to_html(markdown: str) -> str:
    """Telegram HTML of a Markdown text: tags balance, everything else is escaped, no word is lost."""
    if _PLAIN.fullmatch(markdown):
        return escape(markdown)  # most of what is said in a chat, and the parser takes half a millisecond
    try:
        return _parsed(markdown)
    except RecursionError:
        # Thousands of stars in a row nest deeper than any reader; such a text is sent as it was written.
        return escape(markdown)


def _parsed(markdown: str) -> str:
    return _blocks(SyntaxTreeNode(_parser().parse(markdown)).children).strip("\n")


def fold_code(markdown: str, *, longest: int, shown: int) -> tuple[str, list[str]]:
    """Markdown whose code blocks of more than `longest` characters show their first `shown`, and those blocks whole, in order."""
    lines, whole = markdown.split("\n"), list[str]()
    for token in reversed(_parser().parse(markdown)):
        if token.type != "fence" or len(token.content) <= longest or token.map is None or token.level:
            continue
        start, end = token.map
        head = token.content[:shown].rpartition("\n")[0] or token.content[:shown]
        fence = token.markup
        lines[start:end] = [f"{fence}{token.info}", *head.split("\n"), "…", fence]
        whole.insert(0, token.content)
    return "\n".join(lines), whole


def _blocks(nodes: Sequence[SyntaxTreeNode], *, tight: bool = False) -> str:
    rendered = [_block(node) for node in nodes]
    return ("\n" if tight else "\n\n").join(block for block in rendered if block)


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "paragraph":
            return _inline(node.children)
        case "heading":
            return f"<b>{_inline(node.children)}</b>"
        case "blockquote":
            # Telegram knows no quote within a quote.
            inside = _blocks(node.children)
            return inside if _is_within(node, "blockquote") else f"<blockquote>{inside}</blockquote>"
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "fence" | "code_block":
            return _code_block(node)
        case "hr":
            return "———"
        case _:
            return _blocks(node.children) if node.children else escape(node.content)


def _list(node: SyntaxTreeNode) -> str:
    ordered = node.type == "ordered_list"
    first = int(node.attrs.get("start", 1)) if ordered else 0
    margin = "   " * sum(1 for _ in _within(node, "list_item"))
    lines = []
    for number, item in enumerate(node.children, start=first):
        sign = f"{number}." if ordered else "•"
        lines.append(f"{margin}{sign} {_blocks(item.children, tight=True)}".rstrip(" "))
    return "\n".join(lines)


def _code_block(node: SyntaxTreeNode) -> str:
    info, code = node.info.strip(), node.content.rstrip("\n")
    if _LANGUAGE.fullmatch(info):
        return f'<pre><code class="language-{escape(info)}">{escape(code)}</code></pre>'
    # More than a language after the fence is text that somebody wrote there.
    code = "\n".join(filter(None, (info, code)))
    return f"<pre>{escape(code)}</pre>" if code else ""


def _inline(nodes: Iterable[SyntaxTreeNode]) -> str:
    return "".join(_span(node) for node in nodes)


def _span(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text":
            return escape(node.content)
        case "softbreak" | "hardbreak":
            return "\n"
        case "code_inline":
            return f"<code>{escape(node.content)}</code>"
        case "strong" | "em" | "s":
            tag = _INLINE_TAGS[node.type]
            return f"<{tag}>{_inline(node.children)}</{tag}>"
        case "link":
            return _link(str(node.attrs.get("href", "")), _inline(node.children), str(node.attrs.get("title", "")))
        case "image":
            return _link(str(node.attrs.get("src", "")), _inline(node.children), str(node.attrs.get("title", "")))
        case _:
            return _inline(node.children) if node.children else escape(node.content)


def _link(url: str, label: str, title: str) -> str:
    behind = f" ({escape(title)})" if title else ""
    if "<a " in label:
        # A picture within a link: Telegram has no link within a link.
        return f"{label} ({escape(url)}){behind}"
    if _LINKABLE.match(url):
        return f'<a href="{escape(url)}">{label or escape(url)}</a>{behind}'
    # Telegram drops addresses that it cannot open; the person should still see them.
    return (f"{label} ({escape(url)})" if url and label else label or escape(url)) + behind


def _within(node: SyntaxTreeNode, kind: str) -> Iterable[SyntaxTreeNode]:
    parent = node.parent
    while parent is not None:
        if parent.type == kind:
            yield parent
        parent = parent.parent


def _is_within(node: SyntaxTreeNode, kind: str) -> bool:
    return any(True for _ in _within(node, kind))


def escape(text: str) -> str:
    """Text as it must stand between tags and in attributes."""
    return html.escape(text, quote=True).replace("&#x27;", "'")


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of text under the same open tags, each with its attributes."""

    text: str
    tags: tuple[tuple[str, str], ...]


def plain(source: str) -> str:
    """The text of our HTML with the addresses of its links, for when Telegram refuses the markup."""
    pieces, addresses = [], []
    for closing, tag, attributes, text in _MARKUP.findall(source):
        if text:
            pieces.append(html.unescape(text))
        elif tag == "a" and not closing:
            addresses.append((len(pieces), html.unescape(attributes.partition('"')[2].rstrip('"'))))
        elif tag == "a" and addresses:
            start, address = addresses.pop()
            if address and "".join(pieces[start:]) != address:
                pieces.append(f" ({address})")
    return "".join(pieces)


def utf16_length(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def visible_length(source: str) -> int:
    """How much of its limit an HTML text uses: tags are free, an escape counts as one."""
    return sum(utf16_length(run.text) for run in _runs(source))


def split(source: str, limit: int = LONGEST_TEXT) -> list[str]:
    """HTML in parts of at most `limit` units, cut between paragraphs, lines or words, tags closed and opened again at each cut."""
    runs = _runs(source)
    text = "".join(run.text for run in runs)
    parts, start = [], 0
    while start < len(text):
        end = _cut(text, start, limit)
        if text[start:end].strip():
            parts.append(_serialise(_slice(runs, start, end)))
        start = end
    return parts


def split_plain(text: str, limit: int = LONGEST_TEXT) -> list[str]:
    """The same for a text without markup."""
    parts, start = [], 0
    while start < len(text):
        end = _cut(text, start, limit)
        if part := text[start:end].strip("\n"):
            parts.append(part)
        start = end
    return [part for part in parts if part.strip()]


def _cut(text: str, start: int, limit: int) -> int:
    """Where the part that begins at `start` ends."""
    if 2 * (len(text) - start) <= limit:
        return len(text)  # a character counts as two at most
    end, units = start, 0
    while end < len(text):
        units += 2 if ord(text[end]) > 0xFFFF else 1
        if units > limit:
            break
        end += 1
    if end == len(text):
        return end
    for wanted in _BREAKS:
        # A break right at the beginning would leave a part of a few words; a finer break then fills it better.
        at = text.rfind(wanted, start + (end - start) // 3, end)
        if at > start:
            return at + len(wanted)
    # At least one character, however small the limit: a cut must move on.
    return max(end, start + 1)


def _runs(source: str) -> list[_Run]:
    runs: list[_Run] = []
    opened: list[tuple[str, str]] = []
    for closing, tag, attributes, text in _MARKUP.findall(source):
        if text:
            runs.append(_Run(html.unescape(text), tuple(opened)))
        elif not closing:
            opened.append((tag, attributes))
        elif opened:
            opened.pop()
    return runs


def _slice(runs: list[_Run], start: int, end: int) -> list[_Run]:
    sliced, at = [], 0
    for run in runs:
        piece = run.text[max(0, start - at) : max(0, end - at)]
        at += len(run.text)
        if piece:
            sliced.append(_Run(piece, run.tags))
    # Line breaks around a cut would show as holes at the edges of a message.
    while sliced and not sliced[-1].text.rstrip():
        sliced.pop()
    if sliced:
        sliced[-1] = _Run(sliced[-1].text.rstrip(), sliced[-1].tags)
    while sliced and not sliced[0].text.lstrip("\n"):
        sliced.pop(0)
    if sliced:
        sliced[0] = _Run(sliced[0].text.lstrip("\n"), sliced[0].tags)
    return sliced


def _serialise(runs: list[_Run]) -> str:
    out: list[str] = []
    opened: tuple[tuple[str, str], ...] = ()
    for run in [*runs, _Run("", ())]:
        common = 0
        while common < min(len(opened), len(run.tags)) and opened[common] == run.tags[common]:
            common += 1
        out.extend(f"</{tag}>" for tag, _ in reversed(opened[common:]))
        out.extend(f"<{tag}{attributes}>" for tag, attributes in run.tags[common:])
        out.append(escape(run.text))
        opened = run.tags
    return "".join(out)
