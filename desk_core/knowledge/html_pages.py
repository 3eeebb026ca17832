"""One HTML page as an article in Markdown: its main part without navigation, with headings, lists, links and code. Pure, never raises."""

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser

MAX_HTML = 2_000_000

_SKIPPED = frozenset({"script", "style", "nav", "aside", "form", "noscript", "template", "svg", "button", "select", "iframe", "object"})
_AROUND = frozenset({"header", "footer"})
_MAIN = frozenset({"main", "article"})
_BLOCKS = frozenset({"p", "div", "section", "main", "article", "blockquote", "table", "tr", "dl", "dt", "dd", "figure", "ul", "ol", "pre"})
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`"}
_DEEPEST = 12
"""Lists inside lists are indented no further: each level of a thousand would write a line longer than the one before."""
_SECTION = re.compile(r"<!\[[^>]*>")
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")
_EMPTY_MARKS = re.compile(r"\*\*\s*\*\*|(?<!`)``(?!`)")
_MANY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says: all empty where it says nothing."""

    title: str
    language: str
    summary: str
    keywords: tuple[str, ...]
    body: str


def read_page(html: str) -> Page:
    """The article of a page; only its `main` or `article` where it has one."""
    reader = _Reader()
    whole, rest = _without_what_never_ends(html[:MAX_HTML])
    reader.feed(whole)
    reader.close()
    reader.handle_data(unescape(rest))
    heading = _heading(reader.body)
    title = heading or " ".join("".join(reader.title).split())
    return Page(
        title=title[:300],
        language=reader.language,
        summary=reader.meta.get("description", ""),
        keywords=tuple(word.strip() for word in reader.meta.get("keywords", "").split(",") if word.strip()),
        body=reader.body.removeprefix(f"# {heading}").strip() if heading else reader.body,
    )


def _without_what_never_ends(html: str) -> tuple[str, str]:
    """The page up to its last tag, without comments, and the words after that. The parser would look for the end of every tag and
    comment begun there through all that follows: a megabyte of them took hours."""
    pieces, begin = [], 0
    while (at := html.find("<!--", begin)) >= 0:
        pieces.append(html[begin:at])
        end = html.find("-->", at + 4)
        begin = end + 3 if end >= 0 else len(html)
    whole, closed, rest = _SECTION.sub("", "".join([*pieces, html[begin:]])).rpartition(">")
    return whole + closed, rest.partition("<")[0] if re.search("<[a-zA-Z/!?]", rest) else rest


def _heading(body: str) -> str:
    first = body.partition("\n")[0]
    return first[2:].strip() if first.startswith("# ") else ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.language = ""
        self.meta: dict[str, str] = {}
        self._all: list[str] = []
        self._main: list[str] = []
        self._skipped = self._inside = self._pre = 0
        self._in_title = False
        self._lists: list[int] = []  # the number of the next item, 0 in a list with bullets
        self._links: list[str] = []

    @property
    def body(self) -> str:
        text = "".join(self._main if any(piece.strip() for piece in self._main) else self._all)
        return _MANY_LINES.sub("\n\n", _EMPTY_MARKS.sub("", text)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag in _SKIPPED or (tag in _AROUND and not self._inside):
            self._skipped += 1
        elif tag == "html":
            self.language = told.get("lang", "")
        elif tag == "title":
            self._in_title = True
        elif tag == "meta":
            self.meta.setdefault(told.get("name", "").lower(), " ".join(told.get("content", "").split()))
        elif tag in _MAIN:
            self._inside += 1
        if tag in _BLOCKS:
            self._write("\n" if self._lists else "\n\n")
        if re.fullmatch("h[1-6]", tag):
            self._write(f"\n\n{'#' * int(tag[1])} ")
        elif tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else 0)
        elif tag == "li":
            self._item()
        elif tag == "br":
            self._write("\n")
        elif tag == "pre":
            self._pre += 1
            self._write("```\n")
        elif tag in _MARKS and not self._pre:
            self._write(_MARKS[tag])
        elif tag == "a":
            self._links.append(told.get("href", ""))
            self._write("[" if _leads_somewhere(self._links[-1]) else "")
        elif tag == "img":
            self._write(told.get("alt", ""))
        elif tag in ("td", "th"):
            self._write(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED or (tag in _AROUND and not self._inside):
            self._skipped = max(0, self._skipped - 1)
        elif tag == "title":
            self._in_title = False
        elif tag == "pre" and self._pre:
            self._pre -= 1
            self._write("\n```\n")
        elif tag in _MARKS and not self._pre:
            self._write(_MARKS[tag])
        elif tag == "a" and self._links:
            address = self._links.pop()
            self._write(f"]({address})" if _leads_somewhere(address) else "")
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag in _BLOCKS or re.fullmatch("h[1-6]", tag):
            self._write("\n" if self._lists else "\n\n")
        if tag in _MAIN:
            self._inside = max(0, self._inside - 1)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif self._pre:
            self._write(data)
        else:
            text = _SPACES.sub(" ", data)
            last = (self._main if self._inside else self._all)[-1:]
            self._write(text.lstrip() if not last or last[0].endswith(("\n", " ")) else text)

    def _item(self) -> None:
        mark = "-"
        if self._lists and self._lists[-1]:
            mark = f"{self._lists[-1]}."
            self._lists[-1] += 1
        self._write(f"\n{'   ' * min(_DEEPEST, max(0, len(self._lists) - 1))}{mark} ")

    def _write(self, text: str) -> None:
        if text and not self._skipped:
            self._all.append(text)
            if self._inside:
                self._main.append(text)


def _leads_somewhere(address: str) -> bool:
    """Addresses inside the old site lead nowhere from here: only the words of such a link stay."""
    return address.startswith(("https://", "http://", "mailto:", "tel:"))
