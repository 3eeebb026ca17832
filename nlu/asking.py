"""Whether a text asks how things are done or are, rather than telling of a fault or wanting something done."""

import re

from nlu.text import alternatives
from nlu.understood import Intent

_SAMPLE = 500
# What a topic of this kind makes of words that only tell: a complaint about the desk is no report of a fault, a question no request.
_KINDS = {"complaint": Intent.COMPLAINT, "question": Intent.ASK}


# Ways to begin a question that are no part of it.
_LEAD = alternatives(
    r"""
    а|и|так|ну|слушайте|скажите|подскажите|расскажите|объясните|интересно|вопрос|пожалуйста|хочу (?:узнать|спросить)
    хотел[аи]?(?: бы)? (?:узнать|спросить)|напомните|не подскажете
    so|and|ok|well|please|quick question|question|just wondering|i wonder|i was wondering|i'd like to know|tell me|do you know
    (?:can|could) you (?:please )?(?:tell|explain(?: to)?|show) me|please (?:tell|advise|explain)(?: me)?
    """
)
_ADVERBS = r"(?:мне|нам|можно|нужно|надо|лучше|самому|самой|правильно|быстро|именно|вообще|теперь|тут|у нас)"
# Not "why", "what is wrong" and the like, which tell of a fault; nor "can I get", which orders.
_HOW = alternatives(
    rf"""
    (?:как|где|куда|откуда|чем|через что|у кого|к кому|кому)(?: {_ADVERBS}){{0,3}} \w+(?:ть|ти|чь|ться|тись)\b
    (?:где|куда|когда|кто|кому|к кому|у кого|сколько|чем)\b(?!-).*\?|как(?:ой|ая|ое|ие|им|ого|ую)\b(?!-).*\?
    (?:до|во|со) скольки\b|что такое\b|(?:можно|нужно|надо|есть|разрешено) ли\b|можно (?:мне|нам|как-то|самому)\b.*\?
    how (?:do|can|to|should|would|does|long|many|much|often)\b|where (?:do|can|is|are|should|to|would)\b
    who (?:do|can|should|is|handles|approves)\b|what(?:'s| is| are) (?!wrong|going|happening|up\b|broken)
    what (?:do|does|should|kind|time|hours|happens)\b|when (?:do|does|is|are|will|can)\b|which\b.*\?
    (?:may|am|do|can) (?:i|we) (?!get|have\b|please)\w+.*\?|is it (?:possible|ok|okay|allowed|safe)\b
    is there (?:a|an|any) (?:way|rule|guide|instruction|manual|list|limit)
    """
)
_ASKS_HOW = re.compile(rf"(?:{_LEAD}[\s,:–-]+)*{_HOW}", re.IGNORECASE | re.DOTALL)


def asks_how(text: str) -> bool:
    """Whether a text begins with such a question ("подскажите, как...", "where do I find...")."""
    return bool(_ASKS_HOW.match(text[:_SAMPLE].strip().replace("’", "'")))


def told_as(text: str, kind: str = "incident") -> Intent:
    """What words with a topic of this kind do: report, ask or complain."""
    return _KINDS.get(kind) or (Intent.ASK if asks_how(text) else Intent.REPORT)
