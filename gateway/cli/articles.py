"""`priyom article`: import from files, list, show, export, and what is missing."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import language, rows, run, show

if TYPE_CHECKING:
    from desk_core.knowledge.entities import Article
    from desk_core.knowledge.service import Sheet
    from gateway.bootstrap import Desk

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
BATCH = 100
BY = "import"


@app.command("gaps")
def gaps(limit: Annotated[int, typer.Option("--limit", help="How many topics at most.", min=1, max=1000)] = 50, json: Json = False) -> None:
    """What people asked in the last 90 days that no article answered, questions of one meaning together, what is asked most first."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        return [
            {
                "question": one.name, "asked": len(one.questions), "people": one.people, "languages": one.languages, "recent": one.recent,
                "before": one.before, "refused": one.refused, "category": one.category, "tickets": [number for number, _ in one.tickets],
                "examples": [each.text for each in one.questions[:5]],
            }
            for one in (await desk.understanding.board.clusters())[:limit]
        ]  # fmt: skip

    told = run(work)

    def table() -> None:
        for one in told:
            print(f"{one['asked']:>5}  {one['question']}  ({one['recent']} in two weeks, {one['before']} before)")
        if not told:
            print("Every question found an answer.")

    show(told, as_json=json, table=table)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A folder of Markdown or of a saved site, a .csv, .md or .html file.")],
    lang: Annotated[str, typer.Option("--lang", help="The language of what does not say its own; the desk's unless given.")] = "",
    publish: Annotated[bool, typer.Option("--publish", help="Publish what says no state; otherwise new ones are drafts.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read and compare.")] = False,
    json: Json = False,
) -> None:
    """Read articles from files; again with the same files changes nothing. What cannot be read is named with its line and left out."""

    async def work(desk: "Desk") -> dict[str, Any]:
        import asyncio

        from desk_core.knowledge.reading import Wanted, read_articles

        config = await desk.config()
        state = "published" if publish else None
        wanted = Wanted(language=lang or config.language, categories=frozenset(config.categories), state=state)
        found = await asyncio.to_thread(read_articles, path, wanted)
        counts = await _write(desk, found.sheets, dry_run=dry_run)
        problems = [
            {"file": one.file, "line": one.line, "severity": one.severity.value, "text": one.render(language())} for one in found.problems
        ]
        return {**counts, "dry_run": dry_run, "problems": problems}

    told = run(work)

    def table() -> None:
        for one in told["problems"]:
            print(f"{one['file']}:{one['line']}: {one['severity']}: {one['text']}")
        print(
            f"{told['created']} new, {told['changed']} changed, {told['unchanged']} as they were"
            + (" (nothing written)" if dry_run else "")
        )

    show(told, as_json=json, table=table)
    if any(one["severity"] == "error" for one in told["problems"]):
        raise typer.Exit(1)


async def _write(desk: "Desk", sheets: "list[Sheet]", *, dry_run: bool) -> dict[str, int]:
    """Write in batches, so that a running desk is not held up; the answer counts what became of each."""
    from desk_core.knowledge import repository, service

    counts = dict.fromkeys(("created", "changed", "unchanged"), 0)
    async with desk.database.read() as session:
        known = {(one.key, one.language): one for one in await repository.articles(session, limit=1_000_000)}
    fresh = [sheet for sheet in sheets if (old := known.get((sheet.key, sheet.language))) is None or service.differs(old, sheet)]
    counts["unchanged"] = len(sheets) - len(fresh)
    for start in range(0, len(fresh), BATCH):
        batch = fresh[start : start + BATCH]
        if dry_run:
            for sheet in batch:
                counts["changed" if (sheet.key, sheet.language) in known else "created"] += 1
            continue
        async with desk.database.unit() as uow:
            for sheet in batch:
                _article, change = await service.write(uow, sheet, by=BY, now=desk.clock.now())
                counts[change.value] += 1
        if sys.stderr.isatty() or start + BATCH < len(fresh):
            print(f"{min(start + BATCH, len(fresh))} of {len(fresh)}", file=sys.stderr)
    return counts


@app.command("list")
def list_(json: Json = False) -> None:
    """Every article by key and language."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.knowledge import repository

        async with desk.database.read() as session:
            return [_about(one) for one in await repository.articles(session, limit=1_000_000)]

    found = run(work)
    lines = [[one["key"], one["language"], one["state"], one["audience"], one["expires"], one["title"]] for one in found]
    header = ("key", "language", "state", "audience", "expires", "title")
    show(found, as_json=json, table=lambda: rows(header, lines, empty="No article yet: priyom article import PATH"))


@app.command("show")
def show_(key: Annotated[str, typer.Argument(help="Key of the article.")], json: Json = False) -> None:
    """One article in all its languages."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.kit.errors import NotFound
        from desk_core.knowledge import repository

        async with desk.database.read() as session:
            found = await repository.articles(session, key=key)
        if not found:
            raise NotFound(article=key)
        return [{**_about(one), "summary": one.summary, "keywords": one.keywords, "body": one.body} for one in found]

    found = run(work)

    def table() -> None:
        for one in found:
            print(f"# {one['title']} ({one['language']}, {one['state']}, {one['audience']})\n\n{one['body']}\n")

    show(found, as_json=json, table=table)


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="An empty or new folder.")]) -> None:
    """Write every article as Markdown with its head; `priyom article import` reads it back."""

    async def work(desk: "Desk") -> int:
        from desk_core.catalogue.export import export_articles

        async with desk.database.read() as session:
            return await export_articles(session, folder)

    print(f"{run(work)} articles written to {folder}")


def _about(article: "Article") -> dict[str, Any]:
    return {
        "key": article.key, "language": article.language, "title": article.title, "category": article.category_key,
        "audience": article.audience, "state": article.state, "expires": article.expires_on.isoformat() if article.expires_on else None,
        "updated_at": article.updated_at, "version": article.version,
    }  # fmt: skip
