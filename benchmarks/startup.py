"""How soon the command line answers, beside the bare interpreter and beside typer with one empty command."""

import os
import statistics
import subprocess
import sys
import time

from benchmarks.report import ROOT, Row

OURS = "from gateway.cli import main; main()"
EMPTY = "import typer; app = typer.Typer(add_completion=False)\n@app.command()\ndef run(): ...\n@app.command()\ndef work(): ...\napp()"


def measure(*, quick: bool) -> list[Row]:
    rounds = 5 if quick else 15
    ours, bare, empty = [], [], []
    for _round in range(rounds + 1):  # the first round warms the disk
        ours.append(_seconds(OURS))
        bare.append(_seconds("pass"))
        empty.append(_seconds(EMPTY))
    help_seconds = statistics.median(ours[1:])
    return [
        Row.of(
            "priyom --help; baseline: typer with two empty commands", help_seconds, "s", baseline=statistics.median(empty[1:]), at_most=0.5
        ),
        Row.of("priyom --help; baseline: the interpreter alone", help_seconds, "s", baseline=statistics.median(bare[1:])),
    ]


def _seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code, "--help"], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - began
