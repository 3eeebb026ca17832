"""Fixed phrases people steer a dialogue with, ru and en: they work without any model, so that "оператор" is always understood."""

import re

from nlu import phrases
from nlu.text import alternatives
from nlu.understood import Intent

_SIGNS = {
    "👍": Intent.CONFIRM,
    "👌": Intent.CONFIRM,
    "✅": Intent.CONFIRM,
    "+": Intent.CONFIRM,
    "👎": Intent.DENY,
    "❌": Intent.DENY,
    "🙏": Intent.THANKS,
}

_KNOWN: dict[str, Intent] = {
    phrase.strip(): intent
    for intent, block in phrases.PHRASES.items()
    for line in block.splitlines()
    for phrase in line.split("|")
    if phrase.strip()
}

_POLITE = re.compile(r"\b(?:пожалуйста|плиз|пжлст|пож|please|pls|plz|а|ну|так|well)\b")
_THANKS = re.compile(r"\b(?:(?:большое |огромное )?спасибо(?: большое| вам)?|благодарю|thanks(?: a lot)?|thank you(?: very much)?)\b")
_GREETING = re.compile(r"\b(?:здравствуй|привет|добр(?:ый|ое|ого) |hi|hello|hey|good (?:morning|afternoon|evening|day))")
_COURTESY = re.compile(
    r"\b(?:"
    r"здравствуйте|здравствуй|привет(?:ствую)?|добр(?:ый|ое|ого) (?:день|вечер|утро|дня|времени суток)|"
    r"(?:огромное |большое )?спасибо(?: большое| вам)?|благодарю|вас|вам|всех|всем|все|коллеги|команда|друзья|уважаемые|"
    r"за (?:(?:быстрый|вашу|ваш|оперативный|оперативную) )?(?:помощь|ответ|работу|внимание)|"
    r"вчера|сегодня|заранее|еще раз|с уважением|хорошего (?:дня|вечера)|до свидания|"
    r"hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|thanks(?: a lot)?|thank you|many thanks|(?:so|very) much|"
    r"again|team|all|everyone|there|colleagues|for (?:your|the)(?: quick| fast)? (?:help|answer|reply|support)|"
    r"(?:best|kind) regards|regards|have a (?:nice|good) (?:day|one)|bye|in advance"
    r")\b"
)
# What people close with beside thanks: hurry, since when, whom to ring and what they wait for. None of it names a topic.
_CLOSING = re.compile(rf"\b{alternatives(phrases.CLOSING)}\b|[+#/'-]|\b\d[\d-]*\b")
_NOT_WORDS = re.compile(r"[^\w'+#/-]+|_+")
_SOLVED_HINT = re.compile(
    r"\b(?:решен[оа]?|решилось|заработал[оаи]?|вс[её] работает|(?:теперь|уже|снова) (?:вс[её] )?работает|помогло|починил[иос]\w*|"
    r"проблема (?:ушла|исчезла|пропала|решилась|устранена)|"
    r"solved|fixed(?! (?:price|cost|fee|rate|term|ip|line|asset|address|date|size|width))|works now|working now|it works|works fine|"
    r"(?:that|which) fixed it|problem (?:is )?gone|all (?:is )?(?:good|fine|well)(?: now)?)\b"
)
_SAID_ALONE = re.compile(
    r"\b(?:(?:(?:заявку|обращение|тикет|запрос|вопрос) )?(?:можно |можете |прошу |просьба )?закр(?:ойте|ывайте|ывай|ой|ыть|ывать)"
    r"(?: (?:эту|мою|нашу|данную|это|мое|этот|мой|наш))?(?: (?:заявку|обращение|тикет|запрос|вопрос|тему|задачу|инцидент))?|"
    r"(?:you can |you may )?close(?: it| (?:the|this|my) (?:ticket|request|case|issue))?|"
    r"(?:вопрос|тема|проблема|обращение|заявка) (?:закрыта?|закрыто|снята?)|(?:уже |больше )?не ?актуальн[оаы]?|"
    r"(?:уже|больше) не (?:нужно|надо|требуется)|отбой(?: (?:нашл[аи]|нашел))?|разобрал(?:ся|ась|ись)(?: сам[аи]?)?|"
    r"справил(?:ся|ась|ись)(?: сам[аи]?)?|все получилось|все (?:ок|окей|хорошо)|"
    r"(?:issue |problem |all )?(?:is )?resolved|(?:that|which) did it|(?:it's|it is|all) working|works like a charm|"
    r"no longer (?:needed|relevant|necessary)|not needed any ?more|never ?mind(?: found it)?|(?:all )?sorted(?: out)?)\b"
)
"""What says so where nothing else is said: of a text that goes on, these words are about anything."""
_BESIDE = re.compile(
    r"\b(?:ура|да|ну|и|а|ок|ok|okay|yes|это|его|ее|уже|теперь|наконец|все таки|у меня|у нас|вопрос|проблема|номер|"
    r"it|and|so|now|already|just|of)\b|\d+"
)
_NEGATED = re.compile(
    r"\b(?:не|нет|ни|no|not|never|isn't|doesn't|didn't|don't|does not|still|опять|снова не|все еще|всё ещё|но|but)\b", re.IGNORECASE
)
_DOUBTED = re.compile(
    r"\b(?:ли|когда|пока|если|чтобы?|как|кто|буде[тшм]\w*|будут|быть|стан(?:ет|ут)|должн\w+|нужно|надо|требу\w+|надеюсь|хотел\w*|жду|ждем|пусть|"
    r"хотя|кроме|только(?! что)|частично|наполовину|почти|вроде|временно|ненадолго|иногда|через|недолго|на время|"
    r"снова(?! (?:все )?работает)|у (?!меня|нас|всех)\w+|на (?:одном|одной|двух)|из (?:двух|трех|четырех|пяти|\d+)|"
    r"пи[шс][еа]\w+|напис\w+|что значит|сказал\w*|говор\w+|якобы|ну конечно|ага щас|щас|"
    r"when|if|once|until|unless|should|must|ha(?:s|ve|d) to|needs?|will|would|may|might|hope\w*|wish|"
    r"only|except|part(?:ly|ially)|almost|sometimes|"
    r"temporarily|for now|let me know|seems?|apparently|supposed(?:ly)?|in theory|says?|said|wrote|be|half|one of|yeah right)\b"
)
"""Beside these a word of success is a wish, a condition, a part, a report of somebody else's or a bitter joke."""
_THANKS_FOR = re.compile(
    r"(?:(?:большое|огромное) )?спасибо (?:(?:вам|большое|огромное) )?за \w[\w ]*$|"
    r"(?:many )?thank(?:s| you)(?: (?:so|very) much| a lot)? for \w[\w ]*$"
)
_AGAIN = re.compile(
    r"\b(?:опять|снова|все еще|всё ещё|все равно|всё равно|"
    r"до сих пор|по-прежнему|по прежнему|так и не|again|still|same (?:problem|issue|error|thing|story)|once more|"
    r"то же самое|т(?:от|а|у|е|ой|ого) же (?:сам\w+|ошибк\w+|проблем\w+|истори\w+|бед\w+))\b",
    re.IGNORECASE,
)
_QUESTION_WORDS = re.compile(
    r"^(?:а\s+|и\s+|so\s+|and\s+)?(?:как|где|когда|сколько|почему|зачем|можно ли|что такое|куда|кто|какой|какая|какие|нужно ли|"
    r"how|where|when|why|what|who|which|can i|could i|is it|is there|do i|do you|does|will)\b",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"\b(?:не|not|isn't|it's not)\s+(?P<wrong>[^,.;!?\n]{1,60}?)\s*(?:,\s*(?:а|but)|\s+but|\s+а)\s+(?P<right>[^.;!?\n]{1,200})",
    re.IGNORECASE,
)
SWEARING = re.compile(
    r"(?:\b(?:бля\w*|блин|сук[аи]|хер\w*|хрен\w*|нахуй|хуй\w*|ху[её]\w*|пизд\w*|еба\w*|ёба\w*|заеб\w*|долбо\w*|мудак\w*|дерьм\w*|говн\w*|идиот\w*|дебил\w*|чертов\w*|чёртов\w*|"
    r"fuck\w*|shit\w*|bullshit|damn|crap|asshole|idiots?|stupid|bloody|wtf)\b)",
    re.IGNORECASE,
)
_LANGUAGE = {
    "ru": re.compile(
        r"^(?:давай(?:те)?\s+)?(?:(?:по|на)[\s-]?(?:русски|русском)|говори(?:те)?\s+(?:по[\s-]?русски|на\s+русском)|русский(?:\s+язык)?|"
        r"(?:переключи(?:сь|те)?|перейд(?:и|[её]м)(?:те)?)\s+на\s+русский(?:\s+язык)?|(?:switch|change)\s+(?:the\s+language\s+)?to\s+russian(?:\s+please)?|"
        r"(?:(?:speak|in)\s+)?russian(?:\s+please)?|ru)$",
        re.IGNORECASE,
    ),
    "en": re.compile(
        r"^(?:(?:давай(?:те)?\s+)?(?:по[\s-]?английски|на\s+английском)|говори(?:те)?\s+(?:по[\s-]?английски|на\s+английском)|английский(?:\s+язык)?|"
        r"(?:переключи(?:сь|те)?|перейд(?:и|[её]м)(?:те)?)\s+на\s+английский(?:\s+язык)?|(?:please\s+)?(?:switch|change)\s+(?:the\s+language\s+)?to\s+english(?:\s+please)?|"
        r"(?:(?:speak|in|let's\s+speak)\s+)?english(?:\s+please)?|en)$",
        re.IGNORECASE,
    ),
}
_NUMBER = re.compile(r"(?:#|№|\b(?:number|no|номер[аеуо]?м?|заявк\w+|обращени\w+|request|ticket)\s*[#№]?\s*)(\d{1,9})\b", re.IGNORECASE)

_BARE_NUMBER = re.compile(r"(?:#|№)?\s*\d{1,9}\b")
_REPEAT = re.compile(
    r"(?:не понял[а]? вопрос\w*|какой (?:был )?вопрос|о чем (?:вы|ты) спрашивал[аи]?|что (?:вы|ты) спросили?|еще раз(?: пожалуйста)?|"
    r"(?:повтори(?:те)?|напомни(?:те)?)(?: пожалуйста)?(?: еще раз)?(?: (?:ваш |свой |последний )?вопрос)?|"
    r"(?:please |can you |could you )?(?:repeat|say)(?: it| that| the question)?(?: again)?(?: please)?|"
    r"what was the question|what did you ask|come again|once more)"
)

_TWO = frozenset({"два", "две", "двумя", "двух", "раздельно", "отдельно", "разные", "two", "separate", "separately", "different"})
_ONE = frozenset({"один", "одна", "одну", "одной", "одно", "вместе", "one", "together", "single"})

_COURTEOUS_WORDS = 8
_CLOSING_LENGTH = 120
_ENGLISH_GLUE = frozenset(phrases.ENGLISH_GLUE.split())
_VAGUE = frozenset(phrases.VAGUE.split())


def plain(text: str) -> str:
    """The words of a text for comparison: lower case, ё as е, no punctuation, single spaces."""
    lowered = text.casefold().replace("ё", "е").replace("’", "'")
    return " ".join(_NOT_WORDS.sub(" ", lowered).split())


def intent_of(text: str) -> Intent | None:
    """What a short fixed phrase means, or None where a model has to judge."""
    if len(text) > 80:
        return None
    sign = text.strip().replace("️", "")
    if sign and sign[0] in _SIGNS and not sign.strip("".join(_SIGNS) + "🏻🏼🏽🏾🏿 "):
        return _SIGNS[sign[0]]
    words = plain(text)
    if words in _KNOWN:
        return _KNOWN[words]
    if (bare := " ".join(_POLITE.sub(" ", words).split())) in _KNOWN:
        return _KNOWN[bare]
    # "What about request 1042?" asks the same as without the number.
    if _BARE_NUMBER.search(text) and _KNOWN.get(plain(_BARE_NUMBER.sub(" ", text))) is Intent.STATUS:
        return Intent.STATUS
    few = len(words.split()) <= _COURTEOUS_WORDS
    if few and ((_THANKS.search(words) and reports_success(text)) or (_THANKS_FOR.match(words) and not _NEGATED.search(words))):
        return Intent.THANKS
    return _courtesy(words)


def closes(sentence: str) -> bool:
    """Whether a sentence only closes a text ("заранее спасибо, жду ответа", "this is urgent for us"): nothing in it names a topic."""
    if len(sentence) > _CLOSING_LENGTH:
        return False
    words = plain(sentence)
    return bool(words) and not _CLOSING.sub("", _COURTESY.sub("", words)).strip()


def one_or_two(text: str) -> int | None:
    """The answer to "one request or two?"."""
    words = set(plain(text[:100]).split())
    return 2 if words & _TWO else 1 if words & _ONE else None


def asks_to_repeat(text: str) -> bool:
    """Whether the bot's last question is wanted once more."""
    return len(text) <= 60 and bool(_REPEAT.fullmatch(plain(text)))


def _courtesy(words: str) -> Intent | None:
    """A text of nothing but greetings and thanks, in any order."""
    if not words or _COURTESY.sub("", words).strip():
        return None
    if _THANKS.search(words):
        return Intent.THANKS
    return Intent.GREET if _GREETING.search(words) else None


def language_wish(text: str) -> str | None:
    """The language a person asks to be spoken to in ("switch to English"), or None."""
    words = " ".join(re.sub(r"[^\w\s'-]", " ", text[:100]).split())
    return next((language for language, pattern in _LANGUAGE.items() if pattern.match(words)), None)


def says_solved(text: str) -> bool:
    """Whether a text reports success ("спасибо, заработало"), with nothing that takes it back."""
    words = plain(text[:400])
    return Intent.CONFIRM in {intent_of(text), intent_of(_THANKS.sub(" ", words))} or reports_success(text)


def reports_success(text: str) -> bool:
    """Whether a text itself says that it works now; a bare "yes" is an answer to something, not a report. In doubt it does not."""
    words = plain(text[:400])
    if len(words) >= 200 or "?" in text:
        return False
    if _SOLVED_HINT.search(words) and not _NEGATED.search(words) and not _DOUBTED.search(words):
        return True
    asked = " ".join(_POLITE.sub(" ", words).split())
    told = _SAID_ALONE.sub(" ", asked)
    return told != asked and not _BESIDE.sub(" ", _COURTESY.sub(" ", _SOLVED_HINT.sub(" ", told))).strip()


def says_again(text: str) -> bool:
    """Whether the words point back at the same trouble ("опять", "still")."""
    return bool(_AGAIN.search(text[:400]))


def denies(text: str) -> bool:
    """Whether a text begins with a "no"."""
    return bool(re.match(r"(?:нет|неа|no|nope)\b", plain(text[:40])))


def is_question(text: str) -> bool:
    """Whether a text is put as a question."""
    short = text.strip()[:1000]
    return short.endswith("?") or bool(_QUESTION_WORDS.match(short))


def swears(text: str) -> bool:
    """Whether the words are angry."""
    return bool(SWEARING.search(text[:2000]))


def correction(text: str) -> tuple[str, str] | None:
    """The wrong and the right half of "нет, не принтер, а сканер", or None."""
    found = _CORRECTION.search(text[:300])
    return (found["wrong"].strip(), found["right"].strip()) if found else None


def request_number(text: str) -> int | None:
    """A request's number mentioned in a text."""
    found = _NUMBER.search(text[:1000])
    return int(found[1]) if found else None


def word_count(text: str) -> int:
    """How many words with letters or digits a text has."""
    return sum(1 for word in text[:20_000].split() if any(character.isalnum() for character in word))


def is_vague(text: str) -> bool:
    """Whether a story says nothing to work with ("не работает")."""
    return all(word in _VAGUE for word in plain(text[:500]).split())


def is_english_sentence(text: str) -> bool:
    """Whether a text is English talk rather than a product name."""
    words = plain(text[:1000]).split()
    return len(words) >= 3 and any(word in _ENGLISH_GLUE for word in words)


def mostly_cyrillic(text: str) -> bool:
    """Whether more letters are Cyrillic than Latin."""
    sample = text[:2000]
    cyrillic = sum("а" <= c <= "я" or c == "ё" for c in sample.casefold())
    latin = sum("a" <= c <= "z" for c in sample.casefold())
    return cyrillic > latin
