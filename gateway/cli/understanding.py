"""Commands about understanding: the rasa-sdk action server, and the models."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shell import run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

model = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


def register(app: typer.Typer) -> None:
    """Put the commands of this module onto the main command."""
    app.command()(actions)
    app.add_typer(model, name="model", help="The models that predict category and intent.")


def actions(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port; 5055 is where Rasa looks.")] = 5055,
) -> None:
    """Serve the desk's form validation over rasa-sdk's protocol, for a Rasa 3.x server."""

    async def work(desk: "Desk") -> Any:
        from gateway.understanding import forms_of

        return forms_of(await desk.config())

    forms = run(work)
    from nlu.actions import serve

    serve(host, port, forms.values())


@model.command()
def train() -> None:
    """Train from the desk's examples and publish."""

    async def work(desk: "Desk") -> bool:
        return await desk.understanding.ensure_trained(await desk.config(), again=True)

    if not run(work):
        raise typer.Exit(1)
    print("trained and published")


@model.command()
def explain(text: Annotated[str, typer.Argument(help="What somebody might write.")], json: Json = False) -> None:
    """What the desk would make of a text, and why."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from dataclasses import asdict

        tools = await desk.tools()
        config = await desk.config()
        found, _confidence = tools.detect_language(text)
        language = found or config.language
        triage = tools.triage(text, language=language)
        hits = tools.search(text, language=language, category=triage.category)
        return {"language": language, **asdict(triage), "articles": [asdict(hit) for hit in hits]}

    told = run(work)

    def table() -> None:
        print(f"language {told['language']}, intent {told['intent']} ({told['intent_confidence']:.2f})")
        print(f"category {told['category']} ({told['confidence']:.2f}, {told['band']}), impact {told['impact']}, urgency {told['urgency']}")
        print("because: " + ", ".join(f"{one['text']} ({one['weight']:+.2f})" for one in told["reasons"]))
        for hit in told["articles"]:
            print(f"article {hit['score']:.2f} {hit['title']}")

    show(told, as_json=json, table=table)
