"""Devices by the list that every workplace shares and by the desk's own, with what tells one from another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nlu.extract.found import Found
from nlu.extract.gazetteer import Gazetteer

# Name -> words people use.
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
_BRANDS = (
    r"hp|canon|xerox|kyocera|brother|epson|samsung|lexmark|ricoh|pantum|oki|sharp|konica|"
    r"dell|lenovo|acer|asus|apple|huawei|lg|logitech|jabra"
)
_WHICH = re.compile(
    rf"\s*(?P<which>(?:(?:№|#|{_BRANDS}|[a-z-]{{3,14}})\s*){{0,3}}(?:[a-zа-я]{{0,4}}-?\d{{1,5}}[a-zа-я]{{0,3}}))(?!\w)", re.IGNORECASE
)
# A maker and a model without the word for the thing.
_BRANDED = re.compile(
    rf"(?<!\w)(?:{_BRANDS})\s(?:[a-z][a-z-]{{1,13}}\s){{0,2}}(?:[a-z]{{1,4}}-?)?\d{{2,5}}[a-z]{{0,4}}(?!\w)", re.IGNORECASE
)


def find(text: str, devices: Gazetteer) -> list[Found]:
    """Devices in the person's own words."""
    return [replace(found, value=text[found.start : found.end]) for found in devices.find(text)]


def find_specific(text: str, devices: Sequence[Found]) -> list[Found]:
    """Those of the devices that are told apart by a number or a model: "принтер 305", "HP LaserJet 1020". A bare "printer" names none."""
    found: list[Found] = []
    for device in devices:
        which = _WHICH.match(text, device.end)
        if which:
            value = " ".join(text[device.start : which.end()].split())
            found.append(replace(device, value=value, end=which.end(), confidence=min(device.confidence, 0.9)))
    return found or [Found(" ".join(match.group().split()), *match.span(), 0.8, source="brand") for match in _BRANDED.finditer(text)]
