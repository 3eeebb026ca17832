"""The rules for templates: what a strict content policy would block in the browser, and texts nobody can translate."""

import re
from collections.abc import Iterator

from tests.lint.findings import Finding, Source

TAG = re.compile(r"<[a-zA-Z!/][^<>]*(?:<[^<>]*>[^<>]*)*>", re.DOTALL)
HANDLER = re.compile(r"""[\s"'](on[a-z]+|hx-on[:a-z-]*|x-on:[a-z]+)\s*=\s*["'{]""", re.IGNORECASE)
SCRIPT = re.compile(r"<script\b(?P<attributes>[^>]*)>", re.IGNORECASE)
STYLE = re.compile(r"<style\b(?P<attributes>[^>]*)>", re.IGNORECASE)
STYLE_ATTRIBUTE = re.compile(r"<[a-z][^<>]*?\sstyle\s*=", re.IGNORECASE)
JAVASCRIPT = re.compile(r"""["']\s*javascript:""", re.IGNORECASE)

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TRANSLATED = re.compile(r"\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\}", re.DOTALL)
UNSEEN = re.compile(r"<(script|style|svg)\b.*?</\1>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
WORD = re.compile(r"[A-Za-zА-Яа-яЁё]{3,}")
SPOKEN_ATTRIBUTE = re.compile(r"""\s(?:title|placeholder|aria-label|alt)\s*=\s*"([^"]*)\"""")
ATTRIBUTE = re.compile(r"""\b[a-z-]+\s*=\s*"[^"]*"|\b(?:aria|data|hx)-[a-z-]+""")
NAMES = {"Priyom", "Telegram", "SMTP", "IMAP", "UTC", "HTML", "JSON", "Русский", "English", "Enter", "Esc", "Ctrl", "Shift"}


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _blank(pattern: re.Pattern[str], text: str, keep: str = "") -> str:
    """`text` with every match turned into spaces, line ends kept so that lines still count."""
    return pattern.sub(lambda match: keep + re.sub(r"[^\n]", " ", match[0])[len(keep) :], text)


def template_inline_handler(source: Source) -> Iterator[Finding]:
    """No inline handler, script or style: the content policy lets only our own files and nonces run."""
    text = _blank(COMMENT, source.text)
    code = "template-inline-handler"
    for match in HANDLER.finditer(_tags_only(text)):
        yield source.finding(_line(text, match.start(1)), code, f"{match[1]}= is blocked by the content policy; listen in a script file")
    for pattern, what in ((SCRIPT, "script"), (STYLE, "style")):
        for match in pattern.finditer(text):
            if "nonce=" not in match["attributes"] and not re.search(r"\bsrc\s*=", match["attributes"]):
                yield source.finding(_line(text, match.start()), code, f"an inline {what} needs nonce=")
    for match in STYLE_ATTRIBUTE.finditer(text):
        yield source.finding(_line(text, match.start()), code, "style= is blocked by the content policy; use a class")
    for match in JAVASCRIPT.finditer(text):
        yield source.finding(_line(text, match.start()), code, "javascript: is blocked by the content policy")


def _tags_only(text: str) -> str:
    """`text` with everything between tags blanked, Jinja's own tags included."""
    text = JINJA.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    kept = list(re.sub(r"[^\n]", " ", text))
    for match in TAG.finditer(text):
        kept[match.start() : match.end()] = match[0]
    return "".join(kept)


def untranslated_template(source: Source) -> Iterator[Finding]:
    """Every word a person reads goes through gettext."""
    text = source.text
    for pattern in (COMMENT, TRANSLATED, UNSEEN):
        text = _blank(pattern, text)
    text = _blank(JINJA, text)
    for match in SPOKEN_ATTRIBUTE.finditer(text):
        if words := _words(match[1]):
            yield source.finding(_line(text, match.start(1)), "untranslated-template", f"an attribute says {words[0]!r} without _()")
    # Macros write attributes outside of tags, and blocks hand on names of classes: one small word alone is no text for people.
    for number, line in enumerate(_blank(ATTRIBUTE, _blank(TAG, text)).splitlines(), start=1):
        words = _words(line)
        if len(words) > 1 or any(not word.islower() for word in words):
            yield source.finding(number, "untranslated-template", f"says {words[0]!r} without _()")


def _words(text: str) -> list[str]:
    return [word for word in WORD.findall(re.sub(r"&[a-z]+;", " ", text)) if word not in NAMES]
