"""Which language a page speaks."""

import pytest

from gateway.web.language import accepted, negotiate


@pytest.mark.parametrize(
    ("header", "language"),
    [("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("en-GB", "en"), ("de,en;q=0.5", "en"), ("de;q=1,ru;q=0.2,en;q=0.1", "ru"),
     ("", "en"), ("*", "en"), ("kk", "ru"), (";;q=x,", "en")],
)  # fmt: skip
def test_the_browsers_wish_in_its_order(header: str, language: str) -> None:
    assert accepted(header) == language


def test_the_address_wins_over_the_cookie_over_the_setting_over_the_browser() -> None:
    assert negotiate(asked="ru", cookie="en", setting="en", header="en") == "ru"
    assert negotiate(asked=None, cookie="ru", setting="en", header="en") == "ru"
    assert negotiate(asked=None, cookie=None, setting="ru", header="en") == "ru"
    assert negotiate(asked=None, cookie=None, setting=None, header="ru") == "ru"


def test_unknown_languages_are_passed_over() -> None:
    assert negotiate(asked="xx", cookie="<script>", setting=None, header="ru") == "ru"
