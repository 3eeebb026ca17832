"""Devices, programs and systems by a gazetteer, typos included."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from nlu.extract.found import Found
from nlu.text import fold, stem

# Name as it is shown -> words people use. Stems are compared, so one form of a word is enough.
DEVICES: Mapping[str, Sequence[str]] = {
    "принтер": ("принтер", "printer", "мфу", "ксерокс", "mfp", "copier"),
    "сканер": ("сканер", "scanner"),
    "ноутбук": ("ноутбук", "ноут", "laptop", "notebook", "macbook", "макбук"),
    "компьютер": ("компьютер", "комп", "системник", "пк", "computer", "pc", "desktop", "workstation"),
    "монитор": ("монитор", "monitor", "экран", "screen", "display", "дисплей"),
    "мышь": ("мышь", "мышка", "mouse"),
    "клавиатура": ("клавиатура", "клава", "keyboard"),
    "гарнитура": ("гарнитура", "наушники", "headset", "headphones", "earphones"),
    "док-станция": ("док", "док-станция", "dock", "docking"),
    "камера": ("камера", "вебка", "webcam", "camera"),
    "телефон": ("телефон", "phone", "смартфон", "smartphone", "айфон", "iphone"),
    "роутер": ("роутер", "router", "маршрутизатор"),
    "проектор": ("проектор", "projector"),
    "флешка": ("флешка", "flash", "usb-stick"),
}
PROGRAMS: Mapping[str, Sequence[str]] = {
    "1С": ("1с", "1ска", "одинэс"),
    "CRM": ("crm", "црм", "битрикс", "bitrix", "битрикс24", "bitrix24", "amocrm"),
    "Outlook": ("outlook", "аутлук", "оутлук"),
    "Excel": ("excel", "эксель", "ексель"),
    "Word": ("word", "ворд"),
    "PowerPoint": ("powerpoint", "поверпоинт"),
    "Teams": ("teams", "тимс"),
    "Zoom": ("zoom", "зум"),
    "Chrome": ("chrome", "хром"),
    "AutoCAD": ("autocad", "автокад"),
    "Photoshop": ("photoshop", "фотошоп"),
    "Adobe Acrobat": ("acrobat", "акробат"),
    "Visio": ("visio", "визио"),
    "MS Project": ("msproject",),
    "SAP": ("sap", "сап"),
    "Jira": ("jira", "джира"),
    "Confluence": ("confluence", "конфлюенс"),
    "Консультант Плюс": ("консультант", "консультантплюс"),
    "Контур": ("контур", "контур.экстерн"),
}
_WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
_BRANDS = (
    r"hp|canon|xerox|kyocera|brother|epson|samsung|lexmark|ricoh|pantum|oki|sharp|konica|"
    r"dell|lenovo|acer|asus|apple|huawei|lg|logitech|jabra"
)
_WHICH = re.compile(
    rf"\s*(?P<which>(?:(?:№|#|{_BRANDS}|[a-z-]{{3,14}})\s*){{0,3}}(?:[a-zа-я]{{0,4}}-?\d{{1,5}}[a-zа-я]{{0,3}}))(?!\w)", re.IGNORECASE
)
_FUZZY_FROM = 5  # letters; shorter words have too many neighbours
_FUZZY_SCORE = 88.0


@lru_cache(maxsize=8)
def _known(kind: str) -> dict[str, str]:
    names = DEVICES if kind == "device" else PROGRAMS
    return {stem(fold(word)): name for name, words in names.items() for word in words}


def find(text: str, *, kind: str = "device") -> list[Found]:
    """Devices (`kind="device"`, in the person's own words) or programs (`kind="program"`), each once, in the order they stand."""
    known = _known(kind)
    names = list(known)
    found: list[Found] = []
    seen: set[str] = set()
    for match in list(_WORD.finditer(text))[:200]:
        word = stem(fold(match.group()))
        name, confidence = known.get(word), 1.0
        if name is None and len(word) >= _FUZZY_FROM:
            near = process.extractOne(word, names, scorer=fuzz.ratio, score_cutoff=_FUZZY_SCORE)
            if near is not None and len(near[0]) >= _FUZZY_FROM:
                name, confidence = known[near[0]], near[1] / 100
        if name is not None and name not in seen:
            seen.add(name)
            found.append(Found(match.group() if kind == "device" else name, *match.span(), round(confidence, 2)))
    return found


def find_specific(text: str) -> list[Found]:
    """Devices that are told apart by a number or a model: "принтер 305", "HP LaserJet 1020". A bare "printer" names none."""
    found: list[Found] = []
    for device in find(text):
        which = _WHICH.match(text, device.end)
        if which:
            found.append(Found(" ".join(text[device.start : which.end()].split()), device.start, which.end(), 0.9))
    return found
