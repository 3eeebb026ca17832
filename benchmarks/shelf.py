"""A shelf of articles as large as asked, the same every time: lines that people wrote, with names nobody has heard of among them."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from desk_core.catalogue.preset_model import Preset, PresetArticle
from desk_core.catalogue.preset_read import load_preset
from models.retrieval import IndexedArticle

PRESET = Path(__file__).resolve().parent.parent / "presets" / "it_service_desk"
_NAMES = 60_000  # of devices, programs and people, in use as Zipf has it: a desk's rare words grow with its articles
_NAMED = 0.12  # of the words
_LINES = (4, 12)
_KEYWORDS = (2, 7)
_SYLLABLES = {"ru": "бавегодажизеколюманипарусетуфахочешурено", "en": "bavegodajizekolumaniparusetufahochshreno"}  # cut by two
_ENDINGS = {"ru": ("", "", "а", "у", "ом", "е", "ы", "ов"), "en": ("", "", "", "s", "ed", "ing")}


def articles(preset: Preset, size: int) -> Iterator[IndexedArticle]:
    """That many, half of them in each language and a fifth in both."""
    chance = random.Random(size)
    known = {language: [article for article in preset.articles if article.language == language] for language in ("ru", "en")}
    titles = {
        language: [each.title for each in some] + [word for each in some for word in each.keywords] for language, some in known.items()
    }
    for number in range(size):
        language = "ru" if number % 2 else "en"
        of_topic = chance.choice(known[language])
        yield IndexedArticle(
            article_id=str(number),
            key=f"article-{number - number % 2 if number % 10 < 4 else number}",
            language=language,
            title=f"{_named(chance.choice(titles[language]), language, chance)} {_name(language, chance)}",
            body=_body(of_topic, known[language], chance),
            keywords=tuple(_named(word, language, chance) for word in _some(of_topic.keywords, _KEYWORDS, chance)),
            category=of_topic.category,
            summary=of_topic.summary,
        )


def questions(preset: Preset, count: int) -> list[str]:
    """What people write, in both languages, no text twice."""
    chance = random.Random(count)
    texts = sorted({text for (intent, _language), some in preset.examples.items() for text in some if "." in intent})
    return chance.sample(texts, min(count, len(texts)))


def shipped(preset: Preset) -> list[IndexedArticle]:
    """The preset's own articles."""
    return [
        IndexedArticle(f"{one.language}/{one.key}", one.key, one.language, one.title, one.body, one.keywords, one.category, one.summary)
        for one in preset.articles
    ]


def preset() -> Preset:
    return load_preset(PRESET)


def _body(of_topic: PresetArticle, known: Sequence[PresetArticle], chance: random.Random) -> str:
    """Two lines of three from one article, the others from anywhere."""
    lines = [line for line in of_topic.body.splitlines() if line.strip()]
    count = chance.randint(*_LINES)
    other = [chance.choice([line for line in chance.choice(known).body.splitlines() if line.strip()]) for _ in range(count // 3)]
    return "\n\n".join(_named(line, of_topic.language, chance) for line in [*_some(lines, (count, count), chance), *other])


def _some(texts: Sequence[str], bounds: tuple[int, int], chance: random.Random) -> list[str]:
    return chance.sample(list(texts), min(chance.randint(*bounds), len(texts)))


def _named(text: str, language: str, chance: random.Random) -> str:
    """The text with some of its words made names."""
    return " ".join(_name(language, chance) if chance.random() < _NAMED else word for word in text.split(" "))


def _name(language: str, chance: random.Random) -> str:
    """A word by its rank, the low ranks far more often: `N ** u` is Zipf's law with exponent one."""
    rank = int(_NAMES ** chance.random())
    syllables, word, left = _SYLLABLES[language], "", rank + 20
    while left:
        left, place = divmod(left, 20)
        word += syllables[2 * place : 2 * place + 2]
    return f"{word}{chance.choice(_ENDINGS[language])}" + (f" {rank % 900 + 100}" if rank % 7 == 0 else "")
