"""Where a person's own words end and the standing text under them begins: signatures, phones' lines, list footers, disclaimers. Pure."""

import re
from collections.abc import Sequence

_FEW = 15  # lines under a delimiter that still make a signature
_CLOSE = 9  # filled lines from the end within which a closing formula stands
_SHORT = 72  # characters of a line of a signature

_DELIMITER = re.compile(r"^\s*(?:--|—|–|-- -)\s*$")
_RULE = re.compile(r"^\s*(?:_{5,}|-{5,}|={5,}|\*{5,}|—{3,})\s*$")
_LIST_FOOTER = re.compile(
    r"mailing list|@lists?\.|listinfo|unsubscribe|отписаться|рассылк|you (?:are receiving|received) this|"
    r"вы получили это письмо, (?:потому|так)|view it on github|reply to this email directly",
    re.IGNORECASE,
)
# "Sent from ..." says what it was sent with; "Sent from our warehouse" is somebody's words.
_DEVICE = (
    r"(?:i-?phone|i-?pad|i-?os|android|samsung|galaxy|xiaomi|redmi|poco|huawei|honor|realme|oppo|pixel|nokia|lg|sony|xperia|lenovo|htc|"
    r"blackberry|windows|outlook|почт\w+|mail|gmail|yahoo|yandex|яндекс\S*|spark|proton\w*|thunderbird|bluemail|mymail|smartphone|"
    r"смартфон\w*|телефон\w*|phone|handy|mobile|móvil|telefon\w*|téléphone|мобильн\w+|мобільн\w+|устройств\w+|пристро\w+|device|appareil|"
    r"dispositivo|gerät|urządzeni\w+|tablet\w*|планшет\w*|құрылғы\w*|компьютер\w*|app)"
)
_MOBILE = re.compile(
    r"^\s*(?:"
    r"(?:sent (?:from|with|via|using|by)|отправлено (?:со?|из|через|при помощи)|надіслано (?:з|із|зі|через)|адпраўлена (?:з|са|праз)|"
    rf"envoyé d[e'’]\S*|enviado d\S+|inviat[oa] da\S*|wysłan[eo] z\S*|verzonden (?:vanaf|met|via)|odesláno z\S*|skickat från|"
    r"gesendet (?:von|mit|über))"
    rf"(?: [^\s,]+){{0,3}} {_DEVICE}(?:['’]\w+)?(?:[ ,/-]+[^\s,]+){{0,5}}"
    r"(?:[.,;] (?:please )?(?:excuse|forgive|pardon|простите|извините) .{2,60})?"
    r"|(?:простите|извините) за краткость.{0,60}|(?:это )?(?:письмо|сообщение) (?:было )?проверено .{0,30}вирус.{0,60}"
    rf"|отправлено из мобильной .{{2,40}}|von (?:mein\S+|unterwegs).{{0,60}}gesendet|.{{0,60}}{_DEVICE}.{{0,30}} (?:жіберілді|gönderildi)"
    r"|(?:get|получить|скачать|скачайте|отримати|завантажити|télécharger|obtenir|obtener|obtén|scarica|pobierz|download) outlook .{2,40}"
    r"|outlook f(?:ür|or) (?:ios|android) .{2,60}|yahoo mail: .{2,60}"
    r"|(?:virus-free|без вирусов|не содержит вирусов|virenfrei|sans virus|libre de virus)\b.{0,60}"
    r"|<?https?://www\.avast\.com/sig-email\S*|<#[0-9A-F-]{30,40}>"
    r")[.!]?\s*$",
    re.IGNORECASE,
)
# A mail server puts it above what comes from outside.
_WARNING = re.compile(
    r"\W{0,6}(?:caution|warning|external|attention|внимание|осторожно|внешн\w+|увага|achtung|vorsicht|avertissement|atención)\b"
    r"(?=.*(?:mail|sender|links|organi[sz]ation|письм|почт|сообщен|отправител|ссылк|лист|відправник|absender|expéditeur|correo))"
    r".{0,60}?(?:originated (?:from )?outside|outside (?:of )?(?:the|your|our)|external (?:e-?mail|sender|source|message)|external\]|"
    r"do not (?:click|open)|"
    r"внешн\w+ (?:почт\w+|письм\w+|отправител\w+|адрес\w*|источник\w*)|извне|из-за пределов|за пределами|"
    r"зовнішн\w+ (?:пошт\w+|лист\w*|відправник\w*|джерел\w+)|von außerhalb|extern\w* (?:e-?mail|absender|quelle)"
    r"|expéditeur externe|externo)"
    # A mark in brackets or stars, and what Outlook says of strangers.
    r"|\s*(?:\[|\*{2,} ?)(?:external|extern\w?|внешн\w+|зовнішн\w+)(?: [\w-]+){0,3} ?(?:\]|\*{2,})|"
    r".{0,50}(?:don['’]t often get e-?mail from|нечасто получаете|рідко отримуєте)",
    re.IGNORECASE | re.DOTALL,
)
# Formulas that stand for a signature whoever follows, and thanks, which are one only above a name.
_REGARDS = re.compile(
    r"^\s*(?:с (?:большим |искренним |глубоким )?уважением|с ув(?:аж)?\.|с? ?наилучши[ме](?:и)?(?: пожелания(?:ми)?)?|"
    r"всего (?:доброго|наилучшего|хорошего)|"
    r"искренне ваш[аи]?|с почтением|с теплом|до связи|(?:з|із) повагою|з найкращими побажаннями|з павагай|құрметпен|хорошего дня|"
    r"(?:(?:best|kind|kindest|warm|warmest|with best|with kind) )?regards|best wishes|all the best|yours (?:sincerely|faithfully|truly)|"
    r"(?:yours )?sincerely|respectfully|cordially|(?:mit )?(?:freundlich\w+|best\w+|lieb\w+|viele\w*|herzlich\w+) gr(?:ü|ue)(?:ß"
    r"|ss)\w*|mfg|"
    r"(?:bien )?cordialement|bien à (?:vous|toi)|(?:sincères |meilleures )?salutations|(?:un )?(?:cordial )?saludos?|atentamente"
    r"|atenciosamente|"
    r"(?:(?:melhores|com os melhores) )?cumprimentos|(?:cordiali |distinti |un )?salut[io]|z poważaniem|z wyrazami szacunku|pozdrawiam|"
    r"met (?:vriendelijke|hartelijke) groet(?:en)?|vriendelijke groet(?:en)?|s pozdravem|saygılarım(?:la|ızla)"
    r"|iyi çalışmalar)(?!\w)[^?]{0,60}$",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"^\s*(?:(?:заранее |большое )?спасибо(?: заранее| большое| за помощь)?|(?:заранее )?благодарю|"
    r"(?:many )?thanks(?: in advance| a lot| again)?|thank you(?: in advance| very much)?|thx|cheers|best)\s*[,.!)]*\s*$",
    re.IGNORECASE,
)
_DASHED_NAME = re.compile(r"^\s*[-–—]\s?[A-ZА-ЯЁ][\w.'-]*(?:\s[A-ZА-ЯЁ][\w.'-]*){0,2}\s*$")
_CONTACT = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}\.\w|(?:https?://|www\.)\S|\+?\d[\d\s().-]{6,20}\d|"
    r"\b(?:тел|моб|доб|факс|внутр|tel|phone|mob|mobile|cell|fax|ext|skype|telegram|whatsapp)\b\.?:?|(?<!\w)[tmf]\.\s?\d|"
    r"\b(?:ооо|зао|пао|ао|ип|ltd|inc|llc|gmbh)\b",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"конфиденциальн\w+ (?:информаци|сведени)|информаци\w+, содержащ\w+ .{0,160}конфиденциальн|"
    r"(?:сообщение|письмо) (?:и|или|а также) .{0,40}вложени\w+ .{0,80}(?:конфиденциальн|предназначен)|"
    r"если вы не являетесь (?:указанным |предполагаемым |его )?(?:адресатом|получателем)|"
    r"получили (?:это|данное) (?:письмо|сообщение) по ошибке|"
    r"this (?:e-?mail|message|communication)\b.{0,120}\b(?:confidential|privileged|intended (?:only|solely|exclusively)?)|"
    r"if you (?:are not|have received this).{0,60}(?:intended recipient|in error|by mistake)|confidentiality (?:notice|note)|"
    r"(?:diese e-?mail|ce (?:message|courriel)|este (?:mensaje|correo|e-?mail)|quest[oa] (?:messaggio|e-?mail)|ta wiadomość|"
    r"це (?:повідомлення|лист)|гэта паведамленне|бұл хат)\b.{0,160}(?:vertraulich|confiden|riservat|poufn|конфіденці|канфідэнц|құпия)|"
    r"(?:пожалуйста, )?подумайте (?:об окружающей среде|о природе),? прежде чем|consider the environment before printing",
    re.IGNORECASE | re.DOTALL,
)
_LOWER_START = re.compile(r"^\s*[a-zа-яё]")
_SENTENCE = re.compile(r"[?;]\s*$|\w{3}[.!]\s+[A-ZА-ЯЁ]\S*\s+\S")
_WORDS = 9  # in a line, beyond which somebody says something
_LOOKED_AT = 2_000  # characters of a paragraph, for what has to be searched


def own_lines(lines: Sequence[str], *, sender: str = "") -> int:
    """How many lines from the top are the person's own words; all of them where nothing else would be left.

    `sender` is the name in the mail's From.
    """
    end = _filled(lines, len(lines))
    while True:
        shorter = min(
            (found(lines, end) for found in (_delimited, _footer, _mobile, _disclaimer, _closing, _dashed, _contacts)), default=end
        )
        shorter = _filled(lines, min(shorter, _named(lines, end, sender)))
        if shorter == 0:
            return len(lines) if end == _filled(lines, len(lines)) else end
        if shorter >= end:
            return end
        end = shorter


def warning_lines(lines: Sequence[str]) -> int:
    """How many lines at the top are a mail server's warning that the letter comes from outside; none where nothing else was written."""
    start = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    end = next((at for at in range(start, len(lines)) if not lines[at].strip()), len(lines))
    if end - start > _FEW or not _WARNING.match(" ".join(lines[start:end])[:_LOOKED_AT].lstrip()):
        return 0
    return end if any(line.strip() for line in lines[end:]) else 0


def _says(line: str) -> bool:
    """Whether a line is a sentence rather than a name, a post or an address."""
    return len(line) > _LOOKED_AT or len(line.split()) > _WORDS or bool(_SENTENCE.search(line))


def _reach(line: str) -> bool:
    """Whether a line tells how somebody is reached."""
    return bool(_CONTACT.search(line[:_LOOKED_AT]))


def _filled(lines: Sequence[str], end: int) -> int:
    while end and not lines[end - 1].strip():
        end -= 1
    return end


def _paragraph(lines: Sequence[str], end: int) -> int:
    """Where the last paragraph begins."""
    start = end
    while start and lines[start - 1].strip():
        start -= 1
    return start


def _delimited(lines: Sequence[str], end: int) -> int:
    return next((at for at in range(max(0, end - _FEW - 1), end) if _DELIMITER.match(lines[at])), end)


def _footer(lines: Sequence[str], end: int) -> int:
    """A ruled-off block at the end: a list's footer, or a card of short lines."""
    for at in range(max(0, end - _FEW - 10), end):
        if not _RULE.match(lines[at]):
            continue
        below = [line for line in lines[at + 1 : end] if line.strip()]
        if any(_LIST_FOOTER.search(line[:_LOOKED_AT]) for line in below) or (
            below and len(below) <= _FEW and not any(map(_says, below)) and any(map(_reach, below))
        ):
            return at
    start = _paragraph(lines, end)
    return start if end - start <= 4 and _LIST_FOOTER.search("\n".join(lines[start:end])[:_LOOKED_AT]) else end


def _mobile(lines: Sequence[str], end: int) -> int:
    return end - 1 if end > 1 and _MOBILE.match(lines[end - 1]) else end


def _disclaimer(lines: Sequence[str], end: int) -> int:
    start = _paragraph(lines, end)
    if not _DISCLAIMER.search("\n".join(lines[start:end])[:_LOOKED_AT]):
        return end
    above = _filled(lines, start)
    return above - 1 if above and _RULE.match(lines[above - 1]) else start


def _closing(lines: Sequence[str], end: int) -> int:
    """A closing formula with nothing but a card under it."""
    filled = 0
    for at in range(end - 1, -1, -1):
        line = lines[at]
        if not line.strip():
            continue
        if _REGARDS.match(line) or (_THANKS.match(line) and filled):
            below = [one for one in lines[at + 1 : end] if one.strip()]
            named = all(len(one) <= _SHORT and not _says(one) for one in below)
            first_is_name = not below or not _LOWER_START.match(below[0])
            return at if named and first_is_name else end
        filled += 1
        if filled >= _CLOSE:
            break
    return end


def _dashed(lines: Sequence[str], end: int) -> int:
    """ "-Rick", with nothing under it but ways to reach Rick; not the last point of a list."""
    for at in range(end - 1, max(0, end - _FEW), -1):
        if _DASHED_NAME.match(lines[at]):
            return end if lines[at - 1].lstrip().startswith(("-", "–", "—")) else at
        if lines[at].strip() and not (_reach(lines[at]) and len(lines[at].split()) <= 4):
            return end
    return end


def _contacts(lines: Sequence[str], end: int) -> int:
    """A last paragraph that is a business card: a name, then addresses and numbers."""
    start = _paragraph(lines, end)
    card = lines[start:end]
    if start == 0 or not 2 <= len(card) <= 10 or any(len(line) > _SHORT or _says(line) for line in card):
        return end
    several = sum(_reach(line) for line in card) >= 2
    return start if several and not _reach(card[0]) and not _LOWER_START.match(card[0]) and len(card[0].split()) <= 5 else end


def _named(lines: Sequence[str], end: int, sender: str) -> int:
    """A last paragraph that begins with the sender's own name."""
    start = _paragraph(lines, end)
    names = {sender.casefold().strip(), *(part.casefold() for part in sender.split()[:2])} - {""}
    if not start or end - start > 5 or not names:
        return end
    said = lines[start].strip(" ,.!-–—").casefold()
    return start if said in names and all(len(line) <= _SHORT and not _says(line) for line in lines[start:end]) else end
