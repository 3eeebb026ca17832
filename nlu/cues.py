"""What the words of a text say about impact, urgency and danger, beyond any model: rules that a person can read and check."""

import re
from dataclasses import dataclass
from functools import lru_cache

from nlu.text import alternatives, lowered

_SCAN = 4_000  # characters; who is in danger or in a hurry says so early


def _any_of(lines: str) -> re.Pattern[str]:
    """Whole words only."""
    return re.compile(rf"\b{alternatives(lines)}\b")


_HIGH = _any_of(
    r"""
    (?:очень |крайне )?срочн\w*|горит|асап|немедленно|как можно (?:скорее|быстрее)|прямо сейчас|критичн\w*|стоит (?:вся )?работа
    работа (?:вся )?(?:стоит|встала)|вс[её] (?:стоит|встало)|встала работа|не мо(?:гу|жем) работать|не могу (?:ничего )?делать
    простаива\w+|блокиру\w+ (?:нас|меня|вс[её]|(?:вс[юя] |мою |нашу )?работ\w+|отгрузк\w+|отч[её]т\w*|релиз\w*)
    заблокирована работа|дедлайн\w*|через (?:час|полчаса|\d{1,2} минут)|сегодня (?:надо )?сдавать
    urgent(?:ly)?|asap|immediately|right now|critical|emergency|blocker|deadline
    (?:i'm|i am|we're|we are|work is|totally|completely|fully|me|us) blocked|block(?:s|ing|ed) (?:me|us|my|our|all|the whole|everyone|work)
    (?:can't|cannot|can not|unable to) (?:do (?:my|any) )?work|work (?:has )?(?:stopped|is stopped)|at a standstill
    in (?:an hour|\d{1,2} minutes)
    """
)
_LOW = _any_of(
    r"""
    не (?:очень )?срочно|не горит|не критично|не к спеху|терпит|подожд[её]т|не тороп\w+|без спешки
    когда будет (?:время|возможность|минутка)|как будет (?:время|возможность)|на досуге|не мешает работать|not (?:very |so )?urgent
    no (?:rush|hurry|urgency)|not critical|can wait|whenever (?:you|it)|when you (?:have|get) (?:a )?(?:time|minute|moment|chance)
    when(?:ever)? convenient|low priority|isn't urgent|not blocking|take your time
    """
)
_NO_WAY_ROUND = _any_of(
    r"""
    (?:нет|без) обходн\w+ (?:пут\w+|решени\w+|вариант\w*)|обходн\w+ (?:пут\w+|решени\w+|вариант\w*) нет
    обойти (?:никак|нельзя|не получается)
    no work-?around|without a work-?around|there is no way around
    """
)
_WAY_ROUND = _any_of(
    r"""
    обходн\w+ (?:пут\w+|решени\w+|вариант\w*)|пока обхожусь|обхо(?:жусь|димся)
    пока (?:работаю|печатаю|захожу|пользуюсь|сижу) (?:через|с|на|по)
    временно (?:работаю|печатаю|захожу|пользуюсь|сижу)|кое-как работа\w+|работа\w+,? но с трудом|перебиваюсь
    work-?arounds?|(?:managing|manage|coping) (?:for now|somehow|without)|for now i(?:'m| am)? (?:use|using|print|printing|work|working)
    getting by|make do|making do
    """
)
_EVERYBODY = _any_of(
    r"""
    вс(?:я|ей) (?:компани\w|организаци\w|фирм\w)|(?:весь|всем|всего) (?:офис\w?|завод\w?|филиал\w?|здани\w)
    у всех (?:в (?:компании|офисе)|пользователей|сотрудников|не)|у всех|ни у кого|никто в (?:офисе|компании)|вс[её] лежит|массов\w+
    по всей компании|(?:whole|entire) (?:office|company|building|organi[sz]ation|site)|company[- ]wide|office[- ]wide
    everyone (?:in|at|is)|everybody|for everyone|all users|no ?one in the (?:office|company)|all (?:of us|offices|branches)
    """
)
_GROUP = _any_of(
    r"""
    вес[ьй]\w* отдел\w?|всего отдела|у (?:нас )?(?:в отделе|отдела)|нашего отдела|никто не может|никто из нас|у нескольких
    несколько (?:человек|сотрудников|коллег)|у коллег(?:и)? (?:тоже|такж?е)|(?:коллеги|соседи) тоже|у соседей тоже
    (?:весь|всего|у всего) (?:кабинет\w?|этаж\w?)|наш(?:ей|а) (?:команд\w|групп\w|бухгалтери\w)
    никто (?:в|во|из|на) \w+|(?:nobody|no ?one) (?:in|at|from|on) (?:the )?\w+
    вс(?:я|ей) (?:бухгалтери\w|команд\w|групп\w|смен\w)|на (?:двоих|троих|четверых|пятерых)
    (?:whole|entire) (?:team|department|floor|room|group|shift)|our (?:team|department|floor)|nobody can|no ?one can
    several (?:people|users|colleagues|of us)|(?:my |other )?(?:colleagues|coworkers|others) (?:too|also|as well|have the same)
    a few (?:people|of us|users)|(?<!how )many (?:people|users)|some of us
    for (?:two|three|four|five|six|seven|eight|nine|ten) (?:people|users|persons|colleagues|employees|of us)
    """
)
_NUMBERS = {
    "двое": 2, "двоих": 2, "два": 2, "двух": 2, "трое": 3, "троих": 3, "три": 3, "трех": 3, "трёх": 3, "четверо": 4, "четверых": 4,
    "четыре": 4, "четырех": 4, "четырёх": 4, "пятеро": 5, "пятерых": 5, "пять": 5, "пяти": 5, "шестеро": 6, "шестерых": 6, "шесть": 6,
    "шести": 6, "семь": 7, "семи": 7, "восемь": 8, "восьми": 8, "девять": 9, "десять": 10, "десяти": 10, "пятнадцать": 15,
    "двадцать": 20, "двадцати": 20, "тридцать": 30, "пятьдесят": 50, "сто": 100, "десяток": 10, "десятка": 10, "сотня": 100, "сотни": 100,
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "a dozen": 12, "dozen": 12,
    "dozens of": 24, "fifteen": 15, "twenty": 20, "thirty": 30, "fifty": 50, "a hundred": 100, "hundreds of": 100,
}  # fmt: skip
_NUMBER = r"\d{1,4}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
_PEOPLE = (
    r"человек\w?|сотрудник\w*|пользовател\w*|коллег\w*|рабочих мест\w*|кассир\w*|оператор\w*|"
    r"people|users|persons|employees|colleagues|workplaces|workstations|staff|of us"
)
_COUNT = re.compile(
    rf"\b(?:(?P<count>{_NUMBER})\+?\s(?:наших\s|других\s|other\s|more\s|of\sour\s)?(?:{_PEOPLE})\b"
    rf"|(?:человек|людей|сотрудников)\s(?P<about>{_NUMBER})\b"
    rf"|(?:нас|у\sнас|у)\s(?P<us>двое|двоих|трое|троих|четверо|четверых|пятеро|пятерых|шестеро|шестерых)\b)"
)
_MANY = 30

_SECURITY = _any_of(
    r"""
    взлом\w*|взлама\w*|фишинг\w*|шифровальщик\w*|вымогател\w*|вирус\w*|тро(?:ян|йан)\w*|утечк\w*|утекл\w*
    (?:укра\w+|потерял\w?|утерян\w*) (?:мой |рабочий |служебный )?(?:ноут\w*|телефон\w*|комп\w*|флешк\w*|пропуск\w*|токен\w*)
    (?:ввел|ввела|ввёл|вводил\w?) (?:\w+ ){0,3}пароль (?:\w+ ){0,4}(?:подозрительн\w+|левом|поддельн\w+|фальшив\w+)
    подозрительн\w+ (?:письм\w+|ссылк\w+|вложени\w+|вход\w*|активност\w+)
    (?:кто-то|кто то|чужой) (?:вош[её]л|заш[её]л|сидит) (?:под|в) мо\w+|мошенник\w*|hacked|hacker\w*|phish\w*|ransom\w*|malware
    virus(?:es)?|trojan|data (?:leak|breach)|leaked|breach|scam\w*
    (?:stolen|lost|stole|missing) (?:my |the |our |a )?(?:work |company )?(?:laptop|phone|computer|badge|token|usb)
    (?:laptop|phone|badge) (?:was|is|got) (?:stolen|lost)|suspicious (?:e-?mail|link|attachment|login|message|activity)
    entered (?:my )?password (?:on|into|at) a (?:fake|strange|suspicious)|compromised
    """
)
_SAFETY = _any_of(
    r"""
    пожар(?:[ауе]|ом|ная|ной)?|загорел\w*|задымил\w*|(?:идет|идёт|валит|пошел|пошёл) дым|дымит\w*|пахнет (?:гарью|паленым|палёным)|искрит\w*
    ударил\w? током|бь[её]т током|on fire|caught fire|smoke|smoking|smells? (?:of|like) burn\w*|burning smell|sparks?|sparking
    electric(?:al)? shock|electrocut\w*
    """
)
_THREAT = _any_of(
    r"""
    убью|убить себя|покончу с собой|покончить с собой|суицид\w*|взорву|бомб[аыу]|заминирован\w*|хуже будет|пожалеете|вам не поздоровится
    (?:мне|нам|коллег\w) угрожа(?:ют|ет|ли|л)|угрожает (?:мне|нам|коллег\w+)|шантаж\w*|kill (?:you|him|her|them|myself)|suicid\w*|bomb
    (?:you(?:'ll| will) (?:be sorry|regret)|threaten(?:s|ed|ing) (?:me|us|to)|being threatened|blackmail\w*)
    """
)
_LEGAL = _any_of(
    r"""
    пода(?:м|ю|дим|ем) в суд|иск в суд|судебн\w+ (?:иск\w*|запрос\w*|решени\w+|повестк\w+)|досудебн\w+|прокуратур\w+|роскомнадзор\w*
    (?:мой|наш|его|её|ее) (?:юрист|адвокат)|(?:запрос|проверка|предписание) (?:из|от) (?:полиции|фсб|мвд|суда|налоговой|трудовой инспекции)
    трудов\w+ инспекци\w+|следственн\w+ комитет\w*|i(?:'ll| will) sue|lawsuit|my (?:lawyer|attorney|solicitor)|legal action|subpoena
    court order|law enforcement|(?:police|court) (?:request|warrant)|data protection authority|gdpr (?:request|complaint)
    """
)
_CHIEF = (
    r"(?:генеральн\w+ директор\w*|гендиректор\w*|гендир\w*|финансов\w+ директор\w*|президент\w* компании|вице-президент\w*|"
    r"председател\w+ (?:правления|совета)|учредител\w+|член\w* (?:правления|совета директоров))"
)
_LEADER = r"(?:ceo|cfo|coo|cto|managing director|chair(?:man|woman|person)|vice president|president of the company|board member)"
# Who speaks for a head of the company, not who names one: "approved by the CEO" is no alarm.
_VIP = _any_of(
    rf"""
    (?:у|для) (?:нашего |нашей |самого )?{_CHIEF}|я {_CHIEF}|(?:от имени|по поручению|по просьбе) {_CHIEF}|это {_CHIEF}
    вип-?(?:клиент|пользовател)\w*|i am (?:the|your) {_LEADER}
    (?:our|the) {_LEADER} (?:can't|cannot|can not|has|is (?:unable|waiting|without|locked|stuck|in)|needs|wants|is about)
    (?:our |the )?{_LEADER}'s|on behalf of (?:our |the )?{_LEADER}|for (?:our|the) {_LEADER}|vip (?:user|client|customer|guest)
    """
)
_BLANK = re.compile(r"\s")
# What a person has to see at once, the worst first.
_DANGERS = (("safety", _SAFETY), ("security", _SECURITY), ("threat", _THREAT), ("legal", _LEGAL), ("vip", _VIP))
_HARMLESS = re.compile(r"\b(?:антивирус\w*|antivirus|anti-virus)\b")


@dataclass(frozen=True, slots=True)
class Cue:
    """What a rule read: the words as they stand and what they mean."""

    kind: str  # impact | urgency | danger
    value: str
    words: str
    start: int
    end: int


def _cue(kind: str, value: str, match: re.Match[str]) -> Cue:
    return Cue(kind, value, match.group(), *match.span())


def _blanked(match: re.Match[str]) -> str:
    return " " * len(match.group())


@lru_cache(maxsize=8)  # triage and extraction read the same text
def read(text: str) -> tuple[Cue, ...]:
    """Every cue of a normalised text, at most one of each kind."""
    sample = _BLANK.sub(" ", lowered(text[:_SCAN]).replace("’", "'"))
    found: list[Cue] = []
    if low := _LOW.search(sample):
        found.append(_cue("urgency", "low", low))
    elif high := _HIGH.search(sample) or _NO_WAY_ROUND.search(sample):
        found.append(_cue("urgency", "high", high))
    elif way := _WAY_ROUND.search(sample):
        found.append(_cue("urgency", "medium", way))
    if cue := _impact(sample):
        found.append(cue)
    harmful = _HARMLESS.sub(_blanked, sample)
    for value, pattern in _DANGERS:
        if danger := pattern.search(harmful):
            found.append(_cue("danger", value, danger))
            break
    return tuple(found)


def _impact(sample: str) -> Cue | None:
    if everybody := _EVERYBODY.search(sample):
        return _cue("impact", "organisation", everybody)
    if counted := _COUNT.search(sample):
        said = counted["count"] or counted["about"] or counted["us"]
        people = int(said) if said.isdigit() else _NUMBERS[said]
        if people > 1:
            return _cue("impact", "organisation" if people >= _MANY else "group", counted)
    if group := _GROUP.search(sample):
        return _cue("impact", "group", group)
    return None
