"""Somebody in a browser without JavaScript: opens pages, fills their forms in and sends them, over HTTP."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import httpx2

if TYPE_CHECKING:
    from tests.acceptance.house import House

File = tuple[str, bytes, str]


@dataclass(slots=True)
class Form:
    """A form of a page: what a browser would send if nothing was touched, and its buttons as (name, value)."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(found.get("action", ""))
            self.forms.append(self._open)
        form, name = self._open, found.get("name", "")
        if form is None:
            return
        if tag == "option" and self._select:
            if "selected" in found or self._select not in form.values:
                form.values[self._select] = found.get("value", "")
        elif tag == "button" and name:
            form.buttons.append((name, found.get("value", "")))
        elif tag in ("input", "select", "textarea") and name:
            form.names.add(name)
            if tag == "select":
                self._select = name
            elif tag == "textarea":
                self._area = name
                form.values[name] = ""
            elif found.get("type") not in ("checkbox", "radio", "file") or "checked" in found:
                form.values[name] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._open is not None:
            self._open.values[self._area] += data


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows."""

    status: int
    url: str
    html: str

    @property
    def text(self) -> str:
        """The words of the page, its tags left out."""
        without = re.sub(r"<(script|style)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", without)).split())

    def form(self, action: str) -> Form:
        """The form that is sent to an address ending so."""
        parser = _Forms()
        parser.feed(self.html)
        found = [one for one in parser.forms if (one.action or self.url).split("?")[0].endswith(action)]
        assert found, f"no form to {action} on {self.url}: {[one.action for one in parser.forms]}"
        return found[0]

    @property
    def number(self) -> int:
        """The number of the request that the page tells."""
        found = re.search(r"#(\d{4,})", self.text)
        assert found is not None, f"no number on {self.url}: {self.text[:300]}"
        return int(found[1])

    @property
    def status_link(self) -> str:
        """The path of the secret page of the request."""
        found = re.search(r"/s/[\w-]+", self.html)
        assert found is not None, f"no status link on {self.url}"
        return found[0]


class Visitor:
    """One browser: its own cookies, one language."""

    def __init__(self, house: "House", *, language: str = "ru") -> None:
        self._house = house
        headers = {"accept-language": language, "origin": house.url, "sec-fetch-site": "same-origin"}
        self._client = httpx2.AsyncClient(base_url=house.url, trust_env=False, timeout=40, follow_redirects=True, headers=headers)
        house.at_close(self._client.aclose)

    async def opens(self, path: str) -> Page:
        return self._page(await self._client.get(path))

    async def sends(
        self, page: Page, action: str, values: Mapping[str, str], *, button: tuple[str, str] | None = None, files: tuple[File, ...] = ()
    ) -> Page:
        """Fill a form of a page in and press a button; values the form has no field for are a mistake of the story."""
        form = page.form(action)
        unknown = {*values} - form.names
        assert not unknown, f"{unknown} are no fields of {action}: {sorted(form.names)}"
        data: dict[str, Any] = {**form.values, **values}
        if button is not None:
            assert button in form.buttons, f"{button} is not among {form.buttons}"
            data[button[0]] = button[1]
        address = urljoin(page.url, form.action or urlsplit(page.url).path)
        parts = [("files", one) for one in files] or [("files", ("", b"", "application/octet-stream"))]
        return self._page(await self._client.post(address, data=data, files=parts))

    async def requests(
        self, topic: str, text: str, *, name: str = "Вера", email: str = "", files: tuple[File, ...] = (), **slots: str
    ) -> Page:
        """Open the form, choose a topic, fill everything in as a person would in time, send."""
        page = await self.opens(f"/f/site?topic={topic}" if topic else "/f/site")
        assert page.status == 200, page.text
        await self._house.types()
        values = {"text": text, "name": name, "email": email, "consent": "yes", **{f"slot.{slot}": value for slot, value in slots.items()}}
        return await self.sends(page, "/f/site", values, files=files)

    async def helped(self, page: Page, article: tuple[str, str]) -> Page:
        """Press "this helped" under an article: its button sends the same form somewhere else."""
        form = page.form("/f/site")
        return self._page(await self._client.post("/f/site/helped", data={**form.values, article[0]: article[1]}))

    @staticmethod
    def _page(answer: httpx2.Response) -> Page:
        return Page(answer.status_code, str(answer.url), answer.text)
