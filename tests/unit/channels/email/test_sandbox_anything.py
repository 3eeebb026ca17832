"""The pages of the mail sandbox, asked anything: always an answer, always in words, never a failure."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.email.sandbox.forms import FIELDS
from tests.unit.channels.email.test_sandbox import ANNA, Post

BASE = "/sandbox/mail"
ANYTHING = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

words = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["", "0", "-1", "1e309", "9" * 400, "null", "../../etc/passwd", "..%2f..%2f", "%00", "\x00", "\r\nBcc: x@y.z", "<script>"]
    ),
    st.integers().map(str),
    st.text("я", min_size=2000, max_size=4000),
)
address = st.one_of(st.just(ANNA), st.just("support@desk.example"), words)
fields = st.dictionaries(st.one_of(st.sampled_from([*FIELDS, "what", "files"]), st.text(max_size=8)), words, max_size=6)
tails = st.sampled_from(["", "/html", "/source", "/files/0", "/files/99999999999999999999", "/files/x", "/files/-1", "/reply", "/robot"])
queries = st.dictionaries(st.sampled_from(["box", "sent", "lang", "mailbox", "limit", "download", "x"]), words, max_size=4)
methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
bodies = st.one_of(
    st.binary(max_size=400),
    st.just(b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello'),
    st.just(b"sender=%ff%fe&to=%00&text=" + b"a" * 100_000),
)
kinds = st.sampled_from(
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "multipart/form-data", "application/json", "", "текст"]
)


class Asked:
    """The pages with one letter in them, and a loop of their own: Hypothesis does not wait."""

    def __init__(self, root: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.post = self.do(self._open(root))

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def _open(self, root: Path) -> Post:
        post = Post(root)
        await post.listener.start()
        self.letter = await post.desk_writes()
        return post

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            request = self.post.http.build_request(method, path, **more)
        except (httpx2.InvalidURL, UnicodeEncodeError, ValueError):
            return httpx2.Response(400, text="no client sends this")
        return self.do(self.post.http.send(request))

    def close(self) -> None:
        self.do(self.post.http.aclose())
        self.do(self.post.listener.stop())
        self.loop.close()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = Asked(tmp_path_factory.mktemp("mail"))
    yield made
    made.close()


def check(response: httpx2.Response, *, method: str) -> None:
    assert response.status_code < 500, response.text[:500]
    if response.status_code >= 400 and method != "HEAD":
        assert response.text.strip(), "a refusal says something"


@ANYTHING
@given(method=methods, ident=words, tail=tails, query=queries)
def test_odd_addresses(asked: Asked, method: str, ident: str, tail: str, query: dict[str, str]) -> None:
    path = f"{BASE}/{quote(ident, safe='', errors='replace')}{tail}"
    check(asked.ask(method, path, params=query), method=method)


@ANYTHING
@given(method=methods, tail=tails, query=queries)
def test_odd_questions_about_a_letter_that_is_there(asked: Asked, method: str, tail: str, query: dict[str, str]) -> None:
    check(asked.ask(method, f"{BASE}/{asked.letter}{tail}", params=query), method=method)


@ANYTHING
@given(query=queries, path=st.sampled_from(["", "/api/messages", "/api/newest", "/mail.js"]))
def test_odd_questions_about_all(asked: Asked, query: dict[str, str], path: str) -> None:
    check(asked.ask("GET", f"{BASE}{path}", params=query), method="GET")


@ANYTHING
@given(sender=address, to=address, typed=fields)
def test_odd_letters(asked: Asked, sender: str, to: str, typed: dict[str, str]) -> None:
    check(asked.ask("POST", f"{BASE}/write", data={**typed, "sender": sender, "to": to}), method="POST")


@ANYTHING
@given(typed=fields, act=st.sampled_from(["reply", "robot"]))
def test_odd_answers(asked: Asked, typed: dict[str, str], act: str) -> None:
    check(asked.ask("POST", f"{BASE}/{asked.letter}/{act}", data=typed), method="POST")


@ANYTHING
@given(body=bodies, kind=kinds, act=st.sampled_from(["write", "reply", "robot"]))
def test_bodies_that_are_no_forms(asked: Asked, body: bytes, kind: str, act: str) -> None:
    path = f"{BASE}/write" if act == "write" else f"{BASE}/{asked.letter}/{act}"
    check(asked.ask("POST", path, content=body, headers={"content-type": kind.encode()}), method="POST")
