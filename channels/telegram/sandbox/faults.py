"""Faults on order: what a test asks the sandbox to do wrong, and for how many calls."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    TOO_MANY = "too_many"
    """429 with `retry_after`; nothing happens."""
    ERROR = "error"
    """A 5xx (or any other code) before anything happens."""
    CUT_BEFORE = "cut_before"
    """The connection breaks and nothing has happened."""
    CUT_AFTER = "cut_after"
    """The call takes effect, then the connection breaks before the answer is complete."""
    SLOW = "slow"
    """The call waits `seconds`, then goes on as usual."""


@dataclass(frozen=True, slots=True)
class Fault:
    kind: FaultKind
    retry_after: int = 1
    code: int = 500
    description: str = "Internal Server Error"
    seconds: float = 0.0


class Faults:
    """Planned faults by method name; `*` stands for every method but getUpdates."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = {}

    def plan(self, method: str, fault: Fault, *, times: int = 1) -> None:
        """The next `times` calls of `method` meet `fault`, after those already planned."""
        self._planned.setdefault(method.lower(), deque()).extend([fault] * times)

    def too_many(self, method: str = "*", *, times: int = 1, retry_after: int = 1) -> None:
        self.plan(method, Fault(FaultKind.TOO_MANY, retry_after=retry_after), times=times)

    def error(self, method: str = "*", *, times: int = 1, code: int = 500, description: str = "Internal Server Error") -> None:
        self.plan(method, Fault(FaultKind.ERROR, code=code, description=description), times=times)

    def cut_before(self, method: str = "*", *, times: int = 1) -> None:
        self.plan(method, Fault(FaultKind.CUT_BEFORE), times=times)

    def cut_after(self, method: str = "*", *, times: int = 1) -> None:
        self.plan(method, Fault(FaultKind.CUT_AFTER), times=times)

    def slow(self, method: str = "*", *, seconds: float, times: int = 1) -> None:
        self.plan(method, Fault(FaultKind.SLOW, seconds=seconds), times=times)

    def clear(self) -> None:
        self._planned.clear()

    def pending(self) -> int:
        """How many planned faults have not been met yet."""
        return sum(len(planned) for planned in self._planned.values())

    def take(self, method: str) -> Fault | None:
        """The fault that this call of `method` meets, if any."""
        method = method.lower()
        names = (method,) if method == "getupdates" else (method, "*")
        for name in names:
            if planned := self._planned.get(name):
                return planned.popleft()
        return None
