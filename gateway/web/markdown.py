"""Text that people wrote, as safe HTML: Markdown for the desk's own words, plain text with links for everybody else's."""

import re
from functools import cache
from html import escape

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from desk_core.kit.markdown import with_links

TAGS = {
    "p", "br", "b", "strong", "i", "em", "s", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h1", "h2", "h3", "h4", "hr",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}»]", re.IGNORECASE)


@cache
def _parser() -> MarkdownIt:
    # Raw HTML stays text; what survives is cleaned again, because two locks are cheaper than one incident.
    return with_links(MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]))


def markdown(text: str | None) -> Markup:
    """Markdown as clean HTML; links open elsewhere and tell nobody where they came from."""
    rendered: str = _parser().render(text or "")
    clean = nh3.clean(
        rendered,
        tags=TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Markup(clean)  # noqa: S704 - cleaned above


def plain(text: str | None) -> Markup:
    """Escaped text in which web addresses are links; white space is kept by the style sheet."""
    source, parts, end = text or "", [], 0
    for found in _LINK.finditer(source):
        address = escape(found.group(), quote=True)
        parts.append(escape(source[end : found.start()]))
        parts.append(f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">{address}</a>')
        end = found.end()
    parts.append(escape(source[end:]))
    return Markup("".join(parts))  # noqa: S704 - every piece is escaped above
