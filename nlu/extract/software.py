"""Programs and systems by the list that every workplace shares and by the desk's own."""

from collections.abc import Mapping, Sequence

from nlu.extract.found import Found
from nlu.extract.gazetteer import Gazetteer

# Name as it is shown -> words people use.
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


def find(text: str, programs: Gazetteer) -> list[Found]:
    return programs.find(text)
