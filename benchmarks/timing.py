"""What a piece of work takes: milliseconds for one text of many, and memory of this process."""

import time
from collections.abc import Callable, Iterator

import psutil


def times(work: Callable[[str], object], texts: list[str] | Iterator[list[str]], *, share: float = 0.5) -> float:
    """Milliseconds in which that share of the texts is done, after a warm pass; a fresh list for each where the work remembers texts."""
    passes = [texts, texts] if isinstance(texts, list) else [next(texts), next(texts)]
    spent: list[float] = []
    for some in passes:
        spent.clear()
        for text in some:
            began = time.perf_counter()
            work(text)
            spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)[int(share * len(spent))]


def fresh(texts: list[str]) -> Iterator[list[str]]:
    """The same texts for ever, and never twice in the same words."""
    number = 0
    while True:
        number += 1
        yield [f"{text} {number}" for text in texts]


def resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20
