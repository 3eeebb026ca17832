"""How well the shipped preset understands messages that nobody trained on: `make bench-blind FILE=tests/data/dev_200.jsonl ARGS=--misses`.

Each message is the first of a new chat with a desk whose inbox is Russian, and goes the product's whole way: reading, language, triage,
"one request or two?", values in the text. What was understood is then held against what a person wrote beside it.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the product, before numpy is there

from benchmarks import report
from benchmarks.report import ROOT, Row
from desk_core.kit.clock import SystemClock
from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.setup import make_desk
from nlu import dialogue, lexicon
from nlu.rehearsal import Rehearsal
from nlu.turn import Heard
from nlu.understood import Intent, Tools
from tests.acceptance.trained import KEY, PRESET, trained_models

EXAM = ROOT / "tests" / "data" / "blind_100.jsonl"


@dataclass(frozen=True, slots=True)
class Case:
    """A message and what a person says it is. `also` is the topic of a second problem in it."""

    id: str
    text: str
    language: str
    intent: str
    category: str | None
    also: str | None = None
    out_of_scope: bool = False
    slots: Mapping[str, str] = field(default_factory=dict)
    traits: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the product made of a message; `categories` best first."""

    language: str
    intent: str
    categories: tuple[str, ...] = ()
    split: bool = False
    slots: Mapping[str, str] = field(default_factory=dict)

    @property
    def outside(self) -> bool:
        return self.intent == Intent.OUT_OF_SCOPE


Judged = tuple[Case, Answer]


def cases(path: Path) -> list[Case]:
    return [Case(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def understood(case: Case, tools: Tools) -> Answer:
    """One message as the first of a chat."""
    chat, heard = Rehearsal(tools, contact_language=None), Heard(text=case.text)
    meant = dialogue.reread(chat.snapshot, heard, tools) or case.text
    turn = chat.hears(heard)
    categories = tuple(guess.label for guess in turn.triage.categories) if turn.triage else ()
    form = tools.form(categories[0]) if categories else None
    return Answer(
        turn.language, turn.intent, categories, dialogue.is_split(turn.state), tools.extract(meant, form=form, now=chat.snapshot.now)
    )


# --- the arithmetic ----------------------------------------------------------------------------------------------------


def names(case: Case, categories: Sequence[str]) -> bool:
    """Whether a topic of the case is among those; of two problems either will do."""
    return case.category in categories or (case.also is not None and case.also in categories)


def is_slot(wanted: str, got: str | None) -> bool:
    """Whether a value is the one that was meant: the same words in any order, or all of one among those of the other."""
    ours, theirs = (set(lexicon.plain(value).split()) for value in (got or "", wanted))
    return bool(ours) and (ours <= theirs or theirs <= ours)


def figures(judged: Sequence[Judged]) -> list[Row]:
    """Every figure of a run, in percent."""

    def share(name: str, among: Sequence[bool], *, at_least: float | None = None) -> list[Row]:
        return [Row.of(f"{name} ({len(among)})", 100 * sum(among) / len(among), "%", at_least=at_least)] if among else []

    told = [(case, answer) for case, answer in judged if case.category is not None and not case.out_of_scope]
    double = [(case, answer) for case, answer in judged if case.also is not None]
    slots = [(value, answer.slots.get(name)) for case, answer in judged for name, value in case.slots.items()]
    return [
        *share("category, first", [names(case, answer.categories[:1]) for case, answer in told], at_least=85),
        *share("category, among three", [names(case, answer.categories[:3]) for case, answer in told], at_least=95),
        *share("intent", [case.intent == answer.intent for case, answer in judged], at_least=95),
        *share("language", [case.language == answer.language for case, answer in judged]),
        *share("out of scope, found", [answer.outside for case, answer in judged if case.out_of_scope], at_least=90),
        *share("out of scope, false alarm", [answer.outside for case, answer in judged if not case.out_of_scope]),
        *share("out of scope or not, right of all", [case.out_of_scope == answer.outside for case, answer in judged]),
        *share("two problems, noticed", [answer.split for _, answer in double]),
        *share("two problems, false alarm", [answer.split for case, answer in judged if case.also is None]),
        *share("slots in the text, found", [is_slot(value, got) for value, got in slots]),
        *share("slots in the text, wrong", [bool(got) and not is_slot(value, got) for value, got in slots]),
    ]


def misses(judged: Sequence[Judged]) -> list[str]:
    """One line a miss, with what was wanted and what came of it."""
    lines = []
    for case, answer in judged:
        wrong = []
        if case.category is not None and not names(case, answer.categories[:1]):
            wrong.append(f"category {case.category}: {' '.join(answer.categories) or '-'}")
        if case.intent != answer.intent:
            wrong.append(f"intent {case.intent}: {answer.intent}")
        if case.language != answer.language:
            wrong.append(f"language {case.language}: {answer.language}")
        if (case.also is not None) != answer.split:
            wrong.append("two problems not noticed" if case.also else "one problem taken for two")
        given = [(name, value, answer.slots.get(name)) for name, value in case.slots.items()]
        wrong += [f"{name} {value}: {got or '-'}" for name, value, got in given if not is_slot(value, got)]
        lines += [f"{case.id} {case.text!r}\n     {'; '.join(wrong)}"] if wrong else []
    return lines


# --- the desk ----------------------------------------------------------------------------------------------------------


async def preset_tools(home: Path) -> Tools:
    """The shipped preset as a desk made of it understands, with the models that acceptance tests share."""
    shutil.copytree(await asyncio.to_thread(trained_models), home / "models")
    desk = Desk(Settings(home=home, secret_key=KEY))
    try:
        await make_desk(desk, preset=PRESET, language="ru", admin_email="admin@desk.test", admin_password="not-a-secret", train=False)
        return await desk.tools()
    finally:
        await desk.close()


def main() -> int:
    """Exit 0 when everything ran, also where an aim was missed; 2 where the file is not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.blind", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=EXAM)
    parser.add_argument("--misses", action="store_true", help="list every miss")
    chosen = parser.parse_args()
    if not chosen.file.is_file():
        print(f"no messages at {chosen.file}", file=sys.stderr)
        return 2
    started_at = SystemClock().now()
    with tempfile.TemporaryDirectory(prefix="priyom-blind-") as home:
        tools = asyncio.run(preset_tools(Path(home)))
    judged = [(case, understood(case, tools)) for case in cases(chosen.file)]
    if chosen.misses:
        print("\n".join(misses(judged)) + "\n")
    rows = figures(judged)
    print(report.table(rows))
    path = report.write("blind", rows, started_at=started_at)
    missed = [row.name for row in rows if row.met is False]
    print(f"\n{len(judged)} messages of {chosen.file.name}, {len(missed)} aims missed; {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
