"""What training, scoring and search share in reading a text."""

import random
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.words import stem


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("принтеры", "принтер"), ("подключается", "подключа"), ("passwords", "password"), ("vpn", "vpn"), ("1с", "1с"), ("я" * 41, "я" * 41)],
)
def test_stems_russian_and_english(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


def test_threads_leave_each_others_words_alone() -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices("абвгдеиклмнопрстуюяшщйь", k=chance.randint(4, 20))) for _ in range(2_000)]
    apart = [stem.__wrapped__(word) for word in words]

    def together(turn: int) -> list[str]:
        turned = [*words[turn:], *words[:turn]]
        found = [stem.__wrapped__(word) for word in turned]
        return [*found[len(words) - turn :], *found[: len(words) - turn]]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(together, (1, 300, 700, 1_500))) == [apart] * 4
    finally:
        sys.setswitchinterval(interval)
