"""Training seen from the desk: a child process learns, the desk signs and publishes. Nothing heavy is imported here."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
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
    registry: Registry, sets: Mapping[str, Sequence[Row]], *, created_at: datetime, encoder: bool = True, timeout: float = _SECONDS
) -> dict[str, str]:
    """Train every set in one child process and publish all models or none; gives name -> version. Blocks: call it in a thread."""
    work = Path(tempfile.mkdtemp(prefix="priyom-training-"))
    try:
        source, output = work / "rows.json", work / "drafts"
        write_rows(source, sets)
        # One thread is as fast here and leaves the other cores to people who are waiting for an answer.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        root = str(Path(__file__).resolve().parent.parent)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                training_command(source, output, encoder=encoder),
                env=environment,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise TrainingFailed(f"training took longer than {timeout:.0f} s") from late
        if done.returncode != 0:
            last = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-3:]
            raise TrainingFailed("; ".join(last) or f"training ended with code {done.returncode}")
        return {name: registry.publish(output / name, created_at=created_at) for name in sets}
    finally:
        shutil.rmtree(work, ignore_errors=True)
