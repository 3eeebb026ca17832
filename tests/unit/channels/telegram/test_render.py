"""Markdown becomes HTML that Telegram takes, in parts that it takes, and no word is lost on the way."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.telegram import render
from channels.telegram.entities import clean
from channels.telegram.render import plain, split, split_plain, to_html, utf16_length, visible_length
from channels.telegram.sandbox.markup import formatted

MARKUP = (
    "**", "*", "`", "```\n", "~~", "> ", "- ", "1. ", "\n", "\n\n", "[VPN](https://v.example/?a=1&b=2)", "😀", "👨‍👩‍👧",
    "<b>", "&amp;", "слово ", "# ",
)  # fmt: skip
TAG = re.compile(r"<(/?)([a-z]+)([^<>]*)>")
KNOWN = {"b", "i", "s", "code", "pre", "a", "blockquote"}


def balanced(source: str) -> bool:
    """Whether tags nest and close, all are known to Telegram, and no bare sign is left between them."""
    opened: list[str] = []
    for closing, tag, attributes in TAG.findall(source):
        if tag not in KNOWN or (tag == "a" and not closing and not re.fullmatch(r' href="[^"<>]*"', attributes)):
            return False
        if not closing:
            opened.append(tag)
        elif not opened or opened.pop() != tag:
            return False
    bare = TAG.sub("", source)
    return not opened and "<" not in bare and ">" not in bare and not re.search(r"&(?!(?:amp|lt|gt|quot);)", bare)


class TestToHtml:
    @pytest.mark.parametrize(
        ("markdown", "expected"),
        [
            ("**Принтер** *не* `печатает`", "<b>Принтер</b> <i>не</i> <code>печатает</code>"),
            ("~~old~~ [VPN & co](https://v.example/?a=1&b=2)", '<s>old</s> <a href="https://v.example/?a=1&amp;b=2">VPN &amp; co</a>'),
            ("<script>alert('x')</script>", "&lt;script&gt;alert('x')&lt;/script&gt;"),
            ("первая\nвторая\n\nабзац", "первая\nвторая\n\nабзац"),
            ("# Итог", "<b>Итог</b>"),
            ("1. раз\n2. два\n   - внутри", "1. раз\n2. два\n   • внутри"),
            ("7. семь\n8. восемь", "7. семь\n8. восемь"),
            ("> цитата\n> > ещё", "<blockquote>цитата\n\nещё</blockquote>"),
            ("```python\nif a < b:\n    pass\n```", '<pre><code class="language-python">if a &lt; b:\n    pass</code></pre>'),
            ("    с отступом", "с отступом"),
            ("Ира\n---", "Ира\n\n———"),
            ("[1]: http://x.example", "[1]: http://x.example"),
            ("[страница](/s/abc)", "страница (/s/abc)"),
            ("snake_case_name и 2 * 2", "snake_case_name и 2 * 2"),
            ("", ""),
        ],
    )
    def test_says_it_in_telegrams_tags(self, markdown: str, expected: str) -> None:
        rendered = to_html(markdown)
        assert rendered == expected
        assert balanced(rendered)

    def test_a_dangerous_address_is_no_link(self) -> None:
        assert "<a " not in to_html("[x](javascript:alert(1)) [y](data:text/html,1)")

    def test_thousands_of_stars_are_sent_as_written(self) -> None:
        rendered = to_html("**" * 20_000 + "a" + "**" * 20_000)
        assert balanced(rendered)
        assert "a" in plain(rendered)

    @settings(max_examples=1_000)
    @given(
        st.text()
        | st.lists(
            st.sampled_from(
                [
                    *"\n #1-+=.)>:!|'\"\u00a0\u2028\v\t\r\0~^/😀",
                    "\n\n",
                    "12. ",
                    "слово",
                    "word ",
                    "№ 1042",
                    "---",
                    "~~~",
                    "http://x.example",
                ]
            ),
            max_size=12,
        ).map("".join)
    )
    def test_a_text_without_marks_is_what_the_parser_makes_of_it(self, text: str) -> None:
        assert to_html(text) == render._parsed(text)

    @settings(max_examples=300)
    @given(st.text())
    def test_of_any_text_balances(self, markdown: str) -> None:
        assert balanced(to_html(markdown))

    @settings(max_examples=300)
    @given(
        st.lists(
            st.sampled_from([*"*_~`>#-+<&[]()!|\\\n ", "\n\n", "1. ", "- ", "```", "alpha", "бета", "gamma ", "<b>", "https://x.example"])
        )
    )
    def test_of_any_markup_balances_and_keeps_every_word(self, pieces: list[str]) -> None:
        markdown = "".join(pieces)
        rendered = to_html(markdown)
        assert balanced(rendered)
        kept = html.unescape(rendered)
        for word in ("alpha", "бета", "gamma"):
            assert kept.count(word) >= markdown.count(word)


def squeezed(text: str) -> str:
    return "".join(text.split())


def visible(source: str) -> str:
    return html.unescape(TAG.sub("", source))


class TestSplit:
    def test_leaves_a_short_text_alone(self) -> None:
        assert split("<b>a</b> &amp; b") == ["<b>a</b> &amp; b"]

    def test_prefers_paragraphs_then_lines_then_words(self) -> None:
        assert split("one two\n\nthree four\nfive", 14) == ["one two", "three four", "five"]

    def test_closes_and_opens_tags_around_a_cut(self) -> None:
        parts = split('<b>aaa <a href="https://x.example">bbb ccc</a></b>', 8)
        assert parts == ['<b>aaa <a href="https://x.example">bbb</a></b>', '<b><a href="https://x.example">ccc</a></b>']

    def test_counts_as_telegram_does(self) -> None:
        assert [utf16_length(visible(part)) for part in split("😀" * 5, 4)] == [4, 4, 2]
        assert visible_length("<b>&lt;😀</b>") == 3

    def test_has_nothing_to_say_about_nothing(self) -> None:
        assert split("") == []
        assert split(" \n ") == []

    def test_of_a_very_long_word_still_moves_on(self) -> None:
        assert split("x" * 10_000) == ["x" * 4096, "x" * 4096, "x" * 1808]

    @settings(max_examples=300)
    @given(st.text(alphabet=st.sampled_from([*"ab *_`>\n😀<&я", "x"]), max_size=400), st.integers(2, 50))
    def test_of_any_text_fits_balances_and_loses_nothing(self, markdown: str, limit: int) -> None:
        source = to_html(markdown)
        parts = split(source, limit)
        assert all(balanced(part) and visible(part).strip() for part in parts)
        assert all(utf16_length(visible(part)) <= limit for part in parts)
        assert squeezed("".join(visible(part) for part in parts)) == squeezed(visible(source))

    @settings(max_examples=300)
    @given(st.lists(st.sampled_from(MARKUP) | st.text(max_size=12), max_size=60).map("".join), st.integers(8, 80))
    def test_of_any_markup_is_taken_by_the_server_and_says_the_same(self, markdown: str, limit: int) -> None:
        source = to_html(clean(markdown))
        said, told = "", []
        for part in split(source, limit):
            text, entities = formatted(part, parse_mode="HTML", entities=None)
            text.encode("utf-16-le")  # no half of a pair
            assert 0 < utf16_length(text) <= limit
            assert all(one["offset"] >= 0 and one["offset"] + one["length"] <= utf16_length(text) for one in entities)
            said += text
            told += entities
        assert squeezed(said) == squeezed(visible(source))
        links = {html.unescape(url) for url in re.findall(r'<a href="([^"]*)">(?!</a>)', source)}
        shown = {one["url"] for one in told if one["type"] == "text_link"}
        assert shown <= links

    @settings(max_examples=100)
    @given(st.text(max_size=300), st.integers(2, 50))
    def test_of_plain_text_too(self, text: str, limit: int) -> None:
        parts = split_plain(text, limit)
        assert all(utf16_length(part) <= limit for part in parts)
        assert squeezed("".join(parts)) == squeezed(text)


class TestPlain:
    def test_keeps_the_addresses_of_links(self) -> None:
        assert plain(to_html("см. [статью](https://x.example/a?b=1&c) и <https://y.example>")) == (
            "см. статью (https://x.example/a?b=1&c) и https://y.example"
        )
