"""Articles from files: Markdown, a CSV table, an HTML page, a saved site with its sitemap; faults have their file and line."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

from desk_core.catalogue.preset_read import split_front_matter
from desk_core.catalogue.preset_source import Located, Problem, Report, Severity, locate_text
from desk_core.kit.errors import NotFound
from desk_core.kit.i18n import LANGUAGES
from desk_core.kit.i18n import gettext_noop as _
from desk_core.knowledge.html_pages import read_page
from desk_core.knowledge.service import Audience, Sheet, State, key_of, keywords_of

MAX_FILE = 2_000_000
MAX_TABLE = 50_000_000
MAX_BODY = 50_000  # characters; longer is a manual, and nobody reads one in a chat

HEAD = frozenset({"title", "key", "language", "category", "keywords", "audience", "state", "summary", "expires"})
SITEMAP = "sitemap.xml"

_LOCATION = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\s\]]{1,2000})")
_LINK = re.compile(r"\]\((?!https?:|mailto:|tel:|#|/)([^)\s]{1,500})[^)]{0,200}\)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an import takes for granted where a file does not say, and the categories that exist."""

    language: str
    categories: frozenset[str]
    state: str | None = None


@dataclass(slots=True)
class Reading:
    """The articles that were found, and what was wrong with the others."""

    sheets: list[Sheet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_articles(path: Path, wanted: Wanted) -> Reading:
    """Every article under `path`, the faults beside them; nothing is stored. Raises `NotFound` when there is no such path."""
    if not path.exists():
        raise NotFound(path=path)
    reader = _Reader(wanted, path if path.is_dir() else path.parent)
    if path.is_dir():
        reader.folder(path)
    elif path.suffix.lower() == ".csv":
        reader.table(path)
    else:
        reader.file(path)
    return reader.reading()


class _Reader:
    def __init__(self, wanted: Wanted, root: Path) -> None:
        self._wanted, self._root = wanted, root
        self._report = Report()
        self._sheets: dict[tuple[str, str], Sheet] = {}

    def reading(self) -> Reading:
        return Reading(list(self._sheets.values()), sorted(self._report.problems))

    def folder(self, path: Path) -> None:
        if (path / SITEMAP).is_file():
            files: Iterator[Path] = self._saved(path)
        else:
            files = (file for file in sorted(path.rglob("*")) if file.suffix.lower() in {".md", ".html", ".htm"} and file.is_file())
        empty = True
        for file in files:
            empty = False
            self.file(file)
        if empty and not self._report.problems:
            self._report.at(path.name, 1, _("There are no .md or .html files here."))

    def file(self, file: Path) -> None:
        text = self._text(file, MAX_FILE)
        if text is None:
            return
        if file.suffix.lower() in {".html", ".htm"}:
            self._html(file, text)
        else:
            self._markdown(file, text)

    def table(self, file: Path) -> None:
        """One article a row; the columns are named as the head of a Markdown file is, with `body` beside them."""
        text = self._text(file, MAX_TABLE)
        if text is None:
            return
        first = text.partition("\n")[0]
        rows = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
        columns = set(rows.fieldnames or ())
        if missing := {"title", "body"} - columns:
            self._report.at(file.name, 1, _("The table has no column “%(column)s”."), column=", ".join(sorted(missing)))
            return
        try:
            for row in rows:
                # A text of several lines ends where the reader stands now; people look for where it began.
                line = rows.line_num - sum((value or "").count("\n") for value in row.values() if isinstance(value, str))
                head = {name: value.strip() for name, value in row.items() if name in HEAD and isinstance(value, str) and value.strip()}
                words = [word.strip() for word in re.split(r"[;|]", head.get("keywords", "")) if word.strip()]
                doc = Located(file.name, {**head, "keywords": words}, {(): line})
                self._take(doc, key=head.get("key") or key_of(head.get("title", "")), language="", body=row["body"] or "")
        except csv.Error as error:
            self._report.at(file.name, rows.line_num, _("This is not a table: %(reason)s."), reason=str(error))

    def _saved(self, path: Path) -> Iterator[Path]:
        """The files of a saved site that its sitemap names; those it names in vain are reported."""
        sitemap = self._text(path / SITEMAP, MAX_FILE) or ""
        for number, line in enumerate(sitemap.splitlines(), start=1):
            for found in _LOCATION.finditer(line):
                file = self._behind(path, found[1])
                if file is not None:
                    yield file
                else:
                    self._report.at(SITEMAP, number, _("No file was saved for %(address)s."), address=found[1])

    @staticmethod
    def _behind(path: Path, address: str) -> Path | None:
        try:
            parts = urlsplit(address)
        except ValueError:
            return None
        name = unquote(parts.path).strip("/")
        for base in (path, path / parts.netloc):
            for file in (base / name, base / f"{name}.html", base / name / "index.html"):
                # A sitemap comes from elsewhere: it may not name files outside the folder.
                if file.is_file() and file.resolve().is_relative_to(path.resolve()):
                    return file
        return None

    def _markdown(self, file: Path, text: str) -> None:
        name = self._name(file)
        parts = split_front_matter(text.removeprefix("\ufeff"))
        head, body = parts if parts is not None else ("", text.strip())
        doc = locate_text(head, name, self._report, first_line=2) if head.strip() else Located(name, {})
        if head.strip() and not doc.value:
            return  # its head cannot be read, which is reported
        first = body.partition("\n")[0]
        if "title" not in doc.value and first.startswith("# "):
            doc = Located(name, {**doc.value, "title": first[2:].strip()}, doc.lines)
            body = body.partition("\n")[2].strip()
        known = ", ".join(sorted(HEAD))
        for key in sorted(str(key) for key in doc.value if key not in HEAD):
            self._report.warning(doc, (key,), _("There is no key “%(key)s” here. Known: %(known)s."), key=key, known=known)
        stem, dot, ending = file.stem.rpartition(".")
        language = (
            ending
            if dot and ending in LANGUAGES
            else next((part for part in (*reversed(Path(name).parent.parts), self._root.name) if part in LANGUAGES), "")
        )
        lines_of_head = text.count("\n", 0, max(0, text.find(body))) if body else 0
        for link in _LINK.finditer(body):
            if not (file.parent / unquote(link[1].partition("#")[0])).exists():
                line = lines_of_head + body.count("\n", 0, link.start()) + 1
                words = _("This link leads nowhere: %(address)s.")
                self._report.problems.append(Problem(name, line, words, {"address": link[1]}, Severity.WARNING))
        self._take(doc, key=str(doc.get("key") or (stem if language == ending and dot else file.stem)), language=language, body=body)

    def _html(self, file: Path, text: str) -> None:
        page = read_page(text)
        stem = file.stem if file.stem != "index" else file.parent.name
        head = {"title": page.title, "summary": page.summary, "keywords": list(page.keywords)}
        language = page.language.partition("-")[0].lower()
        self._take(Located(self._name(file), head), key=key_of(stem), language=language if language in LANGUAGES else "", body=page.body)

    def _take(self, doc: Located, *, key: str, language: str, body: str) -> None:
        """Take the article when all of it fits; otherwise say where it does not."""
        before = sum(one.severity is Severity.ERROR for one in self._report.problems)
        language = str(doc.get("language") or language or self._wanted.language)
        if language not in LANGUAGES:
            self._report.error(doc, ("language",), _("“%(lang)s” is not a language of this desk."), lang=language)
        title, key = " ".join(str(doc.get("title") or "").split()), key_of(key)
        if not title or not key:
            self._report.error(doc, ("title",), _("The article has no title."))
        if not body.strip():
            self._report.error(doc, (), _("The article has no text."))
        elif len(body) > MAX_BODY:
            self._report.error(doc, (), _("The text is longer than %(limit)s characters."), limit=MAX_BODY)
        category = doc.get("category")
        if category is not None:
            self._report.one_of(doc, ("category",), self._wanted.categories)
        for name, known in (("audience", Audience), ("state", State)):
            if doc.get(name) is not None:
                self._report.one_of(doc, (name,), frozenset(known))
        if (key, language) in self._sheets:
            self._report.error(doc, (), _("The article “%(key)s” (%(lang)s) is here twice."), key=key, lang=language)
        expires = self._day(doc)
        if sum(one.severity is Severity.ERROR for one in self._report.problems) > before:
            return
        self._sheets[key, language] = Sheet(
            key=key,
            language=language,
            title=title[:300],
            body=body.strip(),
            summary=" ".join(str(doc.get("summary") or "").split())[:500],
            category=category,
            keywords=_words(doc.get("keywords")),
            audience=doc.get("audience") or Audience.PUBLIC.value,
            state=doc.get("state") or self._wanted.state,
            expires_on=expires,
        )

    def _day(self, doc: Located) -> date | None:
        value = doc.get("expires")
        if value is None or type(value) is date:
            return value
        try:
            return date.fromisoformat(str(value)[:10])
        except ValueError:
            self._report.error(doc, ("expires",), _("A day is written as 2027-01-31."))
            return None

    def _text(self, file: Path, limit: int) -> str | None:
        name = self._name(file)
        try:
            if file.stat().st_size > limit:
                self._report.at(name, 1, _("The file is larger than %(limit)s bytes."), limit=limit)
                return None
            return file.read_text(encoding="utf-8-sig")
        except OSError:
            self._report.at(name, 1, _("This file is missing or cannot be opened."))
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self._report.at(name, line, _("This line is not UTF-8 text."))
        return None

    def _name(self, file: Path) -> str:
        return file.relative_to(self._root).as_posix()


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, Sequence):
        return ()
    return keywords_of(str(one) for one in value)
