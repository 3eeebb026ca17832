"""Tools of the dialogue without models: a small desk whose triage goes by keywords."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nlu import lexicon
from nlu.understood import Band, CategoryDef, FormDef, Guess, Hit, Intent, KnownIncident, Reason, SlotDef, Triage, Validated

LOCATION = SlotDef(
    name="location",
    kind="text",
    titles={"ru": "Где", "en": "Where"},
    questions={"ru": "Где это находится?", "en": "Where is it?"},
    examples={"ru": "третий этаж, кабинет 305", "en": "third floor, room 305"},
)
SCOPE = SlotDef(
    name="scope",
    kind="choice",
    titles={"ru": "Кого касается", "en": "Who is affected"},
    questions={"ru": "Это только у вас или у всех?", "en": "Is it only you or everybody?"},
    examples={"ru": "только у меня", "en": "only me"},
    choices=(("me", {"ru": "Только у меня", "en": "Only me"}), ("all", {"ru": "У всех", "en": "Everybody"})),
    words={"me": ("у меня", "me", "только я"), "all": ("у всех", "все", "everybody", "everyone")},
    sets={"all": {"impact": "organisation", "urgency": "high"}},
)
DEVICE = SlotDef(
    name="device",
    kind="device",
    titles={"ru": "Устройство", "en": "Device"},
    questions={"ru": "Какое это устройство?", "en": "Which device is it?"},
    examples={"ru": "принтер HP 305", "en": "HP 305 printer"},
)
PHONE = SlotDef(
    name="phone",
    kind="phone",
    titles={"ru": "Телефон", "en": "Phone"},
    questions={"ru": "По какому номеру вам позвонить?", "en": "Which number can we call?"},
    examples={"ru": "+7 912 345-67-89", "en": "+44 20 7946 0958"},
)
WHEN = SlotDef(
    name="since",
    kind="text",
    titles={"ru": "С какого времени", "en": "Since when"},
    questions={"ru": "Когда это началось?", "en": "When did it start?"},
    examples={"ru": "с утра", "en": "since this morning"},
)

FORMS = {
    "equipment": FormDef(key="equipment", slots=(DEVICE, SCOPE, LOCATION, PHONE, WHEN)),
    "network": FormDef(key="network", slots=(SCOPE, LOCATION)),
}


def _category(key: str, ru: str, en: str, **fields: object) -> CategoryDef:
    given: dict[str, object] = {
        "parent": key.partition(".")[0],
        "kind": "incident",
        "impact": "individual",
        "urgency": "medium",
        "form": None,
        "human_now": False,
        **fields,
    }
    return CategoryDef(key=key, titles={"ru": ru, "en": en}, **given)  # type: ignore[arg-type]  # keywords of `CategoryDef`


CATEGORIES = {
    one.key: one
    for one in (
        _category("hardware.printer", "Принтеры и печать", "Printers", form="equipment"),
        _category("hardware.peripherals", "Периферия", "Peripherals", form="equipment"),
        _category("network.vpn", "VPN", "VPN", form="network"),
        _category("access.password", "Пароль", "Password", kind="service_request"),
        _category("security.incident", "Безопасность", "Security", human_now=True, urgency="high"),
        _category("general.complaint", "Жалоба", "Complaint", kind="complaint"),
        _category("general.question", "Вопрос", "Question", kind="question"),
    )
}
_STEMS = {
    "hardware.printer": ("принтер", "печат", "printer", "print"),
    "hardware.peripherals": ("сканер", "мыш", "клавиатур", "scanner", "keyboard", "mouse"),
    "network.vpn": ("vpn", "впн"),
    "access.password": ("парол", "password"),
    "security.incident": ("вирус", "взлом", "фишинг", "virus", "hacked", "phishing"),
    "general.complaint": ("жалоб", "complain"),
}
_OUT_OF_SCOPE = ("погод", "weather", "пицц", "pizza")
_SMALL_TALK = ("как дела", "как жизнь", "how are you", "анекдот", "joke")


@dataclass
class FakeTools:
    """Answers the dialogue's questions from a few keywords; `articles` maps a word to the hits it finds."""

    articles: Mapping[str, Sequence[Hit]] = field(default_factory=dict)
    forms: Mapping[str, FormDef] = field(default_factory=lambda: FORMS)
    categories: Mapping[str, CategoryDef] = field(default_factory=lambda: CATEGORIES)
    incidents: Mapping[str, KnownIncident] = field(default_factory=dict)  # category -> what is known to be out

    def incident(self, text: str, *, language: str, category: str | None) -> KnownIncident | None:
        return self.incidents.get(category or "")

    def triage(self, text: str, *, language: str) -> Triage:
        words = text.casefold()
        scores = {key: sum(stem in words for stem in stems) for key, stems in _STEMS.items()}
        ranked = sorted((key for key, score in scores.items() if score), key=lambda key: -scores[key])
        best = ranked[0] if ranked else None
        category = self.categories.get(best or "")
        guesses = tuple(Guess(label=key, confidence=0.9 if key == best else 0.1) for key in ranked)
        if not guesses:
            guesses = tuple(Guess(label=key, confidence=0.2) for key in ("hardware.printer", "network.vpn", "access.password"))
        return Triage(
            intent=self._intent(text),
            intent_confidence=0.9,
            category=best or guesses[0].label,
            confidence=0.9 if best else 0.2,
            band=Band.ACT if best else Band.ASK,
            categories=guesses,
            kind=category.kind if category else "incident",
            impact=category.impact if category else "individual",
            urgency=category.urgency if category else "medium",
            human_now=bool(category and category.human_now),
            model="fake",
            explain=lambda: (Reason(kind="term", text=best, weight=1.0),) if best else (),
        )

    def _intent(self, text: str) -> Intent:
        words = text.casefold()
        if any(stem in words for stem in _OUT_OF_SCOPE):
            return Intent.OUT_OF_SCOPE
        if any(stem in words for stem in _SMALL_TALK):
            return Intent.SMALLTALK
        if lexicon.swears(text) or "жалоб" in words or "complain" in words:
            return Intent.COMPLAINT
        if re.fullmatch(r"[bcdfghjklmnpqrstvwxzбвгджзйклмнпрстфхцчшщ\s]+", words) and "vpn" not in words and "впн" not in words:
            return Intent.UNKNOWN
        return Intent.ASK if lexicon.is_question(text) else Intent.REPORT

    def glance(self, text: str) -> Guess | None:
        return next(iter(self.triage(text, language="ru").categories), None)

    def detect_language(self, text: str) -> tuple[str | None, float]:
        letters = [letter for letter in text.casefold() if letter.isalpha()]
        if not letters:
            return None, 0.0
        share = sum("а" <= letter <= "я" or letter == "ё" for letter in letters) / len(letters)
        return ("ru", share) if share >= 0.5 else ("en", 1 - share)

    def search(self, text: str, *, language: str, category: str | None, limit: int = 3) -> Sequence[Hit]:
        words = text.casefold()
        found = [hit for word, hits in self.articles.items() if word in words for hit in hits]
        return found[:limit]

    def article(self, article_id: str, *, language: str) -> Hit | None:
        return next((hit for hits in self.articles.values() for hit in hits if hit.article_id == article_id), None)

    def faq(self, *, language: str, limit: int = 5) -> Sequence[Hit]:
        return [hit for hits in self.articles.values() for hit in hits][:limit]

    def category(self, key: str | None) -> CategoryDef | None:
        return self.categories.get(key or "")

    def form(self, category: str | None) -> FormDef | None:
        found = self.category(category)
        return self.forms.get(found.form) if found and found.form else None

    def extract(self, text: str, *, form: FormDef | None, now: datetime) -> Mapping[str, str]:
        found: dict[str, str] = {}
        names = {slot.name for slot in form.slots} if form else set()
        if "location" in names and (floor := re.search(r"(?:на\s+)?(\S+)\s+этаж\w*|(\S+)\s+floor", text, re.IGNORECASE)):
            found["location"] = floor[0]
        if "scope" in names and re.search(r"у всех|everybody|everyone", text, re.IGNORECASE):
            found["scope"] = "all"
        if "device" in names and (device := re.search(r"(?:HP|Canon|Epson)\s+\w+", text)):
            found["device"] = device[0]
        return found

    def validate(self, slot: SlotDef, answer: str, *, language: str, slots: Mapping[str, str]) -> Validated:
        words = lexicon.plain(answer)
        if slot.choices:
            for value, titles in slot.choices:
                known = {value, *(lexicon.plain(title) for title in titles.values()), *slot.words.get(value, ())}
                if words in known:
                    return Validated(value=value, title=titles.get(language))
            return Validated(value=None)
        if slot.kind == "phone":
            digits = re.sub(r"\D", "", answer)
            return Validated(value=f"+{digits}" if 10 <= len(digits) <= 15 else None)
        if slot.kind == "device" and len(words) < 3:
            return Validated(value=None)
        return Validated(value=answer.strip() or None)
