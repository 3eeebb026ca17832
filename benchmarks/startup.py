"""How soon the command line answers, beside a Python that does nothing."""

import statistics
import subprocess
import sys
import time

from benchmarks.report import ROOT, Row
from benchmarks.running import WHOLE


def measure(*, quick: bool) -> list[Row]:
    times = 5 if quick else 15
    ours = _median([sys.executable, "-c", WHOLE, "--help"], times)
    bare = _median([sys.executable, "-c", "pass"], times)
    return [Row.of("priyom --help", ours, "s", baseline=bare, at_most=0.5)]


def _median(command: list[str], times: int) -> float:
    spent = []
    for _time in range(times):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)
