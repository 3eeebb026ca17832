"""Reasons as people are shown them: the words of a text that carried a prediction, with their places, and none that say nothing alone."""

from collections.abc import Iterable

from models.scoring import Contribution
from nlu.text import trace
from nlu.understood import Reason

# Negations, prepositions, pronouns and courtesies weigh something in every model and explain nothing to anybody.
_EMPTY = """
не ни нет да и а но или что как это эта этот эти то та тот так же бы ли на в во с со к ко у о об от до по за из для при под над без через
я мы ты вы он она оно они мне меня мной нам нас вам вас ему его ее её им их мой моя моё мое мои наш наша наше наши свой ваш кто где когда
уже еще ещё очень просто только все всё весь вся можно нужно надо есть был была было были быть будет если потому опять снова теперь тут там
пожалуйста прошу здравствуйте спасибо добрый день какой какая какие чтобы после перед между вообще почему зачем один два
not no nor don't doesn't didn't isn't aren't can't cannot couldn't won't wouldn't haven't hasn't n't the a an and or but if then than that
this these those it its it's is are was were be been being am i i'm i've you your we our they their he she his her him them me my mine us to
of in on at by for from with without into onto over under about as so such just only very really too also still again already now here there
who what where when which how why do does did have has had can could will would shall should may might must please hello hi thanks thank
some any all each every one two get got
"""
_FUNCTION = frozenset(_EMPTY.split())


def terms(text: str, contributions: Iterable[Contribution], *, limit: int) -> tuple[Reason, ...]:
    """The weightiest words that mean something, at most `limit`, with their places in the text as it was given."""
    kept = [one for one in contributions if one.token.lower().replace("’", "'") not in _FUNCTION and any(map(str.isalnum, one.token))]
    if not kept:
        return ()
    traced = trace(text)
    found = []
    for one in kept[:limit]:
        place = _place(traced.text, one.token)
        start, end = traced.span(*place) if place else (None, None)
        found.append(Reason("term", one.token, one.weight, start, end))
    return tuple(found)


def _place(text: str, word: str) -> tuple[int, int] | None:
    """Where a word first stands by itself."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not _within_word(text[start - 1 : start]) and not _within_word(text[end : end + 1]):
            return start, end
        start = text.find(word, start + 1)
    return None


def _within_word(character: str) -> bool:
    return character.isalnum() or character == "_"
