"""The dialogue's tools on a real desk, composed of the parts that know: triage, articles, language, extraction, validation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from nlu.understood import CategoryDef, FormDef, Guess, Hit, KnownIncident, SlotDef, Triage, Validated


class Triager(Protocol):
    def triage(self, text: str, *, language: str) -> Triage: ...

    def glance(self, text: str) -> Guess | None: ...


class FoundArticle(Protocol):
    """What an index tells of an article it found."""

    @property
    def article_id(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def passage(self) -> str: ...
    @property
    def pages(self) -> tuple[str, ...]: ...
    @property
    def language(self) -> str: ...
    @property
    def score(self) -> float: ...


class ShelvedArticle(Protocol):
    """What an index keeps of an article."""

    @property
    def article_id(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def category(self) -> str | None: ...


class Articles(Protocol):
    def __len__(self) -> int: ...

    def search(self, text: str, language: str, category: str | None = None, limit: int = 3) -> Sequence[FoundArticle]: ...

    def article(self, article_id: str) -> FoundArticle | None: ...

    def article_at(self, row: int) -> ShelvedArticle: ...


class Extractor(Protocol):
    def __call__(self, text: str, *, form: FormDef | None, now: datetime) -> Mapping[str, str]: ...


class LanguageDetector(Protocol):
    def __call__(self, text: str) -> tuple[str | None, float]: ...


class SlotValidator(Protocol):
    def validate(self, slot: SlotDef, answer: str, *, language: str, slots: Mapping[str, str]) -> Validated: ...


class Incidents(Protocol):
    """Who knows of mass incidents; a beacon that operators light will answer here."""

    def known(self, text: str, *, language: str, category: str | None) -> KnownIncident | None: ...


class NoIncidents:
    """A desk without beacons: nothing is known to be out."""

    def known(self, text: str, *, language: str, category: str | None) -> KnownIncident | None:
        return None


class DeskTools:
    """`nlu.turn.Tools` over a desk's catalogue, forms, models and articles; all in memory. Replaced as a whole when one part changes."""

    def __init__(
        self,
        *,
        catalogue: Mapping[str, CategoryDef],
        forms: Mapping[str, FormDef],
        engine: Triager,
        index: Articles,
        validator: SlotValidator,
        detect: LanguageDetector,
        extract: Extractor,
        incidents: Incidents,
        featured: Sequence[str] = (),
    ) -> None:
        """`featured` are article ids to offer as frequent questions first, in their order."""
        self._catalogue = catalogue
        self._forms = forms
        self._engine = engine
        self._index = index
        self._validator = validator
        self._detect = detect
        self._extract = extract
        self._incidents = incidents
        self._featured = tuple(featured)

    def triage(self, text: str, *, language: str) -> Triage:
        return self._engine.triage(text, language=language)

    def glance(self, text: str) -> Guess | None:
        return self._engine.glance(text)

    def detect_language(self, text: str) -> tuple[str | None, float]:
        return self._detect(text)

    def search(self, text: str, *, language: str, category: str | None, limit: int = 3) -> Sequence[Hit]:
        return tuple(_hit(found) for found in self._index.search(text, language, category, limit))

    def article(self, article_id: str, *, language: str) -> Hit | None:
        found = self._index.article(article_id)
        return _hit(found) if found else None

    def faq(self, *, language: str, limit: int = 5) -> Sequence[Hit]:
        """Featured articles, then one of each topic, in the language."""
        shelved = [self._index.article_at(row) for row in range(len(self._index))]
        spoken = [article for article in shelved if article.language == language]
        rank = {article_id: place for place, article_id in enumerate(self._featured)}
        spoken.sort(key=lambda article: rank.get(article.article_id, len(rank)))
        chosen: list[str] = []
        topics: set[str] = set()
        for article in spoken:
            topic = (article.category or article.article_id).partition(".")[0]
            if article.article_id in rank or topic not in topics:
                topics.add(topic)
                chosen.append(article.article_id)
        found = (self._index.article(article_id) for article_id in chosen[:limit])
        return tuple(_hit(one) for one in found if one is not None)

    def incident(self, text: str, *, language: str, category: str | None) -> KnownIncident | None:
        return self._incidents.known(text, language=language, category=category)

    def category(self, key: str | None) -> CategoryDef | None:
        return self._catalogue.get(key) if key else None

    def form(self, category: str | None) -> FormDef | None:
        """The form of a category, or of its parent where it has none of its own."""
        found = self.category(category)
        if found is None:
            return None
        if found.form is None and found.parent:
            return self.form(found.parent)
        return self._forms.get(found.form) if found.form else None

    def extract(self, text: str, *, form: FormDef | None, now: datetime) -> Mapping[str, str]:
        return self._extract(text, form=form, now=now)

    def validate(self, slot: SlotDef, answer: str, *, language: str, slots: Mapping[str, str]) -> Validated:
        return self._validator.validate(slot, answer, language=language, slots=slots)


def _hit(found: FoundArticle) -> Hit:
    return Hit(
        article_id=found.article_id,
        key=found.key,
        title=found.title,
        passage=found.passage,
        language=found.language,
        score=found.score,
        pages=found.pages,
    )
