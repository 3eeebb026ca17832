"""Articles from files: what is good is taken, what is wrong is named by file and line, and nothing is executed or read from outside."""

from datetime import date
from pathlib import Path

import pytest

from desk_core.kit.errors import NotFound
from desk_core.knowledge.html_pages import read_page
from desk_core.knowledge.reading import Reading, Wanted, read_articles

WANTED = Wanted(language="en", categories=frozenset({"network.vpn"}))


def read(path: Path, **files: str) -> Reading:
    for name, text in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return read_articles(path, WANTED)


def faults(reading: Reading) -> list[tuple[str, int, str]]:
    return [(one.file, one.line, one.severity.value) for one in reading.problems]


class TestMarkdown:
    def test_a_head_says_everything(self, tmp_path: Path) -> None:
        head = "title: VPN does not connect\ncategory: network.vpn\nkeywords: [vpn, 691]\naudience: internal\n"
        head += "state: published\nexpires: 2027-01-31"
        [sheet] = read(tmp_path, **{"ru/vpn.md": f"---\n{head}\n---\n\n1. Restart."}).sheets
        assert (sheet.key, sheet.language, sheet.title, sheet.category) == ("vpn", "ru", "VPN does not connect", "network.vpn")
        assert (sheet.keywords, sheet.audience, sheet.state, sheet.expires_on) == (
            ("vpn", "691"), "internal", "published", date(2027, 1, 31),
        )  # fmt: skip
        assert sheet.body == "1. Restart."

    def test_without_a_head_the_first_heading_is_the_title_and_its_state_is_left_open(self, tmp_path: Path) -> None:
        [sheet] = read(tmp_path, **{"vpn.en.md": "# VPN\n\nRestart it."}).sheets
        assert (sheet.key, sheet.language, sheet.title, sheet.body, sheet.state) == ("vpn", "en", "VPN", "Restart it.", None)

    def test_a_fault_is_named_with_its_line_and_the_rest_is_taken(self, tmp_path: Path) -> None:
        reading = read(
            tmp_path,
            **{
                "a.md": "---\ntitle: A\ncategory: nowhere\n---\ntext",
                "b.md": "---\ntitle: [\n---\ntext",
                "c.md": "---\ntitle: C\nstate: secret\n---\ntext",
                "d.md": "---\ntitle: D\n---\n",
                "e.md": "no heading",
                "f.md": "---\ntitle: F\n---\n\nsee [this](gone.md)\n\nand [that](g.md#part)",
                "g.md": "---\ntitle: G\nexpires: soon\n---\ntext",
            },
        )
        assert [sheet.key for sheet in reading.sheets] == ["f"]
        assert faults(reading) == [
            ("a.md", 3, "error"), ("b.md", 3, "error"), ("c.md", 3, "error"), ("d.md", 2, "error"), ("e.md", 1, "error"),
            ("f.md", 5, "warning"), ("g.md", 3, "error"),
        ]  # fmt: skip

    def test_what_is_no_text_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.md").write_bytes(b"# A\n\xff\xfe")
        (tmp_path / "b.md").write_bytes(b"# B\n" + b"x" * 2_000_001)
        reading = read_articles(tmp_path, WANTED)
        assert (reading.sheets, faults(reading)) == ([], [("a.md", 2, "error"), ("b.md", 1, "error")])

    def test_an_empty_folder_is_told_and_a_missing_one_refused(self, tmp_path: Path) -> None:
        assert len(read(tmp_path).problems) == 1
        with pytest.raises(NotFound):
            read_articles(tmp_path / "gone", WANTED)


class TestTable:
    def test_each_row_is_an_article_and_a_bad_one_has_its_line(self, tmp_path: Path) -> None:
        file = tmp_path / "articles.csv"
        file.write_text(
            'title;body;language;keywords\nVPN;"Restart.\n\nAgain.";en;vpn|691\nПечать;Проверьте бумагу.;ru;\n"";nothing;en;\n',
            encoding="utf-8-sig"
        )  # fmt: skip
        reading = read_articles(file, WANTED)
        assert [(one.key, one.language, one.keywords) for one in reading.sheets] == [("vpn", "en", ("vpn", "691")), ("печать", "ru", ())]
        assert reading.sheets[0].body == "Restart.\n\nAgain."
        assert faults(reading) == [("articles.csv", 6, "error")]

    def test_a_table_without_the_columns_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "articles.csv"
        file.write_text("name,text\na,b\n")
        assert faults(read_articles(file, WANTED)) == [("articles.csv", 1, "error")]


PAGE = """<html lang="ru-RU"><head><title>Сеть | Портал</title><meta name="keywords" content="впн, сеть"><style>p {}</style></head>
<body><nav><a href="/">Главная</a></nav><main><h1>Как включить VPN</h1><p>Откройте <b>Настройки</b> и
<a href="https://vpn.example/">страницу</a>, <a href="/old">не эту</a>.</p><ol><li>Раз</li><li>Два<ul><li>подпункт</li></ul></li></ol>
<pre>vpn  --start</pre><script>alert(1)</script></main><footer>Права</footer></body></html>"""


class TestHtml:
    def test_the_main_part_becomes_markdown(self) -> None:
        page = read_page(PAGE)
        assert (page.title, page.language, page.keywords) == ("Как включить VPN", "ru-RU", ("впн", "сеть"))
        assert page.body == (
            "Откройте **Настройки** и [страницу](https://vpn.example/), не эту.\n\n"
            "1. Раз\n2. Два\n\n   - подпункт\n\n```\nvpn  --start\n```"
        )

    @pytest.mark.parametrize(
        "html",
        [
            *("", "<", "<html>", "\0<b>\x01", "<p" * 50_000, "</p></ul></main>" * 1000, "<ul><li>" * 20_000),
            *("<!-- >" * 50_000, "<![if x>" * 50_000, "<!" * 100_000, "<?" * 100_000, '<a b="' * 20_000 + ">"),
        ],
    )
    def test_nothing_breaks_it(self, html: str) -> None:
        # Nor is anything read again and again, or said at greater length the deeper it lies: each takes a fraction of a second.
        assert len(read_page(html).body) < 50 * len(html) + 1

    def test_comments_are_not_read_and_words_after_the_last_tag_are(self) -> None:
        assert read_page("<p>A <!-- <b>no</b> -->word</p> &amp; more, 1 < 2").body == "A word\n\n& more, 1 < 2"
        assert read_page("<p>A word <!-- never closed <p>no</p>").body == "A word"
        assert read_page("Three < four <a href=").body == "Three"

    def test_a_saved_site_is_read_by_its_sitemap_alone(self, tmp_path: Path) -> None:
        locations = ("https://x.example/help/vpn", "https://x.example/gone", "https://x.example/../../secret")
        urls = "\n".join(f"<url><loc>{one}</loc></url>" for one in locations)
        (tmp_path / "secret").write_text("secret")
        site = tmp_path / "a" / "site"
        reading = read(site, **{"sitemap.xml": urls, "help/vpn.html": PAGE, "other.html": PAGE})
        assert [(one.key, one.language) for one in reading.sheets] == [("vpn", "ru")]
        assert faults(reading) == [("sitemap.xml", 2, "error"), ("sitemap.xml", 3, "error")]
