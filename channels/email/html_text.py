"""HTML mail as plain text (quotes become ">" lines) and as markup that is safe to show. Pure, never raises."""

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from channels.email.containers import INDENT

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_HTML = 2_000_000
_MAX_NODES = 200_000
_MANY_ENTITIES, _PIECE = 20_000, 500
_SKIPPED = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "iframe", "select", "-comment"})
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2",
        "h3", "h4", "h5", "h6", "header", "li", "main", "nav", "ol", "section", "table", "tr", "ul", "pre", "blockquote",
    }
)  # fmt: skip
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_MAX_DEPTH = 400
_SELF_CLOSING = frozenset(
    {"area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p", "param", "source",
     "tbody", "td", "th", "tr", "wbr"}
)  # fmt: skip
_SMALL = 20_000  # characters, in which not even attributes alone are many
_MAX_ATTRIBUTES = 1_000
_OPENING = re.compile(r"<[a-zA-Z/]")
_VALUE_OR_END = re.compile(r"=\s*([\"'])|>")
_OPEN_OR_CLOSE = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})")
_TAG = re.compile(r"<[^<>]*>?")
_NO_DISPLAY = re.compile(r"display\s*:\s*none")
_HIDES = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_MAY_HIDE = re.compile(r"<([a-z][a-z0-9]{0,15})(?=\s)[^<>]{0,2000}?(?:hidden|none)[^<>]*>", re.IGNORECASE)
_HIDDEN = re.compile(rf"\shidden(?=[\s=/>])|{_HIDES.pattern}", re.IGNORECASE)
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr"})
_MANY_HIDDEN = 200
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")
_MANY_LINES = re.compile(r"\n{3,}")

_IMAGE = re.compile(r"<img\b(?:[^<>]|<(?!img)){0,5000}>", re.IGNORECASE)
_REMOTE = re.compile(r"\ssrc\s*=\s*[\"']?\s*https?:", re.IGNORECASE)
# A picture of a pixel or two, or one that nobody is to see, is there to be fetched. What it is called and where it lies tells nothing.
_NAMED = re.compile(r"\s(?:alt|title|src|srcset|href)\s*=\s*(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_FEW = r"(?:0*[012](?:\.\d*)?|0*\.\d+)"
_TRACKER = re.compile(
    rf"\s(?:width|height)\s*=\s*[\"']?\s*{_FEW}\s*(?:px|pt|%)?\s*(?:[\"'\s/>]|$)|\shidden(?=[\s=/>])|"
    rf"(?<![\w-])(?:max-)?(?:width|height)\s*:\s*(?:{_FEW}\s*(?:px|pt|%)?|0*(?:\.[01]\d*)?\s*(?:r?em|ex|ch|v[wh]|[cm]m|in))\s*(?:!|[;\"'>]|$)|"
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?\.?0*\s*(?:[;\"'!>]|$)|clip\s*:\s*rect\(\s*0|scale\(\s*0\s*[,)]|"
    r"(?:left|right|top|bottom|text-indent|margin(?:-\w+)?)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)


def text_of_html(html: str) -> str:
    """The readable text: paragraphs and lists kept, links with their address, quoted containers as lines that begin with ">"."""
    html = html[:MAX_HTML]
    if too_much(html):
        return _SPACES.sub(" ", _TAG.sub(" ", html)).strip()
    from selectolax.lexbor import LexborHTMLParser

    try:
        root = LexborHTMLParser(html).root
    except (ValueError, RuntimeError):
        root = None
    if root is None:
        return _SPACES.sub(" ", _TAG.sub(" ", html)).strip()
    writer = _Writer()
    _walk(root, writer, hides=_may_hide(html))
    return writer.text()


def too_much(html: str) -> bool:
    """Whether building the tree would be the attack: it is quadratic in the depth of elements, and in the attributes of one."""
    if len(html) > _SMALL and _overloaded(html):
        return True
    if html.count("<") <= _MAX_DEPTH:
        return False
    depth = 0
    opened: Counter[str] = Counter()
    for closing, name in _OPEN_OR_CLOSE.findall(html):
        tag = name.lower()
        if tag in _SELF_CLOSING:
            continue
        if closing and not opened[tag]:
            continue  # it closes nothing: what is open goes on being so
        opened[tag] += -1 if closing else 1
        depth += -1 if closing else 1
        if depth > _MAX_DEPTH:
            return True
    return False


def _overloaded(html: str) -> bool:
    """Whether a tag has more attributes than anybody writes. Reads tags as a browser does: a ">" in quotes ends none."""
    position = 0
    while (opening := _OPENING.search(html, position)) is not None:
        position, count = opening.end(), 0
        while True:
            found = _VALUE_OR_END.search(html, position)
            count += len(html[position : found.start() if found else len(html)].split())
            if count > _MAX_ATTRIBUTES:
                return True
            if found is None:
                return False
            position = found.end()
            if found[1] is None:
                break
            closes = html.find(found[1], position)
            if closes < 0:
                return False
            position = closes + 1
    return False


class _Writer:
    """Collects text line by line, each line with the quote depth it was written at."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._bare = True  # nothing but white space on this line so far
        self.depth = 0
        self.pre = 0

    def write(self, text: str) -> None:
        if self.pre:
            first, *rest = text.split("\n")
            self._put(first)
            for line in rest:
                self.end_line()
                self._put(line)
            return
        self._put(_SPACES.sub(" ", text))

    def _put(self, text: str) -> None:
        if self._bare and not self.pre:
            text = text.lstrip(" ")
        if text:
            self._line.append(text)
            self._bare = False

    def end_line(self) -> None:
        """Finish the line, also an empty one."""
        self._lines.append("> " * self.depth + "".join(self._line).rstrip())
        self._line.clear()
        self._bare = True

    def block(self) -> None:
        """Finish the line where something stands on it."""
        if not self._bare:
            self.end_line()

    def space(self) -> None:
        self.block()
        if self._lines and self._lines[-1].strip("> "):
            self.end_line()

    def text(self) -> str:
        self.block()
        return _MANY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in self._lines)).strip("\n")


def _walk(root: "LexborNode", out: _Writer, *, hides: bool) -> None:
    """Visit the tree without recursion: mail can nest a hundred thousand elements. With `hides` some are there not to be seen."""
    node: LexborNode | None = root
    root_id = root.mem_id
    visited = 0
    while node is not None:
        visited += 1
        if visited > _MAX_NODES:
            return
        tag = node.tag or ""
        if tag not in _SKIPPED and not (hides and _is_hidden(node, tag)):
            _enter(node, tag, out)
            child = node.first_child
            if child is not None:
                node = child
                continue
            _leave(node, tag, out)
        while node is not None:
            following = node.next
            if following is not None:
                node = following
                break
            node = node.parent
            if node is None or node.mem_id == root_id:  # `==` would compare their markup
                return
            _leave(node, node.tag or "", out)


def _is_hidden(node: "LexborNode", tag: str) -> bool:
    """Whether nobody sees it, such as the line that newsletters put in for the list of mails."""
    if tag.startswith("-"):
        return False
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDES.search(attributes.get("style") or ""))


def _may_hide(html: str) -> bool:
    lower = html.lower()
    return "hidden" in lower or bool(_NO_DISPLAY.search(lower))


def _without_hidden(html: str) -> str:
    """The markup without the elements that nobody is to see; their styles are taken away, and they would be seen."""
    if not _may_hide(html):
        return html
    kept: list[str] = []
    open_ended: set[str] = set()
    position = 0
    for _ in range(_MANY_HIDDEN):
        found = _MAY_HIDE.search(html, position)
        if found is None:
            break
        tag, end = found[1].lower(), found.end()
        if _HIDDEN.search(_NAMED.sub(" ", found[0])) and tag not in open_ended:
            closes = end if tag in _VOID else _end_of(tag, html, end)
            if closes is None:
                open_ended.add(tag)
            else:
                kept.append(html[position : found.start()])
                position = closes
                continue
        kept.append(html[position:end])
        position = end
    return "".join([*kept, html[position:]])


def _end_of(tag: str, html: str, position: int) -> int | None:
    """Behind the closing tag of an element that was opened before; None where it is never closed."""
    depth = 1
    for one in re.compile(rf"<(/?){tag}(?=[\s/>])[^<>]*>", re.IGNORECASE).finditer(html, position):
        depth += -1 if one[1] else 1
        if not depth:
            return one.end()
    return None


def _quotes(node: "LexborNode") -> bool:
    """Whether a blockquote quotes; it also indents what somebody writes."""
    return not INDENT.search(node.attributes.get("style") or "")


def _enter(node: "LexborNode", tag: str, out: _Writer) -> None:
    match tag:
        case "-text":
            out.write(node.text_content or "")
        case "br":
            out.end_line()
        case "p":
            out.block()
        case "hr":
            out.block()
            out.write("________________________________")
            out.block()
        case "li":
            out.block()
            out.write("- ")
        case "blockquote":
            out.block()
            out.depth += _quotes(node)
        case "pre":
            out.block()
            out.pre += 1
        case "img":
            alt = node.attributes.get("alt")
            if alt:
                out.write(f"[{alt}]")
        case _ if tag in _BLOCKS:
            out.block()


def _leave(node: "LexborNode", tag: str, out: _Writer) -> None:
    match tag:
        case "-text":
            return
        case "a":
            href = (node.attributes.get("href") or "").strip()
            if href.startswith(("http://", "https://")) and href.rstrip("/") not in (node.text() or ""):
                out.write(f" <{href}>")
        case "td" | "th":
            out.write(" ")
        case "blockquote":
            out.block()
            out.depth = max(0, out.depth - _quotes(node))
        case "pre":
            out.block()
            out.pre = max(0, out.pre - 1)
        case _ if tag in _SPACED:
            out.space()
        case _ if tag in _BLOCKS:
            out.block()


def remote_pictures(html: str) -> int:
    """How many pictures lie elsewhere, those not counted that only tell the sender who read the mail."""
    if "<img" not in html and "<IMG" not in html:
        return 0
    shown = _without_hidden(html[:MAX_HTML])
    return sum(1 for image in _IMAGE.findall(shown) if _REMOTE.search(image) and not _is_tracker(image))


def _is_tracker(image: str) -> bool:
    return bool(_TRACKER.search(_NAMED.sub(" ", image)))


def safe_html(html: str, *, remote: bool = False) -> str:
    """Markup without scripts, styles, forms and, unless asked for, remote images; pictures that came along (`cid:`) stay, tracking pixels
    never do, nor what nobody is to see. Empty where it nests absurdly."""
    html = _without_hidden(html[:MAX_HTML])
    if remote:
        html = _IMAGE.sub(lambda image: "" if _is_tracker(image[0]) else image[0], html)
    if too_much(html):
        return ""
    import nh3

    tags, attributes = _allowed()
    return nh3.clean(
        _in_pieces(html),
        tags=set(tags),
        attributes={tag: set(names) for tag, names in attributes.items()},
        attribute_filter=_any_picture if remote else _only_own_pictures,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    ).replace("\x00", "")


def _in_pieces(html: str) -> str:
    """The same with comments, which go, in texts of nothing but entities: for each "&" the parser copies all that stands before it."""
    if html.count("&") < _MANY_ENTITIES:
        return html
    pieces = html.split("<")
    for place, piece in enumerate(pieces):
        tag, closed, text = piece.rpartition(">")
        if text.count("&") > _PIECE:
            words = text.split("&")
            groups = ("&".join(words[at : at + _PIECE]) for at in range(0, len(words), _PIECE))
            pieces[place] = f"{tag}{closed}{'<!---->&'.join(groups)}"
    return "<".join(pieces)


@cache
def _allowed() -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    tags = frozenset(
        {
            "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del", "div", "dl", "dt", "em",
            "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span", "strike",
            "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
        }
    )  # fmt: skip
    attributes = {
        "a": frozenset({"href", "title"}),
        "img": frozenset({"src", "alt", "width", "height"}),
        "td": frozenset({"colspan", "rowspan"}),
        "th": frozenset({"colspan", "rowspan"}),
        "ol": frozenset({"start"}),
        "table": frozenset({"border"}),
        "blockquote": frozenset({"type"}),
    }
    return tags, attributes


def _any_picture(tag: str, attribute: str, value: str) -> str | None:
    allowed = tag != "img" or attribute != "src" or value.lower().startswith(("cid:", "https:", "http:"))
    return value if allowed else None


def _only_own_pictures(tag: str, attribute: str, value: str) -> str | None:
    # A picture fetched from elsewhere tells the sender who read the mail, and when.
    if tag == "img" and attribute == "src" and not value.lower().startswith("cid:"):
        return None
    return value
