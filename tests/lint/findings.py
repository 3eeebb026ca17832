"""What a rule found, and the excuses a file holds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

EXCUSE = re.compile(r"(?:#|\{#)\s*lint-skip:\s*(?P<codes>[a-z-]+(?:\s*,\s*[a-z-]+)*)(?P<reason>\s+-\s+\S.*?)?\s*(?:#\}|$)")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One breach: `path:line: code message`."""

    path: str
    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """One file as the rules see it: its path inside the repository, and its text."""

    path: PurePosixPath
    text: str

    @property
    def package(self) -> str:
        """The top-level folder."""
        return self.path.parts[0]

    @property
    def module(self) -> str:
        """The dotted name of a Python file."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def finding(self, line: int, code: str, message: str) -> Finding:
        return Finding(str(self.path), line, code, message)


def without_excused(source: Source, findings: Iterable[Finding]) -> list[Finding]:
    """The findings that no excuse covers, and the excuses that are empty or not needed."""
    excuses: dict[int, set[str]] = {}
    left: list[Finding] = []
    for number, line in enumerate(source.text.splitlines(), start=1):
        if match := EXCUSE.search(line):
            if match["reason"]:
                excuses[number] = {code.strip() for code in match["codes"].split(",")}
            else:
                left.append(source.finding(number, "lint-skip", "says no reason; write `lint-skip: code - reason`"))
    used: set[tuple[int, str]] = set()
    for finding in findings:
        at = next((line for line in (finding.line, finding.line - 1) if finding.code in excuses.get(line, ())), None)
        if at is None:
            left.append(finding)
        else:
            used.add((at, finding.code))
    for number, codes in excuses.items():
        left.extend(
            source.finding(number, "lint-skip", f"excuses {code}, which this line does not breach")
            for code in codes
            if (number, code) not in used
        )
    return sorted(left)
