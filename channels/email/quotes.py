"""What is new in a reply and what is only quoted. Pure; folds, never deletes: everything is in one half or the other."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise, takewhile

from channels.email.addresses import addresses
from channels.email.containers import PLAIN, Structure, bare
from channels.email.signatures import own_lines, warning_lines


@dataclass(frozen=True, slots=True)
class Split:
    """`reply` is what the person wrote, `quoted` the history and the mobile signature under it."""

    reply: str
    quoted: str


_DAY_OF = r"\d{1,2}\.? (?:de )?[^\W\d_]{3,12}\.?,? (?:de )?\d{4}"  # a month is a word, in whatever language
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}\. \d{1,2}\. \d{4}|"
    rf"{_DAY_OF}|[^\W\d_]{{3,12}}\.? \d{{1,2}},? \d{{4}}|\d{{4}} ж\. \d{{1,2}} [^\W\d_]{{3,12}}\.?)"
)
_TIME = r"\b\d{1,2}:\d{2}\b"
_VERB = (
    r"(?:пишет|пише|написал(?:\(а\)|а)?|писал(?:\(а\)|а|и)?|написав|написала|піша|напісаў|напісала|жазды|wrote|writes|schrieb|a écrit|"
    r"escribió|escreveu|ha scritto|napisał(?:\(a\)|a)?|pisze|schreef|napsal(?:\(a\)|a)?|yazdı|skrev|kirjoitti|írta|a scris)"
)
_MAIL = r"[^\s<>\"]+@[^\s<>\"]+"
_QUOTE_MARK = re.compile(r"^\s{0,3}(?:>|&gt;|[A-ZА-ЯЁ]{1,3}>(?= |$))")  # The Bat! puts the author's initials before it
_ONE_MARK = re.compile(r"^\s{0,3}(?:>|&gt;) ?")
_MARKS = re.compile(r"^(?:\s{0,3}[A-ZА-ЯЁ]{0,3}>)+ ?")
# An attribution begins with a date, perhaps after "On", "Le", "Em" and a weekday; these are the lines worth a closer look.
_DATED_START = re.compile(rf"^\s*(?:-{{2,4}} )?(?:\d{{1,2}}:\d{{2}}, )?(?:[^\W\d_]{{1,12}}[.,]{{0,2}} ){{0,4}}{_DATE}", re.IGNORECASE)
_DATED = re.compile(rf"{_DATED_START.pattern}.{{0,300}}?(?:{_VERB}|{_MAIL}).{{0,120}}:$", re.IGNORECASE)
_SAID_WHEN = re.compile(rf"^\s*(?:[^\W\d_]{{1,12}} )?{_VERB} {_DATE}.{{0,40}}:$", re.IGNORECASE)
_NAMED = re.compile(rf"^\s*.{{2,120}}\s{_VERB}\s?:$", re.IGNORECASE)
_NAMED_WITH_ADDRESS = re.compile(rf"^\s*.{{0,80}}<?{_MAIL}>?\)?,? {_VERB}\s?:$", re.IGNORECASE)
# Whatever the language: who, with an address in brackets, and when.
_WHO_AND_WHEN = re.compile(rf"^(?=.*<{_MAIL}>)(?=.*\b(?:19|20)\d\d\b)(?=.*{_TIME}).{{10,300}}:$")

# Yahoo's program for phones writes the answered words behind it.
_WITH_QUOTE = re.compile(rf"^(\s*.{{0,200}}<{_MAIL}>,? {_VERB}\s?:)\s{{2,}}(?=\S)", re.IGNORECASE)

_FROM = re.compile(
    r"^\W{0,4}(?:от|от кого|from|von|de|від|ад|da|od|van|kimden|кімнен|expéditeur|mittente|nadawca)\s?:\W{0,4}\s?\S", re.IGNORECASE
)
_FIELD = re.compile(
    r"^\W{0,4}(отправлено|дата|кому|копия|тема|sent|date|to|cc|subject|надіслано|gesendet|datum|an|betreff|reply-to|importance|важность|"
    r"адпраўлена|каму|тэма|envoyé|à|objet|enviado(?: el| em)?|para|asunto|assunto|fecha|inviato|a|oggetto|wysłano|do|temat|verzonden|aan|"
    r"onderwerp|odesláno|komu|předmět|gönderildi|tarih|kime|konu|жіберілді|кімге|тақырыбы)\s?:",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"^[ \t>*]{0,4}[^\W\d_][^:@<\d]{0,22}?[ *]?:[ \t*]*\S")
_BORDER = 140
_ABOVE = ("above", "выше", "над", "вище", "oberhalb", "über", "au-dessus", "encima", "powyżej")
_BLOCK = 8  # lines of a head
_HAS_MAIL, _HAS_TIME = re.compile(_MAIL), re.compile(_TIME)
_MOMENT = re.compile(rf"(?:\b(?:19|20)\d\d\b|{_DATE}).*{_TIME}|{_TIME}.*(?:\b(?:19|20)\d\d\b|{_DATE})", re.IGNORECASE)
_RULED = re.compile(r"^\s*(?:_{8,}|-{8,}|={8,}|[—–=*-]{5,}|-{2,} ?[^\W\d_][^-\n]{3,60}-{2,}|original message)\s*$", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"^\s*-{2,}\s*(?:исходное сообщение|оригинальное сообщение|original message|original appointment|reply message|"
    r"ursprüngliche nachricht|message d['’]origine|mensaje original|messaggio originale|wiadomość oryginalna|початкове повідомлення|"
    r"вихідне повідомлення)\s*-{2,}\s*$",
    re.IGNORECASE,
)
# Other desks put it above what they say.
_REPLY_ABOVE = re.compile(
    r"^\s*([#=*~_—–<\[({-]{2,}.{0,40}?)?\b(?:please |пожалуйста,? |будь ласка,? |bitte )?(?:\w+ ){0,4}"
    r"(?:reply|replies|response|answer|ответ\w*|відповідь|antwort|réponse|respuesta|odpowiedź)\b"
    rf"(?: \w+){{0,2}} (?:{'|'.join(_ABOVE)})"
    r"(?: (?:\w+ ){0,2}(?:line|лини\w|строк\w|черт\w|рядком|лінією|zeile|ligne|línea|linii)|(?= ?[=#*~—–-]{2}))",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^\s*(?:-{2,}\s*(?:пересылаемое сообщение|пересланное сообщение|переадресованное сообщение|перенаправленное сообщение"
    r"|forwarded message)\s*-{2,}"
    r"|begin forwarded message:|начало переадресованного сообщения:?|начало пересылаемого сообщения:?)\s*$",
    re.IGNORECASE,
)
_FORWARD_ENDS = re.compile(
    r"^\s*-{2,}\s*(?:конец (?:пересылаемого|пересланного|переадресованного) сообщения|end (?:of )?forwarded message)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_MANY_LINES = re.compile(r"\n{3,}")
# Outlook's dates are full of these.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff"))
_HEAD = 15  # lines in which a forwarding head names its author
_TYPED = "\ufeff"  # stands before a ">" that is no mark of a quote; what comes in mail was taken out
_CERTAIN = 24  # letters by which a head is known again
_HEAD_LINES = 6
_BEFORE_HEAD = " \t>*_-[<(\"'"
_TELLING = 12  # letters; a shorter line may be anybody's
_OURS = 3  # lines
_LOOKED_AT = 400  # characters of a line of a head
_LONG = 1_000  # characters; a line beyond says no more who wrote
_ANSWERED = 3  # lines of a quote that an answer keeps


def split(text: str, *, structure: Structure = PLAIN, forward: bool = False, sender: str = "") -> Split:
    """Part `text` by what the HTML's `structure` tells, and by its words.

    A forward is content, whatever it is wrapped in. An answer between quoted lines keeps the end of what it answers, as ">" lines.
    `sender` is the name in the mail's From, by which a signature is told.
    """
    lines = _with_marks([part for line in _lines(text) for part in _unglued(line)])
    if structure.typed:
        lines = [f"{_TYPED}{line}" if _ONE_MARK.match(line) and bare(line) and _is_typed(line, structure) else line for line in lines]
    head = _head_at(lines, structure.head) if structure.head else -1
    said, passed_on = _until_forward(lines, forward=forward, head=head)
    warned = warning_lines(said)
    blocks = _blocks(said[warned:], last=not passed_on, head=head - warned)
    own = [line for block in blocks if not block.quoted for line in block.lines]
    kept = own_lines(own, sender=sender)
    if not any(line.strip() for line in own[kept:]):
        kept = len(own)
    reply, folded = _told(blocks, kept)
    if kept < len(own) and passed_on:
        reply.append("")
    folded = [*said[:warned], *folded]
    whole = _tidy([*reply, *passed_on])
    if not whole or not any(line.strip() and not _QUOTE_MARK.match(line) for line in (*reply, *passed_on)):
        # A body that is nothing but a quote is shown as it is: better too much than nothing.
        return Split(_tidy(lines), "")
    return Split(whole, "\n".join(folded).replace(_TYPED, "").strip("\n"))


def first_author(text: str, *, forward: bool = False) -> tuple[str, str] | None:
    """(name, address) of who wrote what a mail passes on, as its forwarding head says; None where it passes nothing on or does not say."""
    _, passed_on = _until_forward(_lines(text), forward=forward)
    for line in passed_on[:_HEAD]:
        if _FROM.match(line):
            return next(iter(addresses(line.partition(":")[2].strip(" *_").encode())), None)
    # Yandex's web mail has no head: it says when and who in one line.
    start = _next_filled(passed_on, 1)
    size, _ = _attribution(passed_on, start) if start < len(passed_on) else (0, False)
    said = " ".join(_MARKS.sub("", line).strip() for line in passed_on[start : start + size])
    return next(iter(addresses(said.encode())), None) if size else None


def parted(text: str, *, forward: bool = False) -> tuple[str, str]:
    """(what whoever passes a mail on says to it, what is passed on without its head); the second is empty where nothing is."""
    above, below = _until_forward(_lines(text), forward=forward)
    if not below:
        return _tidy(above), ""
    if _FORWARDED.match(_MARKS.sub("", below[0])):
        below = below[1:]
    start = _next_filled(below, 0)
    if start < len(below) and _QUOTE_MARK.match(below[start]):
        # Where it stands in a quote, words behind the quote are again those of whoever passes it on.
        end = next((at for at in range(start, len(below)) if below[at].strip() and not _QUOTE_MARK.match(below[at])), len(below))
        inner, after = [_ONE_MARK.sub("", line) for line in below[:end]], below[end:]
    else:
        end = next((at for at, line in enumerate(below) if _FORWARD_ENDS.match(line)), len(below))
        inner, after = below[:end], below[end + 1 :]
    return _tidy([*above, "", *after]), _tidy(inner[_head_ends(inner) :])


def _head_ends(lines: list[str]) -> int:
    """Where the words of a mail that is passed on begin: behind its fields, or the line that says who wrote it."""
    start = _next_filled(lines, 0)
    if start < len(lines) and (size := _attribution(lines, start)[0]):
        return start + size
    if not any(map(_FROM.match, lines[start : start + _HEAD])):
        return start
    return next((at for at in range(start, len(lines)) if not lines[at].strip()), len(lines))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").translate(_INVISIBLE).split("\n")


def without_ours(text: str, sent: Iterable[str]) -> str:
    """What a person wrote, where their program repeats our letter without a mark: lines of ours are quoted, those at the end fall away.

    `sent` are the texts of letters of ours. A line or two may be the person's own words by chance; from `_OURS` on it is a quotation.
    """
    known = {bare(line) for letter in sent for line in letter.split("\n")} | {""}
    lines = text.split("\n")
    same = [not _QUOTE_MARK.match(line) and bare(line) in known for line in lines]
    ours = [at for at, line in enumerate(lines) if same[at] and len(bare(line)) >= _TELLING]
    if len(ours) < _OURS:
        return text
    marked = set(ours)
    for before, after in pairwise(ours):  # what is short between two lines of ours is ours as well
        if all(same[before:after]):
            marked.update(range(before, after))
    return split("\n".join(f"> {line}".rstrip() if at in marked else line for at, line in enumerate(lines))).reply


def _unglued(line: str) -> list[str]:
    """A line, as two where it holds who wrote and what they wrote."""
    found = _WITH_QUOTE.match(line) if len(line) <= _LONG and "<" in line else None
    return [found[1], f"> {line[found.end() :]}"] if found else [line]


def _is_typed(line: str, structure: Structure) -> bool:
    """Whether the person wrote this line with its ">"; programs wrap it."""
    return any(typed.startswith(bare(line)) for typed in structure.typed)


def _head_at(lines: list[str], head: str) -> int:
    """The line with which the history begins whose top has these letters, a rule above it included; -1 where none does."""
    for at, line in enumerate(lines):
        if line.lstrip(_BEFORE_HEAD)[:1].casefold() == head[0] and head.startswith(bare(line[:_LOOKED_AT])[: len(head)]):
            more = bare(" ".join(line[:_LOOKED_AT] for line in lines[at : at + _HEAD_LINES]))
            if more.startswith(head[:_CERTAIN]):
                above = next((before for before in range(at - 1, max(-1, at - 4), -1) if lines[before].strip()), at)
                return above if _RULED.match(lines[above]) else at
    return -1


@dataclass(slots=True)
class _Block:
    """Lines that belong together: a quote, or what was written around it."""

    quoted: bool
    lines: list[str]
    history: bool = False  # everything that follows, which nobody answers line by line


def _with_marks(lines: list[str]) -> list[str]:
    """mailx and its kin (POSIX: `indentprefix`) quote with tabs; under a line that says who wrote they become ">"."""
    if not any(line.startswith("\t") for line in lines):
        return lines
    marked, position = list(lines), 0
    while position < len(lines):
        size, certain = _attribution(lines, position)
        position += size or 1
        following = _next_filled(lines, position)
        while certain and following < len(lines) and lines[following].startswith("\t"):
            marked[following] = f"> {lines[following][1:]}"
            position = following + 1
            following = position if position < len(lines) and lines[position].startswith("\t") else _next_filled(lines, position)
    return marked


def _until_forward(lines: list[str], *, forward: bool, head: int = -1) -> tuple[list[str], list[str]]:
    """(what was written above, what is passed on); a quote around what is passed on is taken off."""
    start = next((at for at, line in enumerate(lines) if _FORWARDED.match(_MARKS.sub("", line))), None)
    if start is None and forward:
        start = next((at for at in range(len(lines)) if at == head or _QUOTE_MARK.match(lines[at]) or _history_begins(lines, at)), None)
    if start is None:
        return lines, []
    passed_on = lines[start:]
    while any(map(_QUOTE_MARK.match, passed_on)) and all(_QUOTE_MARK.match(line) for line in passed_on if line.strip()):
        passed_on = [_ONE_MARK.sub("", line) for line in passed_on]
    return lines[:start], passed_on


def _blocks(lines: list[str], *, last: bool, head: int) -> list[_Block]:
    """The mail in turns of own words and quotes; `last`: nothing is passed on below; `head`: the line on top of the history, if known."""
    found: list[_Block] = []

    def put(some: list[str], *, quoted: bool, history: bool = False) -> None:
        if found and found[-1].quoted == quoted and not history:
            found[-1].lines += some
        else:
            found.append(_Block(quoted, list(some), history))

    position, said = 0, False
    while position < len(lines):
        line = lines[position]
        if said and last and _history_begins(lines, position):
            put(lines[position:], quoted=True, history=True)
            break
        if position == head and not _QUOTE_MARK.match(line):
            marked = next((at for at in range(position, min(len(lines), position + _HEAD_LINES)) if _QUOTE_MARK.match(lines[at])), None)
            if marked is not None:
                put(lines[position:marked], quoted=True)
                position = marked
                continue
            if said and last:
                put(lines[position:], quoted=True, history=True)
                break
        if _QUOTE_MARK.match(line):
            put([line], quoted=True)
            position += 1
            continue
        size, certain = _attribution(lines, position)
        if size:
            following = _next_filled(lines, position + size)
            if following < len(lines) and _QUOTE_MARK.match(lines[following]):
                put(lines[position:following], quoted=True)
                position = following
                continue
            if certain and said and last and following < len(lines):
                put(lines[position:], quoted=True, history=True)
                break
        if not line.strip() and found and found[-1].quoted:
            put([line], quoted=True)  # an empty line under a quote belongs to it
        else:
            said = said or bool(line.strip())
            put([line], quoted=False)
        position += 1
    return found


def _told(blocks: list[_Block], kept: int) -> tuple[list[str], list[str]]:
    """(reply, folded) of the blocks, of whose own lines the first `kept` are the person's words."""
    answers = [at for at, block in enumerate(blocks) if not block.quoted and at and any(line.strip() for line in block.lines)]
    inline = len(answers) > 1 or any(at + 1 < len(blocks) and not blocks[at + 1].history for at in answers)
    reply: list[str] = []
    folded: list[str] = []
    for at, block in enumerate(blocks):
        if block.quoted:
            folded += block.lines
            continue
        own, rest = block.lines[:kept], block.lines[kept:]
        kept -= len(own)
        if any(line.strip() for line in own):
            if inline and at:
                reply += ["", *_answered(blocks[at - 1].lines)]
            reply += own
        folded += rest
    return reply, folded


def _answered(quote: list[str]) -> list[str]:
    """The end of a quote, which the words under it answer: its last paragraph, a few lines at most."""
    bare = [_MARKS.sub("", line).strip() if _QUOTE_MARK.match(line) else "" for line in quote]
    while bare and not bare[-1]:
        bare.pop()
    start = len(bare)
    while start and bare[start - 1] and len(bare) - start < _ANSWERED:
        start -= 1
    return [f"> {line}" for line in bare[start:]]


def _tidy(lines: list[str]) -> str:
    return _MANY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).replace(_TYPED, "").strip()


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
    may_wrap = bool(_DATED_START.match(line)) or "<" in line
    if not may_wrap and not line.rstrip().endswith(":"):
        return 0, False
    joined = ""
    for size in range(1, 4 if may_wrap else 2):
        if position + size > len(lines):
            break
        # Clients wrap a long attribution, also inside the angle bracket and inside the quote itself.
        joined = f"{joined} {_MARKS.sub('', lines[position + size - 1]).strip()}".strip()
        if len(joined) > 500:
            break
        if joined.endswith(":"):
            if _DATED.match(joined) or _NAMED_WITH_ADDRESS.match(joined) or _SAID_WHEN.match(joined) or _WHO_AND_WHEN.match(joined):
                return size, True
            if _NAMED.match(joined):
                return size, False
    return 0, False


def _history_begins(lines: list[str], position: int) -> bool:
    """Whether an Outlook-like header block or "original message" line stands here."""
    line = lines[position]
    if _ORIGINAL.match(line) or _is_border(line):
        return True
    if _RULED.match(line):
        following = _next_filled(lines, position + 1)
        return following < len(lines) and (
            _is_border(lines[following])
            or _head_begins(lines, following)
            or _fields_from(lines, following) >= 2
            or (bool(_FROM.match(lines[following])) and _fields_from(lines, following + 1) >= 2)
        )
    return _head_begins(lines, position)


def _is_border(line: str) -> bool:
    """Whether a line says that answers go above it: in ornaments, or with nothing else in it, as no sentence of somebody's."""
    if len(line) > _BORDER or not any(map(line.casefold().__contains__, _ABOVE)):
        return False
    found = _REPLY_ABOVE.match(line)
    return found is not None and len(bare(line[found.end() :])) <= (_BORDER if found[1] else 0)


def _head_begins(lines: list[str], position: int) -> bool:
    """Whether the head of a mail stands here: who, to whom, about what, and when. A label on a parcel tells no minute and no address."""
    if not _LABELLED.match(lines[position]):
        return False
    head = [line[:_LOOKED_AT] for line in takewhile(_LABELLED.match, lines[position : position + _BLOCK])]
    addressed = any(map(_HAS_MAIL.search, head))
    if _FROM.match(head[0]) and (fields := _fields_from(lines, position + 1)) >= 2:
        return any(map(_HAS_TIME.search, head)) or (fields >= 3 and (addressed or head[0].lstrip().startswith("*")))
    return len(head) >= 3 and addressed and any(map(_MOMENT.search, head))


def _fields_from(lines: list[str], position: int) -> int:
    """How many different mail fields (sent, to, subject...) stand in the next lines, up to an empty line or another sender."""
    found: set[str] = set()
    for line in lines[position : position + 8]:
        match = _FIELD.match(line)
        if match:
            found.add(match[1].lower())
        elif not line.strip() or _FROM.match(line):
            break
    return len(found)
