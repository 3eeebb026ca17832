"""Pictures that only tell the sender who read the mail are never fetched; those somebody wants to show are, once asked for."""

import time

import pytest

from channels.email.html_text import remote_pictures, safe_html, text_of_html

THERE = 'src="https://t.example/p.gif"'


@pytest.mark.parametrize(
    "markup",
    [
        f"<img {THERE} width=1 height=1>",
        f"<img {THERE} width='01' height='01'>",
        f"<img {THERE} height=0.5>",
        f"<img {THERE} height=.5>",
        f"<img {THERE} width=' 1 px '>",
        f'<img {THERE} width="1%">',
        f'<img {THERE} style="width:1px;height:1px">',
        f'<img {THERE} style="WIDTH : 0.0625em">',
        f'<img {THERE} style="height:0.1rem !important">',
        f'<img {THERE} style="max-height:1px">',
        f'<img {THERE} style="max-width:0;overflow:hidden">',
        f'<img {THERE} style="height:1px!important">',
        f'<img {THERE} style="width:0%">',
        f"<img {THERE} hidden>",
        f'<img hidden="hidden" {THERE}>',
        f'<img {THERE} style="opacity:0">',
        f'<img {THERE} style="opacity: 0.0;">',
        f'<img {THERE} style="position:absolute;left:-9999px">',
        f'<img {THERE} style="margin-top:-5000px">',
        f'<img {THERE} style="position:absolute;clip:rect(0 0 0 0)">',
        f'<img {THERE} style="transform:scale(0)">',
        f'<img {THERE} style="visibility:hidden">',
        f'<div style="display:none"><p><img {THERE} width="600"></p></div>',
        f"<div hidden><div>x</div><img {THERE}></div>",
        f"<table style='display : none'><tr><td><img {THERE}></td></tr></table>",
        '<bgsound src="https://t.example/p.wav">',
        '<table background="https://t.example/p.gif"><tr><td background="https://t.example/q.gif">x</td></tr></table>',
        '<div style="background:url(https://t.example/p.gif)">x</div>',
        '<style>p{background-image:url("https://t.example/p.gif")}</style><p>x</p>',
        '<input type="image" src="https://t.example/p.gif"><video poster="https://t.example/p.gif"></video>',
        '<svg><image href="https://t.example/p.gif"></image></svg><link rel="stylesheet" href="https://t.example/p.css">',
    ],
)
def test_nothing_is_fetched_for_whoever_counts_readers(markup: str) -> None:
    assert "t.example" not in safe_html(f"<p>Hello</p>{markup}<p>Bye</p>", remote=True)
    assert remote_pictures(markup) == 0
    assert "Bye" in safe_html(f"<p>Hello</p>{markup}<p>Bye</p>", remote=True)


@pytest.mark.parametrize(
    "markup",
    [
        f"<img {THERE}>",
        f'<img {THERE} width="120" height="20">',
        f'<img {THERE} style="width:100%;line-height:1;border-width:0;min-width:0">',
        f'<img {THERE} style="max-width:20px;height:1.5em">',
        f'<img {THERE} alt="The hidden menu: width=1 " style="opacity:0.9">',
        f'<img {THERE} style="margin-left:-10px">',
        f'<img {THERE} width="2000" height="10">',
        f"<div style='display:block'><img {THERE}></div>",
        f"<div style='display:none'>x</div><div><img {THERE}></div>",
        f"<div style='display:none'>never closed <p><img {THERE}></p>",
    ],
)
def test_a_picture_to_be_seen_is_shown_once_asked_for(markup: str) -> None:
    assert "t.example" in safe_html(markup, remote=True)
    assert remote_pictures(markup) == 1
    assert "t.example" not in safe_html(markup)


def test_what_nobody_was_to_see_is_not_shown_for_want_of_its_style() -> None:
    page = (
        "<div style='display:none'>Preview <div>of it</div></div><p>Hello</p><span hidden>again</span><p style='visibility:hidden'>gap</p>"
    )
    assert safe_html(page) == "<p>Hello</p>"
    assert text_of_html(page) == "Hello"
    assert "Said of it: display:none" in safe_html("<p>Said of it: display:none</p>")


@pytest.mark.parametrize(
    "part", ["<div hidden>", "<div style='display:none'>", "<img hidden ", '<a style="display:none', "<div hidden></div>", " hidden"]
)
def test_absurd_hiding_is_read_quickly(part: str) -> None:
    started = time.perf_counter()
    remote_pictures("<img " + part * 100_000)
    safe_html(part * 50_000, remote=True)
    assert time.perf_counter() - started < 5
