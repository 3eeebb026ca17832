"""The model card: what a model is, what it learned from and how well it does, in Markdown."""

from collections.abc import Mapping
from typing import Any


def card(manifest: Mapping[str, Any]) -> str:
    """A card from a manifest alone."""
    figures, thresholds, mixture = manifest["metrics"], manifest["thresholds"], manifest["mixture"]
    bands = figures.get("bands", {})
    languages = ", ".join(f"{name} {value:.3f}" for name, value in figures["languages"].items())
    lines = [
        f"# Model `{manifest['name']}`, version {manifest.get('version', 'draft')}",
        "",
        (
            f"Trained {manifest.get('created_at', 'just now')} by Priyom {manifest['code_version']} on {manifest['rows']} rows "
            f"of this desk (hash `{manifest['data_hash'][:16]}`); "
            f"languages {', '.join(manifest['languages'])}; {len(manifest['classes'])} labels."
        ),
        "",
        "A linear model over word stems, word pairs and character n-grams"
        + (
            f", joined with a kernel model over the sentence encoder `{manifest['encoder']}` (weight {mixture['weight']:.2f})."
            if mixture["weight"] > 0
            else "."
        ),
        "It holds word pieces and numbers, no messages. It suits short service-desk texts in its languages and nothing else.",
        "",
        "## Figures (cross-validation on people's own words)",
        "",
        "| figure | value |",
        "|---|---|",
        f"| accuracy | {figures['accuracy']:.3f} |",
        f"| accuracy by language | {languages} |",
        f"| accuracy without encoder | {figures['lexical_accuracy']:.3f} |",
        f"| truth among the first three | {figures['top3']:.3f} |",
        f"| expected calibration error | {figures['ece']:.3f} |",
        f"| training, CPU seconds | {figures['cpu_seconds']} |",
        "",
        "## Bands",
        "",
        (
            f"Acts from {thresholds['act']:.2f} ({bands.get('act', 0):.0%} of examples, precision {bands.get('act_precision', 0):.3f}); "
            f"suggests from {thresholds['suggest']:.2f} ({bands.get('suggest', 0):.0%}); asks below ({bands.get('ask', 0):.0%})."
        ),
        "",
        "## Labels",
        "",
        "| label | examples | found |",
        "|---|---|---|",
        *(f"| {name} | {value['rows']} | {value['recall']:.2f} |" for name, value in figures["classes"].items()),
    ]
    if figures["confusions"]:
        lines += ["", "## Commonest mistakes", "", "| is | was taken for | times |", "|---|---|---|"]
        lines += [f"| {row['truth']} | {row['said']} | {row['count']} |" for row in figures["confusions"]]
    return "\n".join([*lines, ""])
