"""The mood of a text, from what people say and how they write it. Trouble is no mood: "it does not work" is said calmly every day. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nlu.lexicon import SWEARING
from nlu.text import alternatives, lowered
from nlu.understood import Mood

_READ = 4_000  # characters; a mood is told early or often
_NEGATED = re.compile(r"(?:\bне|\bни|\bnot|n't|\bnever|\bno) (?:\w+ ){0,1}$")
_BEFORE = 24  # characters in which a negation is looked for


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words that tell a mood, with their place in the text and how much they weigh; below zero they are friendly."""

    words: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Sentiment:
    """A mood with its confidence 0..1, and the words that told it, the weightiest first; a calm text has none."""

    mood: Mood
    confidence: float
    spoken: tuple[Spoken, ...] = ()


_CALM = Sentiment(Mood.CALM, 0.8)


def _words(lines: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){alternatives(lines)}(?!\w)")


_FURIOUS = _words(
    r"""
    издеваетесь|издевательство|безобрази\w+|возмутительн\w+|возмущ[её]н\w*|достали|задолбал\w*|надоел[аио]?|сколько можно|бардак
    позор\w*|хамств\w+|наплевать|беспредел\w*|идиотизм\w*|бред|терпение (?:лопнуло|кончилось|на исходе)|в бешенстве
    вы там (?:спите|совсем|вообще)|за что вам (?:платят|деньги)|буду (?:жаловаться|писать жалобу)
    руководств\w+ (?:напишу|пожалуюсь|узнает)|вс[её] бесит|бесит|кошмар|ужасн\w+ (?:сервис|поддержка|служба|отношение)|ridiculous
    outrageous|unacceptable|fed up|sick of (?:this|it|you)|disgrace\w*|what a joke|a joke|appalling|furious|pathetic
    useless (?:support|team|people|service)|how many times|are you (?:kidding|serious|asleep)|worst (?:support|service)|had enough
    driving me (?:crazy|mad|nuts)|terrible (?:support|service)|waste of (?:my )?time|livid
    """
)
_DISAPPOINTED = _words(
    r"""
    уже (?:второй|третий|четв[её]ртый|пятый|который|\d+-?[йая]*) (?:день|раз|недел\w+|час|месяц)|до сих пор|так и не
    никто не (?:отвечает|помог\w*|реагирует|перезвонил)|недовол\w+|разочарован\w*|обидно|расстро\w+
    устал\w* (?:ждать|объяснять|писать)|жду уже|когда (?:же|наконец)|неужели|плохо (?:работаете|обслужива\w+)
    долго (?:жд\w+|отвеча\w+|реша\w+)|игнорир\w+|(?:still|yet) (?:no|not|nothing|waiting)|yet again|once again
    (?:for the|the) (?:second|third|fourth|fifth|\d+(?:th|nd|rd)) (?:time|day|week)
    nobody (?:answers|replied|responds|helps?|cares|called)|no ?one (?:answers|replied|responds|helps?|cares|called)|disappoint\w+
    frustrat\w+|annoy\w+|unhappy|tired of|let down|so slow|been waiting|waited (?:all|for)|ignored|not good enough|not happy
    """
)
_AGAIN = _words(r"опять|снова|again|unfortunately|к сожалению|почему-то")  # alone they only say that it is not the first time
_KIND = _words(
    r"""
    спасибо (?:больш\w+|огромн\w+|вам|тебе|за)|благодар\w+|вы (?:супер|лучшие|молодцы|спасли|волшебник\w*)|отлично|супер|прекрасно
    замечательно|класс|здорово|выручили|рад[аы]?|thank you (?:so|very) much|thanks (?:a lot|so much|a million|again)|many thanks
    great (?:job|work|support|help)|awesome|perfect|brilliant|wonderful|you(?:'re| are) (?:the best|a star|awesome)|appreciate|lovely
    """
)
_FACES = {
    "😡": 1.6,
    "🤬": 2.2,
    "😠": 1.4,
    "👿": 1.6,
    "😤": 1.2,
    "💩": 1.4,
    "🤦": 0.8,
    "😭": 0.7,
    "😞": 0.7,
    "😢": 0.7,
    "🙄": 0.9,
    "👎": 0.9,
}
_SMILES = {"🙏": -0.5, "😊": -0.9, "❤": -1.0, "👍": -0.6, "😀": -0.8, "🎉": -0.9, "🥰": -1.0, "🙂": -0.5}
_SHOUTED = re.compile(r"(?<!\w)[A-ZА-ЯЁ]{4,}(?:[ ,!?]+[A-ZА-ЯЁ]{2,}){1,}")
_MARKS = re.compile(r"[!?]{3,}")
_LONG_ENOUGH = 12  # letters; a name or a code in capitals is no shouting
_ANGRY, _UNHAPPY, _GLAD = 1.5, 0.7, -0.8
_WEARY, _OFTEN = 0.75, 0.35
_COMPLAINED = 1.2  # however much somebody has to complain of, words without heat are no anger


@lru_cache(maxsize=8)  # triage and the request that it opens read the same text
def read(text: str) -> Sentiment:
    """The mood of a text; words that are negated do not count."""
    sample = text[:_READ]
    spoken = sorted(_spoken(sample), key=lambda each: -abs(each.weight))
    complained = min(_COMPLAINED, sum(each.weight for each in spoken if each.weight in (_WEARY, _OFTEN)))
    harsh = complained + sum(each.weight for each in spoken if each.weight > 0 and each.weight not in (_WEARY, _OFTEN))
    friendly = sum(each.weight for each in spoken if each.weight < 0)
    # Thanks in advance do not take back an insult, but they soften a complaint.
    total = harsh + 0.5 * friendly if harsh else friendly
    if total >= _ANGRY:
        mood, beyond = Mood.ANGRY, total - _ANGRY
    elif total >= _UNHAPPY:
        mood, beyond = Mood.UNHAPPY, min(total - _UNHAPPY, _ANGRY - total)
    elif total <= _GLAD:
        mood, beyond = Mood.GLAD, _GLAD - total
    else:
        return _CALM
    told = tuple(each for each in spoken if (each.weight > 0) == (total > 0))
    return Sentiment(mood, round(min(0.95, 0.6 + 0.2 * beyond), 2), told[:5])


def _spoken(sample: str) -> Iterator[Spoken]:
    low = lowered(sample)
    for pattern, weight in ((SWEARING, 1.6), (_FURIOUS, 1.6), (_DISAPPOINTED, _WEARY), (_AGAIN, _OFTEN), (_KIND, -0.9)):
        for match in pattern.finditer(low):
            if not _NEGATED.search(low[max(0, match.start() - _BEFORE) : match.start()]) or weight > 1:
                yield Spoken(sample[match.start() : match.end()].strip(), *match.span(), weight)
    for match in _SHOUTED.finditer(sample):
        if sum(letter.isalpha() for letter in match.group()) >= _LONG_ENOUGH:
            yield Spoken(match.group().strip(), *match.span(), 0.8)
    for match in _MARKS.finditer(sample):
        yield Spoken(match.group(), *match.span(), 0.4)
    for place, letter in enumerate(sample):
        if weight := _FACES.get(letter, 0.0) or _SMILES.get(letter, 0.0):
            yield Spoken(letter, place, place + 1, weight)
