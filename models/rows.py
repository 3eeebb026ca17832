"""Training rows: what a desk knows about its own language, as labelled texts."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_REJECTED = ("out_of_scope", "smalltalk")  # intents whose examples belong in no category


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text. `source` is example, correction, article, catalogue or rejected; only the first two are measured on."""

    text: str
    label: str
    language: str
    source: str = "example"

    @property
    def measured(self) -> bool:
        return self.source in {"example", "correction"}

    @property
    def rejected(self) -> bool:
        """Whether it is an example of what the desk does not do: no label of the model fits it."""
        return self.source == "rejected"


def category_rows(
    examples: Mapping[str, Mapping[str, Sequence[str]]],
    *,
    categories: Iterable[str],
    articles: Iterable[tuple[str, str, str, Sequence[str]]] = (),
    catalogue: Iterable[tuple[str, str, str]] = (),
) -> list[Row]:
    """Rows of the category model.

    `examples` is language -> intent -> texts; `articles` are (category, language, title, keywords);
    `catalogue` is (category, language, text).
    """
    keys = set(categories)
    rows = [
        Row(text, label, language)
        for language, intents in examples.items()
        for label, texts in intents.items()
        if label in keys
        for text in texts
    ]
    for category, language, title, keywords in articles:
        if category in keys:
            rows.append(Row(title, category, language, "article"))
            rows.extend(Row(keyword, category, language, "article") for keyword in keywords)
    rows.extend(
        Row(text, label, language, "rejected")
        for language, intents in examples.items()
        for label in _REJECTED
        for text in intents.get(label, ())
    )
    rows.extend(Row(text, category, language, "catalogue") for category, language, text in catalogue if category in keys and text.strip())
    return rows


def intent_rows(examples: Mapping[str, Mapping[str, Sequence[str]]], *, told: Callable[[str, str], str]) -> list[Row]:
    """Rows of the intent model: dialogue intents as they are, every example of a category as what `told(label, text)` makes of it."""
    return [
        Row(text, told(label, text), language)
        for language, intents in examples.items()
        for label, texts in intents.items()
        for text in texts
    ]


def with_corrections(rows: Sequence[Row], corrections: Sequence[Row]) -> list[Row]:
    """The rows with what operators said since; of one text the last word counts."""
    last = {row.text.strip(): row for row in corrections}
    return [row for row in rows if row.text.strip() not in last] + [row for row in corrections if last[row.text.strip()] is row]


def data_hash(rows: Sequence[Row]) -> str:
    """SHA-256 over the rows in a fixed order: the same data, the same hash."""
    lines = sorted(json.dumps([row.label, row.language, row.source, row.text], ensure_ascii=False) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def write_rows(path: Path, sets: Mapping[str, Sequence[Row]]) -> None:
    """Write `{model name: rows}` for the training process."""
    path.write_text(json.dumps({name: [asdict(row) for row in rows] for name, rows in sets.items()}, ensure_ascii=False), encoding="utf-8")


def read_rows(path: Path) -> dict[str, list[Row]]:
    """Read what `write_rows` wrote."""
    sets = json.loads(path.read_text(encoding="utf-8"))
    return {name: [Row(**row) for row in rows] for name, rows in sets.items()}
