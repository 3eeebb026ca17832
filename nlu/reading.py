"""What was meant where it was typed with the wrong keyboard layout ("ghbdtn") or in Latin letters ("ne pechataet"), and mere keys."""

import re
from itertools import pairwise

from nlu.language import is_english_word

# Pairs of letters that follow each other in our own texts, first letter then its followers; "_" is the edge of a word.
_RUSSIAN_PAIRS = """
_абвгдежзиклмнопрстуфхчэя а_бвгдежзйклмнпрстуцчшщюя баеиклнорущы в_аеиклнорстухыь гадилору д_адеиклноруя е_вгдезйклмнрстфхчшщ
жадеикн з_авдеиноу и_бвдезийклмнрстхцчшюя й_длст к_аеилнорсту л_аеикосуыьюя м_аеимнопуыя н_аезикнотуыьюя о_бвгдежзийклмнопрстуфхч
п_аеиклоруь р_авежимнотуыья с_авдеиклмнопрстыья т_абвдеикнопрсуыь у_вгдежзйкмпрстхчю фаио х_о цеи чаеинту шеину щеи ы_вейлтхш ь_кмнстю
экт ю_тч я_ветщ
"""
_ENGLISH_PAIRS = """
_abcdefghiklmnoprstuvwy abcdgilmnprstuvy baelo c_acehklortu d_aeiors e_acdelmnpqrstvwxy f_fiort g_ehoru h_aeio i_cdefglnoprstv k_ei
l_adeilosuy m_abeiopy n_acdeginostu o_cdefgklmnoprstuvw p_aehlnoprstu qu r_adeikmnostuy s_acehiklostuw t_aehilorstuwy u_abelmnprst
vaeip w_aehio x_at y_op
"""
_LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_CYRILLIC_KEYS = "йцукенгшщзхъфывапролджэячсмитьбюё"
_KEYS = dict(zip(_LATIN_KEYS, _CYRILLIC_KEYS, strict=True))
_TO_CYRILLIC = str.maketrans(_KEYS | {latin.upper(): cyrillic.upper() for latin, cyrillic in _KEYS.items() if latin.isalpha()})
_TO_LATIN = str.maketrans(_CYRILLIC_KEYS, _LATIN_KEYS)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
# Longest first, so that "sch" is not read as "s" and "ch".
_SOUNDS = {
    "shch": "щ", "sch": "щ", "zh": "ж", "kh": "х", "ts": "ц", "ch": "ч", "sh": "ш", "yu": "ю", "ju": "ю", "ya": "я", "ja": "я", "yo": "ё",
    "ye": "е", "ay": "ай", "ey": "ей", "iy": "ий", "oy": "ой", "uy": "уй", "yy": "ый",
    "a": "а", "b": "б", "c": "к", "d": "д", "e": "е", "f": "ф", "g": "г", "h": "х", "i": "и", "j": "й", "k": "к", "l": "л",
    "m": "м", "n": "н", "o": "о", "p": "п", "q": "к", "r": "р", "s": "с", "t": "т", "u": "у", "v": "в", "w": "в", "x": "кс", "y": "ы",
    "z": "з", "'": "ь",
}  # fmt: skip
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))
# Words that carry a Russian sentence; without one of them Latin words are a product, a login or another language.
_RUSSIAN_TEXT = """
не на мне меня нас нам нет есть как что это где когда почему уже все всё опять снова после до для из от по при или если только
надо нужно нужен нужна можно могу может хочу помогите пожалуйста привет здравствуйте спасибо добрый день работает работают
печатает включается подключается грузится открывается сломался сломалась завис зависает пропал пропала пароль доступ почта почту
почте мышь мышка клавиатура комп компьютер ноутбук сеть телефон забыл забыла войти зайти срочно вчера сегодня утра отмена
очень очен сильно силно медленно тормозит шумит греется зависает виснет глючит ошибка пишет выдает вылетает файл файлы папка папку
диск письмо письма приходит приходят отправляется уходит вайфай впн экран звук наушники
звонить слышно программа программу программы установить установите поставить поставьте поставте закажите нужны учетка учетку
заблокирован заблокирована заблокировали сброс сбросить сбросьте сменить этаже кабинете офисе дома работе работу сотрудник
сотрудника новый новая новую старый завтра просто никак вообще заявка заявку заявке подскажите скажите починить почините сломан
сломано документы отчет базу базе лицензия хорошо будет было быть второй день дня весь всех коллеги отдел отделе
"""
_RUSSIAN_WORDS = frozenset(_RUSSIAN_TEXT.split())
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"\S+")
_ADDRESS = re.compile(r"@|://|www\.|\\|/")
# A login, a model or a serial number; mere figures ("3 etazh") and "1C" are none.
_CODE = re.compile(r"\w*(?:[^\W\d]{2}[\w-]*\d|\d[\w-]*[^\W\d]{2})")
_SAMPLE = 400
_CLEARLY = 0.25
_WELL = 0.85
_POORLY = 0.5


def _pairs(table: str) -> frozenset[str]:
    return frozenset(entry[0] + follower for entry in table.split() for follower in entry[1:])


_NATURAL = {"ru": _pairs(_RUSSIAN_PAIRS), "en": _pairs(_ENGLISH_PAIRS)}


def naturalness(text: str, language: str) -> float:
    """The share of neighbouring letters that are neighbours in a language too, 0..1."""
    pairs = [f"_{word}_"[at : at + 2] for word in _WORD.findall(text.lower().replace("ё", "е")) for at in range(len(word) + 1)]
    natural = _NATURAL[language]
    return sum(pair in natural for pair in pairs) / len(pairs) if pairs else 0.0


def meant(text: str) -> str | None:
    """The text as it was meant, where that reads clearly better than what was typed; None where it should stand."""
    if len(text) > _SAMPLE or _ADDRESS.search(text) or is_mashed(text):
        return None
    words = _WORD.findall(text.lower())
    letters = "".join(words)
    if len(letters) < 4 or _CODE.search(text):
        return None
    if letters.isascii():
        if 2 * sum(is_english_word(word) for word in words) >= len(words):
            return None
        switched = _TOKEN.sub(lambda token: _switched(token[0], last=token.end() == len(text)), text)
        changed = [(before, after) for before, after in zip(text.split(), switched.split(), strict=True) if before != after]
        typed, read = (" ".join(pair[side] for pair in changed) for side in (0, 1))
        if naturalness(read, "ru") >= max(_WELL, naturalness(typed, "en") + _CLEARLY):
            return switched
        spelled = transliterated(text)
        known = sum(word in _RUSSIAN_WORDS for word in _WORD.findall(spelled.lower()))
        return spelled if known and 4 * known >= len(words) and naturalness(spelled, "ru") >= _WELL else None
    if (other := other_layout(text)) is not None:
        known = sum(is_english_word(word) for word in _WORD.findall(other))
        if known and naturalness(other, "en") >= naturalness(text, "ru") + _CLEARLY:
            return other
    return None


def other_layout(text: str) -> str | None:
    """A text as the other layout has its keys, where all its letters are of one alphabet."""
    letters = "".join(_WORD.findall(text))
    if letters and letters.isascii():
        return text.translate(_TO_CYRILLIC)
    return text.lower().translate(_TO_LATIN) if letters and not any(character.isascii() for character in letters) else None


def _switched(token: str, *, last: bool) -> str:
    """A token in the other layout. A point is the key of a letter: between words of a chat the letter is likelier, at the end the point."""
    bare = token[:-1] if token[-1] in ".,!?;:" and ".." not in token else token.rstrip(".,!?;:")
    whole, kept = token.translate(_TO_CYRILLIC), bare.translate(_TO_CYRILLIC) + token[len(bare) :]
    # A product's name among them was typed where it belongs ("yt pfgecrftncz Outlook").
    if naturalness(bare, "en") >= _WELL and naturalness(kept, "ru") < _POORLY:
        return token
    better = naturalness(whole, "ru") - naturalness(kept, "ru")
    return whole if better > 0 or (better == 0 and not last and token.endswith(".")) else kept


def transliterated(text: str) -> str:
    """Latin letters read as Russian sounds."""
    return _SOUND.sub(lambda sound: _SOUNDS[sound[0]], text.lower())


def is_mashed(text: str) -> bool:
    """Whether a text is nothing but keys struck in rows ("фывфыв", "asdfgh"), or one letter held down."""
    words = _WORD.findall(text.lower())
    return bool(words) and len(text) <= _SAMPLE and all(_struck(word) for word in words)


def _struck(word: str) -> bool:
    if len(word) < 4 or min(naturalness(word, "ru"), 0.9) + min(naturalness(word, "en"), 0.9) >= 0.9:
        return False
    if len(set(word)) == 1:
        return True
    row = next((row for row in _ROWS if set(word) <= set(row)), None)
    steps = [abs(row.index(a) - row.index(b)) == 1 for a, b in pairwise(word)] if row else [False]
    # "Фывфыв" jumps back once in a while; a word that happens to lie in one row ("type", "flash") jumps all the time.
    return sum(steps) >= 0.6 * len(steps) and len(steps) >= 3
