"""A tiny desk to train on: three categories, two languages, a fraction of a second."""

from collections.abc import Sequence

import numpy as np

from models.encoder import Vectors
from models.features import char_analyzer
from models.rows import Row

EXAMPLES = {
    "ru": {
        "hardware.printer": [
            "принтер не печатает", "застряла бумага в принтере", "кончился тонер в принтере", "мфу не сканирует", "печать не идёт",
            "принтер жуёт бумагу", "полосы при печати на принтере", "принтер пишет замятие",
        ],
        "network.vpn": [
            "не подключается впн", "vpn отваливается", "не могу зайти в впн из дома", "впн пишет ошибка 691", "vpn тормозит",
            "впн не пускает", "подключение vpn разрывается", "из дома не работает впн",
        ],
        "access.password": [
            "забыл пароль", "сбросьте пароль пожалуйста", "пароль не подходит", "истёк пароль от учётки", "не могу войти, пароль неверный",
            "нужен новый пароль", "сброс пароля", "пароль просрочен",
        ],
        "thanks": ["спасибо вам огромное", "благодарю за помощь", "спасибо за ответ", "вы очень помогли спасибо"],
        "ask": ["как настроить почту на телефоне?", "где взять инструкцию?", "как подключить монитор?", "можно ли работать из дома?"],
    },
    "en": {
        "hardware.printer": [
            "the printer does not print", "paper jam in the printer", "printer is out of toner", "the copier will not scan",
            "nothing comes out of the printer", "printer shows a jam", "stripes when I print", "printer is offline",
        ],
        "network.vpn": [
            "vpn does not connect", "the vpn keeps dropping", "cannot get into vpn from home", "vpn error 691", "vpn is very slow",
            "vpn refuses my login", "vpn connection breaks", "no vpn at home",
        ],
        "access.password": [
            "I forgot my password", "please reset my password", "my password is wrong", "the password has expired",
            "cannot sign in, wrong password", "need a new password", "password reset", "password is not accepted",
        ],
        "thanks": ["thank you so much for this", "many thanks for helping", "thanks for the answer", "you helped a lot thanks"],
        "ask": ["how do I set up mail on my phone?", "where is the manual?", "how can I connect a second screen?", "can I work from home?"],
    },
}  # fmt: skip
CATEGORIES = ("hardware.printer", "network.vpn", "access.password")


def category() -> list[Row]:
    return [
        Row(text, label, lang) for lang, said in EXAMPLES.items() for label, texts in said.items() if label in CATEGORIES for text in texts
    ]


class HashEncoder:
    """A stand-in for the sentence encoder: character pieces hashed into 64 numbers. Deterministic and instant."""

    name = "hash"
    dimension = 64

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.calls += len(texts)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for gram in char_analyzer(text) or ["."]:
                vectors[row, sum(gram.encode()) * 31 % self.dimension] += 1
        lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / lengths
        return unit

    def encode_one(self, text: str) -> Vectors | None:
        vector: Vectors = self.encode([text])[0]
        return vector
