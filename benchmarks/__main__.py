"""Runs the subjects, each in a process of its own, prints the table and writes build/reports/bench.json."""

import argparse
import importlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import structlog

from benchmarks import report
from benchmarks.running import TEMPLATE
from desk_core.kit.clock import SystemClock

SUBJECTS = ("accept", "mail", "turn", "telegram", "understanding", "search", "lists", "memory", "startup", "mail_memory")
LONG = frozenset({"mail_memory"})
"""Left out of a quick run, unless asked for by name."""


def main() -> int:
    """Exit 0 when everything ran, also where an aim was missed; 1 when a subject broke."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"of {', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="two minutes for all of it (also: QUICK=1)")
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    quick = chosen.quick or os.environ.get("QUICK", "") not in ("", "0")
    if unknown := [name for name in chosen.subjects if name not in SUBJECTS]:
        parser.error(f"no such subject: {', '.join(unknown)}")
    if chosen.rows is not None:
        return _measure(chosen.subjects[0], chosen.rows, quick=quick)
    return _all(chosen.subjects or [name for name in SUBJECTS if not (quick and name in LONG)], quick=quick)


def _measure(subject: str, output: Path, *, quick: bool) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows: list[report.Row] = importlib.import_module(f"benchmarks.{subject}").measure(quick=quick)
    output.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    return 0


def _all(subjects: list[str], *, quick: bool) -> int:
    started_at, rows, broken = SystemClock().now(), list[report.Row](), list[str]()
    with tempfile.TemporaryDirectory(prefix="priyom-bench-") as folder:
        environment = {**os.environ, TEMPLATE: os.environ.get(TEMPLATE) or str(Path(folder) / "desk")}
        for subject in subjects:
            print(f"{subject} ...", file=sys.stderr, flush=True)
            output, began = Path(folder) / f"{subject}.json", time.monotonic()
            command = [sys.executable, "-m", "benchmarks", subject, "--rows", str(output), *(["--quick"] if quick else [])]
            # A process each: no subject inherits the memory, the imports or the threads of another.
            if subprocess.run(command, cwd=report.ROOT, env=environment, check=False).returncode or not output.exists():
                broken.append(subject)
                continue
            found = [report.Row.from_json(row) for row in json.loads(output.read_text(encoding="utf-8"))]
            print(f"{report.table(found)}\n({time.monotonic() - began:.0f} s)\n", file=sys.stderr, flush=True)
            rows += found
    print(report.table(rows))
    path = report.write("bench", rows, started_at=started_at)
    missed = [row.name for row in rows if row.met is False]
    print(f"\n{len(rows)} figures, {len(missed)} aims missed; {path.relative_to(report.ROOT)}")
    if broken:
        print(f"broke: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
