"""What a checkup of an inbox tells, in the same words for every channel: steps as data, whose sentences are the channel's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from desk_core.kit.i18n import gettext_noop as _


class State(StrEnum):
    OK = "ok"
    WARN = "warn"  # it works, but something should be mended
    FAIL = "fail"
    SKIPPED = "skipped"  # cannot be tried, or does not apply


STATES = {State.OK: _("fine"), State.WARN: _("look at this"), State.FAIL: _("does not work"), State.SKIPPED: _("not tried")}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `words` are the far side's own, `advice` with `params` says what to do, `ms` is how long it took."""

    key: str
    state: State
    words: str = ""
    advice: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    ms: int = 0
