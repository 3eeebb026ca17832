"""Commands in a place where no desk is say so, and what to do, before anything else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRIYOM = (sys.executable, "-c", "from gateway.cli.main import main; main()")


@pytest.mark.parametrize("command", ["inbox list", "tickets list", "doctor", "serve", "work", "receive", "run --no-sandbox"])
def test_a_command_before_init_says_to_make_a_desk(command: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRIYOM_")}
    # A process of its own, as a part of the desk ends its process.
    ended = subprocess.run(
        [*PRIYOM, *command.split()], env={**kept, "PRIYOM_HOME": str(tmp_path), "LANG": "C"}, capture_output=True, text=True, check=False
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "priyom init" in said
    assert "try again" not in said.lower()
