"""The browser of the tests: the system's Chromium, installed from Debian's packages where that may be done, named otherwise.

`python -m tests.services.browser` makes sure that there is one: exit 0 with nothing said, or 2 with the command to run.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
COMMAND = ("apt-get", "install", "-y", "--no-install-recommends", "chromium")


def find_browser() -> str | None:
    """The path of an installed Chromium (or the one PRIYOM_TEST_BROWSER names), or None."""
    named = os.environ.get("PRIYOM_TEST_BROWSER")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def ensure_browser() -> str | None:
    """`find_browser`, after installing it where we are root and the system has apt-get."""
    found = find_browser()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        print("installing chromium from the system's packages ...", file=sys.stderr)
        if subprocess.run(COMMAND, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            subprocess.run(("apt-get", "update"), env=environment, stdout=subprocess.DEVNULL, check=False)
            subprocess.run(COMMAND, env=environment, stdout=subprocess.DEVNULL, check=False)
        found = find_browser()
    return found


if __name__ == "__main__":
    if ensure_browser() is None:
        print(f"The browser tests need Chromium: sudo {' '.join(COMMAND)}", file=sys.stderr)
        sys.exit(2)
