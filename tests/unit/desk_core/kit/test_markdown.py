"""Markdown as plain words, and bare addresses as links."""

import pytest
from markdown_it import MarkdownIt

from desk_core.kit.markdown import unmarked, with_links


def linked(text: str) -> str:
    return with_links(MarkdownIt("commonmark", {"html": False})).render(text).strip()


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("See https://desk.example/a.", "https://desk.example/a"),
        ("(https://desk.example/a_b?x=1&y=2)", "https://desk.example/a_b?x=1&amp;y=2"),
        ("Смотрите http://wiki.local/Как_быть, там всё", "http://wiki.local/%D0%9A%D0%B0%D0%BA_%D0%B1%D1%8B%D1%82%D1%8C"),
        ("Write to help@example.com.", "mailto:help@example.com"),
    ],
)
def test_a_bare_address_is_a_link(text: str, href: str) -> None:
    assert f'<a href="{href}">' in linked(text)


@pytest.mark.parametrize(
    "text",
    [
        "open main.py or node.js",
        "www.desk.example",
        "`https://desk.example`",
        "//desk.example/x",
        "ftp://desk.example",
        "javascript:alert(1)",
    ],
)
def test_what_only_looks_like_one_stays_text(text: str) -> None:
    assert "<a " not in linked(text)


def test_a_link_with_words_is_made_once_and_markup_stays_text() -> None:
    assert linked("[here](https://desk.example/a)").count("<a ") == 1
    assert "<img" not in linked('https://desk.example/"><img src=x>')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**Yes**, __now__: `ls`", "Yes, now: ls"),
        ("[here](https://desk.example/a)", "here (https://desk.example/a)"),
        ("https://git.example/x__y__z/__init__.py", "https://git.example/x__y__z/__init__.py"),
        ("rename my__old__file, then __init__.py", "rename my__old__file, then __init__.py"),
        (r"1\. not a list, 2 \* 2", "1. not a list, 2 * 2"),
    ],
)
def test_marks_go_and_addresses_and_names_stay(text: str, words: str) -> None:
    assert unmarked(text) == words
