"""What was tried is told back to colleagues, what is wanted is not."""

import pytest

from nlu.tried import tried


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Не печатает. Перезагружал дважды, не помогло.", ("Перезагружал дважды, не помогло",)),
        ("уже почистил кэш и переустановил браузер; всё равно ошибка", ("уже почистил кэш и переустановил браузер",)),
        ("Пробовала другой кабель. Проверила розетку.", ("Пробовала другой кабель", "Проверила розетку")),
        ("VPN drops. I restarted the laptop and tried another network.", ("I restarted the laptop and tried another network",)),
        ("Already checked the cable! Still dead.", ("Already checked the cable",)),
        ("как переустановить офис?", ()),
        ("прошу перезагрузить сервер", ()),
        ("please restart the server", ()),
        ("could you check? I need the server restarted", ()),
        ("принтер не печатает", ()),
        ("", ()),
    ],
)
def test_tells_attempts_apart_from_wishes(text: str, found: tuple[str, ...]) -> None:
    assert tried(text) == found


def test_is_short_and_says_nothing_twice() -> None:
    told = tried("\n".join(f"Перезагрузил компьютер {'очень ' * 60}{n % 9}" for n in range(40)))
    assert 0 < len(told) <= 6
    assert all(len(each) <= 200 for each in told)
    assert tried("Перезагрузил. Перезагрузил.") == ("Перезагрузил",)
