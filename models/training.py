"""Training seen from the desk: a child process learns, the desk signs and publishes. Nothing heavy is imported here."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from models.registry import Registry
from models.rows import Row, write_rows

_SECONDS = 900


class TrainingFailed(Exception):
    """The training process did not produce a model; the message holds its last words."""


def training_command(source: Path, output: Path, *, encoder: bool = True) -> list[str]:
    """The command of the training process."""
    return [
        sys.executable,
        "-m",
        "models.train",
        "--input",
        str(source),
        "--output",
        str(output),
        "--encoder" if encoder else "--no-encoder",
    ]


def train_and_publish(
    registry: Registry,
    sets: Mapping[str, Sequence[Row]],
    *,
    created_at: datetime,
    encoder: bool = True,
    timeout: float = _SECONDS,
    stop: threading.Event | None = None,
) -> dict[str, str]:
    """Train every set in one child process and publish all models or none; gives name -> version.

    Blocks: call it in a thread. Setting `stop` ends the child at once and raises `TrainingFailed`.
    """
    with drafts(sets, encoder=encoder, timeout=timeout, stop=stop) as output:
        return {name: registry.publish(output / name, created_at=created_at) for name in sets}


@contextlib.contextmanager
def drafts(
    sets: Mapping[str, Sequence[Row]], *, encoder: bool = True, timeout: float = _SECONDS, stop: threading.Event | None = None
) -> Iterator[Path]:
    """A folder with the draft of every set, trained in one child process; gone afterwards. Blocks, as `train_and_publish` does."""
    work = Path(tempfile.mkdtemp(prefix="priyom-training-"))
    try:
        source, output = work / "rows.json", work / "drafts"
        write_rows(source, sets)
        # One thread is as fast here and leaves the other cores to people who are waiting for an answer.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        root = str(Path(__file__).resolve().parent.parent)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
        code, said = _run(training_command(source, output, encoder=encoder), environment, timeout=timeout, stop=stop or threading.Event())
        if code != 0:
            last = [line for line in said.splitlines() if line.strip()][-3:]
            raise TrainingFailed("; ".join(last) or f"training ended with code {code}")
        yield output
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(command: Sequence[str], environment: Mapping[str, str], *, timeout: float, stop: threading.Event) -> tuple[int, str]:
    """(exit code, output) of a child that ends when it is done, when time is up, or when `stop` is set."""
    end = time.monotonic() + timeout
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:  # noqa: S603 - ours
        while True:
            try:
                said, _nothing = child.communicate(timeout=0.2)
            except subprocess.TimeoutExpired as waiting:
                if not stop.is_set() and time.monotonic() < end:
                    continue
                child.kill()
                why = "training was stopped" if stop.is_set() else f"training took longer than {timeout:.0f} s"
                raise TrainingFailed(why) from waiting
            return child.returncode, said
