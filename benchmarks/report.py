"""Rows of a measurement: printed as a table and written to `build/reports/<target>.json` in the shape that docs/interface.md promises."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "reports"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `ratio` is our value by the baseline's; `met` is None where nothing is aimed at."""

    name: str
    value: float
    unit: str
    aim: str | None = None
    baseline: float | None = None
    ratio: float | None = None
    met: bool | None = None

    @classmethod
    def of(
        cls,
        name: str,
        value: float,
        unit: str,
        *,
        baseline: float | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
        ratio_at_most: float | None = None,
        ratio_at_least: float | None = None,
    ) -> "Row":
        """A row that judges itself: every bound that is given has to hold."""
        ratio = value / baseline if baseline else None
        bounds = [
            (f"<= {at_most:g} {unit}", value <= at_most) if at_most is not None else None,
            (f">= {at_least:g} {unit}", value >= at_least) if at_least is not None else None,
            (f"<= {ratio_at_most:g}x", ratio is not None and ratio <= ratio_at_most) if ratio_at_most is not None else None,
            (f">= {ratio_at_least:g}x", ratio is not None and ratio >= ratio_at_least) if ratio_at_least is not None else None,
        ]
        held = [bound for bound in bounds if bound is not None]
        return cls(
            name=name,
            value=_short(value),
            unit=unit,
            aim=" and ".join(words for words, _ in held) or None,
            baseline=_short(baseline) if baseline is not None else None,
            ratio=_short(ratio) if ratio is not None else None,
            met=all(kept for _, kept in held) if held else None,
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Row":
        return cls(**data)


def _short(value: float) -> float:
    """Four figures say enough, and more would pretend."""
    return float(f"{value:.4g}") if abs(value) < 1000 else float(round(value))


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = (line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name"))
        cpu = next(named, cpu)
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
    }


def commit() -> str:
    """The commit measured, with a plus where the tree holds more than it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def table(rows: Sequence[Row]) -> str:
    """The rows for a terminal."""

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:g}" if abs(value) < 10_000 else f"{value:.0f}"

    head = ("what", "value", "unit", "baseline", "ratio", "aim", "")
    cells = [
        (
            row.name, number(row.value), row.unit, number(row.baseline), "" if row.ratio is None else f"{row.ratio:.2f}x", row.aim or "",
            "" if row.met is None else "met" if row.met else "MISSED",
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[column]) for line in (head, *cells)) for column in range(len(head))]
    right = {1, 3, 4}
    lines = [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width) for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in (head, *cells)
    ]
    return "\n".join(line.rstrip() for line in (lines[0], "-" * len(lines[0]), *lines[1:]))


def write(target: str, rows: Sequence[Row], *, started_at: datetime) -> Path:
    """Write the report; answers where it lies."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    path = REPORTS / f"{target}.json"
    report = {
        "target": target,
        "started_at": started_at.isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path
