"""A stored mail as a page of its own: the sender's HTML made safe, with the pictures that came along inside it. Pure."""

import base64
import html
import re
from collections.abc import Mapping

from channels.email.contents import FilePart, contents_of
from channels.email.html_text import safe_html
from channels.email.mime import read
from desk_core.conversations.files import INLINE_TYPES

_INSIDE = 8 * 1024 * 1024  # bytes of pictures put into one page
_CID = re.compile(r"""(<img\b[^>]{0,5000}?\ssrc=")cid:([^"]{1,400})(")""", re.IGNORECASE)
# In a table words stay whole, for "anywhere" would let every column shrink to a letter; a wide one is scrolled.
_STYLE = (
    "body{margin:12px;font:15px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}img{max-width:100%;height:auto}"
    "table{border-collapse:collapse;overflow-wrap:break-word}td,th{padding:2px 6px;vertical-align:top}"
    "table[border]:not([border='0']) :is(td,th){border:1px solid #999}"
)


def page_policy(*, remote: bool) -> str:
    """What a page of a mail may do: show itself. No script, no form, no frame, and nothing from elsewhere but the pictures asked for."""
    pictures = "data: https: http:" if remote else "data:"
    return (
        f"default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )


def page_of(raw: bytes, *, language: str, remote: bool = False) -> str:
    """The document. A mail without HTML shows its text."""
    found = contents_of(read(raw))
    markup = found.html()
    shown = _with_pictures(safe_html(markup, remote=remote), tuple(found.files)) if markup else ""
    body = shown or f"<pre style='white-space:pre-wrap'>{html.escape(found.text())}</pre>"
    return (
        f'<!doctype html><html lang="{html.escape(language, quote=True)}"><head><meta charset="utf-8"><base target="_blank">'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )


def _with_pictures(markup: str, files: tuple[FilePart, ...]) -> str:
    known: Mapping[str, FilePart] = {file.content_id: file for file in files if file.content_id and file.declared_type in INLINE_TYPES}
    left = _INSIDE

    def inside(match: re.Match[str]) -> str:
        nonlocal left
        file = known.get(html.unescape(match[2]))
        if file is None or len(file.content) > left:
            return match[0]
        left -= len(file.content)
        return f"{match[1]}data:{file.declared_type};base64,{base64.b64encode(file.content).decode()}{match[3]}"

    return _CID.sub(inside, markup)
