"""What is new in a reply and what is only quoted. Pure; folds, never deletes: everything is in one half or the other."""

import re
from dataclasses import dataclass

from channels.email.html_text import text_of_html


@dataclass(frozen=True, slots=True)
class Split:
    """`reply` is what the person wrote, `quoted` the history and the mobile signature under it."""

    reply: str
    quoted: str


_MONTH = (
    r"(?:янв|фев|мар|апр|ма[йяю]|июн|июл|авг|сен|окт|ноя|дек|січ|лют|бер|кві|тра|чер|лип|сер|вер|жов|лис|гру|"
    r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[а-яіa-z]*\.?"
)
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|"
    rf"\d{{1,2}}\.? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}})"
)
_VERB = r"(?:пишет|пише|написал(?:\(а\)|а)?|писал(?:\(а\)|а)?|написав|написала|wrote|writes|schrieb|a écrit|escribió)"
_MAIL = r"[^\s<>\"]+@[^\s<>\"]+"
_QUOTE_MARK = re.compile(r"^\s{0,3}(?:>|&gt;)")
_MARKS = re.compile(r"^(?:\s{0,3}>)+ ?")
# An attribution begins with a date, perhaps after "On" and a weekday; these are the lines worth a closer look.
_DATED_START = re.compile(rf"^\s*(?:on |am |le |el |в )?(?:[^\W\d]{{2,12}}\.?,? (?:the )?)?{_DATE}", re.IGNORECASE)
_DATED = re.compile(
    rf"^\s*(?:on |am |le |el |в )?(?:[^\W\d]{{2,12}}\.?,? (?:the )?)?{_DATE}\b.{{0,300}}?(?:{_VERB}|{_MAIL}).{{0,120}}:$", re.IGNORECASE
)
_NAMED = re.compile(rf"^\s*.{{2,120}}\s{_VERB}\s?:$", re.IGNORECASE)
_NAMED_WITH_ADDRESS = re.compile(rf"^\s*.{{0,80}}<?{_MAIL}>?\)?,? {_VERB}\s?:$", re.IGNORECASE)

_FROM = re.compile(r"^\W{0,4}(?:от|от кого|from|von|de|від)\s?:\W{0,4}\s?\S", re.IGNORECASE)
_FIELD = re.compile(
    r"^\W{0,4}(отправлено|дата|кому|копия|тема|sent|date|to|cc|subject|надіслано|gesendet|an|betreff|reply-to|importance|важность)\s?:",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*(?:_{8,}|-{8,}|={8,})\s*$")
_ORIGINAL = re.compile(
    r"^\s*-{2,}\s*(?:исходное сообщение|оригинальное сообщение|original message|original appointment|reply message|"
    r"ursprüngliche nachricht)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^\s*(?:-{2,}\s*(?:пересылаемое сообщение|пересланное сообщение|переадресованное сообщение|forwarded message)\s*-{2,}"
    r"|begin forwarded message:|начало переадресованного сообщения:?|начало пересылаемого сообщения:?)\s*$",
    re.IGNORECASE,
)
_MOBILE = re.compile(
    r"^\s*(?:отправлено (?:с|из|через) .{2,60}|отправлено из мобильной .{2,40}|"
    r"sent from my .{2,40}|sent from (?:mail|outlook|yahoo) .{2,40}|get outlook for (?:ios|android).{0,60}|надіслано з .{2,40})\s*$",
    re.IGNORECASE,
)
_MANY_LINES = re.compile(r"\n{3,}")


def split(text: str, html: str | None = None, *, forward: bool = False) -> Split:
    """Part `text` (or, where it is empty, the text of `html`). In a forward the header block is content."""
    if not text.strip() and html:
        text = text_of_html(html)
    lines = text.replace("\r\n", "\n").split("\n")
    kept: list[str] = []
    quoted: list[str] = []
    position = 0
    said = False
    while position < len(lines):
        line = lines[position]
        if _FORWARDED.match(line):
            kept += lines[position:]
            break
        if said and not forward and _history_begins(lines, position):
            quoted += lines[position:]
            break
        if _QUOTE_MARK.match(line):
            quoted.append(line)
            position += 1
            continue
        size, certain = _attribution(lines, position)
        if size:
            following = _next_filled(lines, position + size)
            if following < len(lines) and _QUOTE_MARK.match(lines[following]):
                quoted += lines[position:following]
                position = following
                continue
            if certain and said and following < len(lines):
                quoted += lines[position:]
                break
        said = said or bool(line.strip())
        kept.append(line)
        position += 1
    _fold_mobile_signature(kept, quoted)
    reply = _tidy(kept)
    if not reply:
        # A body that is nothing but a quote is shown as it is: better too much than nothing.
        return Split(_tidy(lines), "")
    return Split(reply, "\n".join(quoted).strip("\n"))


def _tidy(lines: list[str]) -> str:
    return _MANY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def _next_filled(lines: list[str], position: int) -> int:
    """The next line with something on it, at most two empty ones further."""
    end = min(len(lines), position + 3)
    while position < end and not lines[position].strip():
        position += 1
    return position


def _attribution(lines: list[str], position: int) -> tuple[int, bool]:
    """(lines it takes, whether it can be nothing else) for "On ... wrote:" and its kin; (0, False) where there is none."""
    line = lines[position]
    if len(line) > 400 or not line.strip():
        return 0, False
    dated = bool(_DATED_START.match(line))
    if not dated and not line.rstrip().endswith(":"):
        return 0, False
    joined = ""
    for size in range(1, 4 if dated else 2):
        if position + size > len(lines):
            break
        # Clients wrap a long attribution, also inside the angle bracket and inside the quote itself.
        joined = f"{joined} {_MARKS.sub('', lines[position + size - 1]).strip()}".strip()
        if len(joined) > 500:
            break
        if joined.endswith(":"):
            if _DATED.match(joined) or _NAMED_WITH_ADDRESS.match(joined):
                return size, True
            if _NAMED.match(joined):
                return size, False
    return 0, False


def _history_begins(lines: list[str], position: int) -> bool:
    """Whether an Outlook-like header block or "original message" line stands here."""
    line = lines[position]
    if _ORIGINAL.match(line):
        return True
    if _RULE.match(line):
        following = _next_filled(lines, position + 1)
        return following < len(lines) and (
            _fields_from(lines, following) >= 2 or (bool(_FROM.match(lines[following])) and _fields_from(lines, following + 1) >= 2)
        )
    return bool(_FROM.match(line)) and _fields_from(lines, position + 1) >= 2


def _fields_from(lines: list[str], position: int) -> int:
    """How many different mail fields (sent, to, subject...) stand in the next lines."""
    found: set[str] = set()
    for line in lines[position : position + 8]:
        match = _FIELD.match(line)
        if match:
            found.add(match[1].lower())
        elif not line.strip() and found:
            break
    return len(found)


def _fold_mobile_signature(kept: list[str], quoted: list[str]) -> None:
    for back in range(len(kept) - 1, max(-1, len(kept) - 8), -1):
        if not kept[back].strip():
            continue
        if _MOBILE.match(kept[back]) and any(line.strip() for line in kept[:back]):
            quoted.insert(0, kept.pop(back))
        return
