"""What a person said they want, what for, by which name they sign in, where a file lies: the words after those that announce them."""

import re
from collections.abc import Sequence

from nlu.extract.found import Found
from nlu.text import alternatives

_END = r"(?=[.;!?\n]|,? (?:но|а|потому что|так как|because|but|since|approved|согласов\w+|спасибо|заранее|thanks|thank you)\b|$)"
# A list and what describes the thing go on after a comma; another clause does not.
_COMMA = (
    r",(?= (?:желательно|лучше|примерно|размером|на|с|со|для|и|тоже|пару|одну|одна|один|дв[ае]|три|пять|\d|preferably|ideally|with|for|"
    r"size)\b)"
)
_WISH = alternatives(
    r"""
    заказать|закажите|купить|купите|выдать|выдайте|приобрести|приобретите|привезти|привезите|нужна|нужен|нужны|нужно|требуется|требуются
    i(?:'d| would) like(?: to (?:order|get|have))?|(?:please )?(?:order|buy)|need|can i (?:get|have)|could i (?:get|have)
    """
)
_ORDER = re.compile(
    rf"(?<!\w){_WISH}(?:,? (?:мне|нам|пожалуйста|ещё|еще|me|us|please|to order|to buy|заказать|купить))*,? "
    rf"(?P<said>(?:[^.,;!?\n]|{_COMMA}){{3,120}}?)(?=(?!{_COMMA}),|{_END})",
    re.IGNORECASE,
)
_ANYTHING = re.compile(r"(?:equipment|hardware|something|it|this|help|техник[уа]|оборудование|помощь|чтобы|ли)\b", re.IGNORECASE)
_PURPOSE = re.compile(
    r"(?<!\w)(?:чтобы|чтоб|для того,? чтобы|so (?:that )?i can|in order to|need (?:it|this|that) (?:for|to)|need access for|"
    r"it is (?:needed )?for) "
    rf"(?P<said>[^.;!?,\n]{{4,160}}?){_END}",
    re.IGNORECASE,
)
_FOR = re.compile(
    r"(?<!\w)(?:для (?!меня|нас|всех|него|неё|нее|[a-z0-9]+\b)"
    r"|(?<!asks )(?<!wants )(?<!want )(?<!need )(?<!trying )(?<!like )(?<!how )(?<!unable )(?<!able )(?<!going )(?<!refuses )"
    rf"to (?=\w+ (?:the|a|our|my|their)\b))(?P<said>[^.;!?,\n]{{4,120}}?){_END}",
    re.IGNORECASE,
)
_NAME = r"(?=[\w.-]{3})[a-z][a-z0-9]{0,20}(?:[._-][a-z0-9]{1,20}){0,3}"
_LOGIN = re.compile(
    r"(?<!\w)(?:(?:логин\w{0,2}|уч[её]тк[аиу]|уч[её]тная запись)(?: мой| у меня|[:=–—-])*|"
    r"(?:my )?(?:login(?: name)?|user ?name|user ?id|account(?: name)?)"
    rf"(?: is|[:=–—])+)\s*(?P<said>[a-z]{{2,20}}\\[a-z0-9._-]{{2,30}}|{_NAME})(?![\w@])",
    re.IGNORECASE,
)
_TELLING_LOGIN = re.compile(rf"(?<!\w)(?:login|user ?name|user ?id|account) (?P<said>(?=[a-z0-9]*[._\d]){_NAME})(?![\w@])", re.IGNORECASE)
_NO_LOGIN = frozenset(
    """
    right wrong correct locked blocked disabled inactive expired gone not now still also already again the my on in a an no active
    currently being fine ok windows domain microsoft office outlook vpn
    """.split()  # noqa: SIM905 - a list of words to read
)
_PATH = re.compile(
    r"(?P<said>\\\\[\w.$-]+(?:\\[^\\\s]+)+"
    r"|(?<!\w)(?i:диск\w{0,2}|drive)\s(?:«[A-ZА-Я]:?»|[A-ZА-Я](?!\w):?)(?:\\\S+)?"
    r"|(?<!\w)[A-Z]:\\?(?:\S*[^\s.,;!?])?(?: drive)?"
    r"|(?<!\w)(?i:(?:общ\w{2,3} |сетев\w{2,3} )?папк\w{1,2}|folder|share) (?:[«\"“][^»\"”\n]{1,60}[»\"”]|[A-ZА-ЯЁ][\w-]{1,40})"
    r"|(?<!\w)(?!The|My|Our|This|That)[A-Z][\w-]{1,40} (?:folder|share|drive)(?!\w))"
)
_SCREEN = re.compile(
    r"(?<!\w)(?:пишет|выда[её]т|ругается|it says|(?<!client )(?<!user )(?<!boss )(?<!manager )(?<!colleague )(?<!shift )(?<!he )says|"
    r"(?:ошибка|error)(?=:))(?:,? что| that|:| –| —)?\s(?P<said>[^.,;!?\n«\"“]{8,160})",
    re.IGNORECASE,
)
_NO_SCREEN = re.compile(
    r"(?:на|в|при|когда|после|с|мне|он|она|ошибк\w*|in|at|on|when|while|after|whenever|every|an? error|error|he|she|they)\b", re.IGNORECASE
)


def _of(pattern: re.Pattern[str], text: str, kind: str, confidence: float) -> list[Found]:
    return [Found(match["said"].strip(), *match.span("said"), confidence, kind) for match in pattern.finditer(text)]


def ordered(text: str) -> list[Found]:
    """What is to be bought or issued; of two orders the first."""
    return [one for one in _of(_ORDER, text, "ordered", 0.7) if not _ANYTHING.match(one.value)][:1]


def purpose(text: str) -> list[Found]:
    """What something is for: a clause that says so, otherwise a "for" or "to"."""
    return (_of(_PURPOSE, text, "purpose", 0.8) or _of(_FOR, text, "purpose", 0.6))[:1]


def login(text: str) -> list[Found]:
    """The name a person signs in by."""
    found = _of(_LOGIN, text, "login", 0.8) + _of(_TELLING_LOGIN, text, "login", 0.7)
    return [one for one in found if one.value.lower() not in _NO_LOGIN][:1]


def path(text: str) -> list[Found]:
    """A folder, a drive or a file."""
    return _of(_PATH, text, "path", 0.8)[:1]


def on_screen(text: str) -> list[Found]:
    """What the screen says where it is not quoted."""
    return [one for one in _of(_SCREEN, text, "screen", 0.6) if not _NO_SCREEN.match(one.value)][:1]


def find(text: str, slot: str) -> Sequence[Found]:
    """What the slot of that name wants."""
    if slot.startswith("error"):
        return on_screen(text)
    if slot.startswith("login"):
        return login(text)
    if slot.endswith("_purpose"):
        return purpose(text)
    if slot.startswith("equipment"):
        return ordered(text)
    return path(text) if slot.endswith("_path") else ()
