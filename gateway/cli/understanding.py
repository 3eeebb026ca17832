"""Commands about understanding: the rasa-sdk action server, and the models."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.certainty import admitted
from gateway.cli.shell import language, rows, run, show

if TYPE_CHECKING:
    from gateway.bootstrap import Desk

model = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


class Model(StrEnum):
    """What is predicted."""

    CATEGORY = "category"
    INTENT = "intent"


Name = Annotated[Model, typer.Option("--model", help="What it predicts.")]
Version = Annotated[str | None, typer.Option("--version", help="One of its versions; the one in use by default.")]


def register(app: typer.Typer) -> None:
    """Put the commands of this module onto the main command."""
    app.command()(actions)
    app.add_typer(model, name="model", help="The models that predict category and intent.")


def actions(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port; 5055 is where Rasa looks.")] = 5055,
) -> None:
    """Serve form validation and the desk's verbs over rasa-sdk's protocol, for a Rasa 3.x server."""
    from gateway.environment import load_settings

    async def work(desk: "Desk") -> Any:
        from gateway.understanding import forms_of

        config = await desk.config()
        return forms_of(config), {key for key, one in config.categories.items() if one.parent is not None}

    forms, topics = run(work)
    from gateway.rasa_calls import calls_of
    from nlu.actions import serve

    serve(host, port, forms.values(), desk=calls_of(load_settings()), topics=topics)


@model.command()
def train(json: Json = False) -> None:
    """Train from the desk's examples and corrections; publish what is better than the models in use."""

    async def work(desk: "Desk") -> dict[str, Any]:
        outcomes = await desk.understanding.retrain(await desk.config())
        return {name: outcome.to_json() for name, outcome in outcomes.items()}

    told = run(work)

    def table() -> None:
        for name, outcome in told.items():
            print(f"{name} {outcome['version'] or outcome['against']}: {_verdict(outcome)}")

    show(told, as_json=json, table=table)
    if not any(outcome["published"] for outcome in told.values()):
        print("nothing was published", file=sys.stderr)
        raise typer.Exit(1)


@model.command()
def evaluate(name: Name = Model.CATEGORY, version: Version = None, json: Json = False) -> None:
    """How well a model reads messages it was not trained on, by cross-validation."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway.learning import manifest_of
        from models.evaluate import share_interval

        manifest = manifest_of(desk.registry, name, version)
        figures = manifest["metrics"]
        low, high = share_interval(round(figures["accuracy"] * figures["rows"]), figures["rows"])
        return {"version": manifest["version"], **figures, "interval": [round(low, 4), round(high, 4)]}

    told = run(work)

    def table() -> None:
        low, high = told["interval"]
        print(f"{name} {told['version']}: {told['rows']} messages, accuracy {told['accuracy']:.3f} (95 %: {low:.3f} to {high:.3f})")
        print(f"among the first three {told['top3']:.3f}, calibration error {told['ece']:.3f}")
        lines = [[label, one["rows"], f"{one['recall']:.2f}"] for label, one in told["classes"].items()]
        rows(["label", "examples", "found"], lines, empty="no labels")

    show(told, as_json=json, table=table)


@model.command()
def compare(name: Name = Model.CATEGORY, json: Json = False) -> None:
    """The challenger, trained last and not published, against the model in use."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway.learning import NoChallenger, manifest_of

        version = desk.registry.challenger(name)
        if version is None:
            raise NoChallenger(model=name)
        return {"version": version, **manifest_of(desk.registry, name, version)["comparison"]}

    told = run(work)

    def table() -> None:
        print(f"{name} {told['version']} against {told['against']}: {_verdict(told)}")
        lines = [
            [title, one["texts"], one["champion"], one["challenger"], f"{one['interval'][0]:+.3f} to {one['interval'][1]:+.3f}"]
            for title, one in (("held back", told["held"]), ("corrections", told["corrections"]))
        ]
        rows(["messages", "count", "in use", "challenger", "difference, 95 %"], lines, empty="nothing to compare")

    show(told, as_json=json, table=table)


@model.command()
def publish(
    name: Name = Model.CATEGORY,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also where it lost the comparison.")] = False,
    json: Json = False,
) -> None:
    """Put the challenger into use."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway import learning

        return {"model": name, "version": learning.publish(desk.registry, name, language=language(), anyway=anyway)}

    told = run(work)
    show(told, as_json=json, table=lambda: print(f"{name} {told['version']} is in use"))


@model.command()
def rollback(name: Name = Model.CATEGORY, json: Json = False) -> None:
    """Return to the model that the present one replaced."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway import learning

        return {"model": name, "version": learning.roll_back(desk.registry, name)}

    told = run(work)
    show(told, as_json=json, table=lambda: print(f"{name} {told['version']} is in use"))


@model.command()
def card(name: Name = Model.CATEGORY, version: Version = None, json: Json = False) -> None:
    """The model card: what a model is, what it learned from and how well it does."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from gateway.learning import manifest_of

        return manifest_of(desk.registry, name, version)

    manifest = run(work)

    def table() -> None:
        from models.card import card as written

        print(written(manifest))

    show(manifest, as_json=json, table=table)


def _verdict(comparison: dict[str, Any]) -> str:
    from gateway.learning import verdict_words

    return verdict_words(language(), comparison)


@model.command()
def explain(text: Annotated[str, typer.Argument(help="What somebody might write.")], json: Json = False) -> None:
    """What the desk would make of a text, and why."""

    async def work(desk: "Desk") -> dict[str, Any]:
        from dataclasses import asdict, replace

        from gateway.understanding import training_sets
        from models.nearest import nearest

        tools = await desk.tools()
        config = await desk.config()
        found, _confidence = tools.detect_language(text)
        language = found or config.language
        triage = tools.triage(text, language=language)
        hits = tools.search(text, language=language, category=triage.category)
        async with desk.database.read() as session:
            rows = (await training_sets(session, config))["category"]
        alike = nearest(text, [row for row in rows if row.label == triage.category], encoder=desk.understanding.encoder)
        return {
            "language": language,
            **{name: value for name, value in asdict(replace(triage, explain=tuple)).items() if name != "explain"},
            "reasons": [asdict(reason) for reason in triage.reasons],
            "examples": [asdict(one) for one in alike],
            "articles": [asdict(hit) for hit in hits],
        }

    told = run(work)

    def table() -> None:
        print(f"language {told['language']}, intent {told['intent']} ({admitted(told['intent_confidence']):.2f})")
        print(f"category {told['category']} ({admitted(told['confidence']):.2f}, {told['band']})")
        print(f"impact {told['impact']}, urgency {told['urgency']}, mood {told['mood']}")
        if told["reasons"]:
            print("because: " + ", ".join(f"{one['text']} ({one['weight']:+.2f})" for one in told["reasons"]))
        for one in told["examples"]:
            print(f"example {one['likeness']:.2f} {one['text']}")
        for hit in told["articles"]:
            print(f"article {hit['score']:.2f} {hit['title']}")

    show(told, as_json=json, table=table)
