"""A page as somebody reads it who knows no English: which words of it are Latin and are no names."""

import re

from selectolax.lexbor import LexborHTMLParser

SPOKEN = ("title", "placeholder", "aria-label", "alt", "data-command", "data-title")
WORD = re.compile(r"(?<![\w@/.#:-])[A-Za-z][A-Za-z'-]+(?![\w@/])")
PRODUCTS = {"Priyom", "Telegram", "Markdown", "English", "Microsoft", "Outlook", "Excel", "JavaScript", "Caps", "Lock", "Wi-Fi"}
TERMS = {"SLA", "HTML", "JSON", "SMTP", "IMAP", "YAML", "UTF", "URL", "VPN", "CRM", "PDF", "UTC", "PRIYOM"}
HEADERS = {"Bearer", "Authorization", "References", "Message-ID", "Idempotency-Key"}
KEYS = {"Enter", "Esc", "Ctrl", "Shift", "Cmd", "Tab"}
NAMES = frozenset(PRODUCTS | TERMS | HEADERS | KEYS)


def read(html: str) -> str:
    """What a page says: its texts, and what it says in attributes."""
    tree = LexborHTMLParser(html)
    for node in tree.css("script, style, svg, code, kbd, option[value*='/'], body [lang=en]"):
        node.decompose()
    attributes = [value for node in tree.css("*") for name, value in node.attributes.items() if name in SPOKEN and value]
    head = tree.css_first("title")
    body = tree.body.text(separator=" ") if tree.body else ""
    return "\n".join([head.text() if head else "", body, *attributes])


def english(text: str, *, names: frozenset[str] = frozenset()) -> list[str]:
    """Latin words of a text that are no names: what was left untranslated."""
    return [word for word in WORD.findall(text) if word not in NAMES | names]
