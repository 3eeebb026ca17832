"""People's text as safe HTML."""

import pytest

from gateway.web.markdown import markdown, plain


class TestMarkdown:
    def test_draws_what_operators_write(self) -> None:
        html = markdown("**bold** `code`\n\n- one\n- two")
        assert "<strong>bold</strong>" in html
        assert "<li>one</li>" in html

    @pytest.mark.parametrize(
        "text",
        [
            "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](data:text/html,<script>)",
            "<a href='x' onclick='y'>", "![x](http://evil.example/pixel.png)",
        ],
    )  # fmt: skip
    def test_nothing_in_it_comes_alive(self, text: str) -> None:
        html = markdown(text)
        for bad in ("<script", "<img", "onerror=alert(1)>", 'href="javascript', 'href="data'):
            assert bad not in html

    def test_links_open_elsewhere_and_say_nothing_of_us(self) -> None:
        html = markdown("[site](https://example.org)")
        assert 'rel="noopener noreferrer nofollow"' in html
        assert 'target="_blank"' in html


class TestPlain:
    def test_escapes_everything_and_links_addresses(self) -> None:
        html = plain('<b>hi</b> see https://example.org/a?b=1&c="2" now.')
        assert "&lt;b&gt;hi&lt;/b&gt;" in html
        assert (
            '<a href="https://example.org/a?b=1&amp;c="' in html.replace("&quot;", '"') or 'href="https://example.org/a?b=1&amp;c=' in html
        )

    def test_a_full_stop_after_an_address_stays_outside(self) -> None:
        assert '<a href="https://example.org/x"' in plain("Look at https://example.org/x.")

    def test_an_address_cannot_break_out_of_its_attribute(self) -> None:
        assert 'onmouseover="' not in plain('https://example.org/"onmouseover="alert(1)')
