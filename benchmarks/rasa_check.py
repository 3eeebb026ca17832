"""`make rasa-check`: real Rasa trains the exported preset and fills two forms through its REST channel; requests appear in our desk.

Needs Python 3.10 and the package rasa 3.6.21, in an environment of their own under build/. Exit 0 when both dialogues ended in a
request, 1 when not, 2 when something that has to be there is missing.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / "build" / "rasa-env"
PAGE = ROOT / "docs" / "rasa.md"
RASA = ("rasa==3.6.21", "setuptools<81")
PRIYOM = [sys.executable, "-c", "from gateway.cli import main; main()"]
PRESET = "it_service_desk"
BEGIN, END = "<!-- rasa-check begins -->", "<!-- rasa-check ends -->"
TALKS = (
    ("anna", ("the printer on our floor does not print", "HP 305, third floor", "it does not print", "all of us")),
    ("boris", ("vpn does not connect from home", "home", "only me", "error 809")),
)


class Missing(Exception):
    """Something that this check cannot bring along itself."""


def main() -> int:
    try:
        rasa = environment()
        with tempfile.TemporaryDirectory(prefix="priyom-rasa-") as folder, ExitStack() as stack:
            transcript, passed = play(rasa, Path(folder), stack)
    except Missing as error:
        print(error, file=sys.stderr)
        return 2
    print(transcript)
    if not passed:
        print("a dialogue ended without its request", file=sys.stderr)
        return 1
    page = PAGE.read_text(encoding="utf-8")
    kept = page.split(BEGIN)[0].rstrip()
    PAGE.write_text(f"{kept}\n\n{BEGIN}\n## As played by `make rasa-check`\n\n```text\n{transcript}\n```\n{END}\n", encoding="utf-8")
    return 0


def environment() -> Path:
    """The `rasa` command of an environment of its own, made where it is not there yet."""
    rasa = ENVIRONMENT / "bin" / "rasa"
    if not rasa.exists():
        print(f"installing {RASA[0]} into {ENVIRONMENT}, some minutes ...", file=sys.stderr)
        subprocess.run([python310(), "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        done = subprocess.run([ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "-q", *RASA], check=False)
        if done.returncode or not rasa.exists():
            raise Missing(f"{RASA[0]} could not be installed for Python 3.10; what pip said is above.")
    return rasa


def python310() -> str:
    """A Python 3.10 that runs, on the path or among pyenv's; raises `Missing`."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for found in (shutil.which("python3.10"), *map(str, sorted(kept.glob("3.10.*/bin/python")))):
        if found and subprocess.run([found, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return found
    raise Missing("Rasa 3.6.21 runs on Python 3.10 at most, and there is no python3.10 here. Install one, for example with pyenv.")


def play(rasa: Path, folder: Path, stack: ExitStack) -> tuple[str, bool]:
    """Train, start everything, talk; the transcript and whether every talk ended in its request."""
    desk_port, action_port, rasa_port = free_ports(3)
    settings = {"PRIYOM_HOME": str(folder / "home"), "PRIYOM_HTTP__PORT": str(desk_port), "PRIYOM_SECRET_KEY": "rasa-check" * 4}
    told = {**os.environ, **settings, "PYTHONPATH": str(ROOT), "RASA_TELEMETRY_ENABLED": "false", "LC_ALL": "C.UTF-8"}
    project, log = folder / "project", stack.enter_context((folder / "log").open("w"))

    def step(words: str, *command: str, cwd: Path = ROOT) -> str:
        print(words, file=sys.stderr, flush=True)
        return subprocess.run(command, cwd=cwd, env=told, stdout=subprocess.PIPE, stderr=log, text=True, check=True).stdout

    step("writing the preset as a Rasa project ...", *PRIYOM, "rasa", "export", str(project), "--preset", PRESET, "--lang", "en")
    began = time.monotonic()
    making = subprocess.Popen([*PRIYOM, "init", "--preset", PRESET, "--lang", "en", "--yes"], cwd=ROOT, env=told, stdout=log, stderr=log)
    step("training it with Rasa, and making a desk meanwhile ...", str(rasa), "train", cwd=project)
    lines = [f"$ rasa train  # {time.monotonic() - began:.0f} s, while the desk trained too"]
    if making.wait():
        raise Missing(f"the desk could not be made: {(folder / 'log').read_text(encoding='utf-8')[-500:]}")
    (project / "endpoints.yml").write_text(f"action_endpoint:\n  url: http://127.0.0.1:{action_port}/webhook\n", encoding="utf-8")
    for command, cwd, url in (
        ([*PRIYOM, "run"], ROOT, f"http://127.0.0.1:{desk_port}/healthz"),
        ([*PRIYOM, "actions", "--port", str(action_port)], ROOT, f"http://127.0.0.1:{action_port}/health"),
        ([str(rasa), "run", "-i", "127.0.0.1", "-p", str(rasa_port)], project, f"http://127.0.0.1:{rasa_port}/"),
    ):
        stack.enter_context(running(command, cwd=cwd, told=told, log=log))
        answers(url)
    passed = True
    for sender, said in TALKS:
        heard = ""
        lines.append("")
        for text in said:
            heard = "\n".join(talk(f"http://127.0.0.1:{rasa_port}/webhooks/rest/webhook", sender, text))
            lines += [f"{sender}: {text}", *(f"bot: {line}" for line in heard.splitlines())]
        passed = passed and re.search(r"#\d+", heard) is not None
    opened = json.loads(step("looking into the desk ...", *PRIYOM, "tickets", "list", "--json"))
    lines += ["", "$ priyom tickets list"]
    lines += [
        f"#{one['number']}  {one['category']}  {one['priority']}  {one['team']}  {one['contact']['name']}: {one['subject']}"
        for one in opened
    ]
    return "\n".join(lines), passed and len(opened) == len(TALKS)


@contextmanager
def running(command: list[str], *, cwd: Path, told: dict[str, str], log: object) -> Iterator[None]:
    """A process while the block lasts."""
    process = subprocess.Popen(command, cwd=cwd, env=told, stdout=log, stderr=log)  # type: ignore[call-overload]  # an open file
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        taken = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


def answers(url: str) -> None:
    """Wait until something answers there, three minutes at most."""
    for _ in range(360):
        try:
            httpx2.get(url, timeout=2)
        except httpx2.HTTPError:
            time.sleep(0.5)
        else:
            return
    raise Missing(f"{url} does not answer")


def talk(url: str, sender: str, text: str) -> list[str]:
    answer = httpx2.post(url, json={"sender": sender, "message": text}, timeout=60).raise_for_status()
    return [one["text"] for one in answer.json() if one.get("text")]


if __name__ == "__main__":
    sys.exit(main())
