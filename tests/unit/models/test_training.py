"""Training is a child of the desk: it ends with it."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from models.registry import Registry
from models.training import TrainingFailed, train_and_publish
from tests.unit.models.small import category

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


class TestStopping:
    def test_ends_the_child_at_once_and_publishes_nothing(self, tmp_path: Path) -> None:
        registry = Registry(tmp_path, secret=b"secret")
        stop = threading.Event()
        threading.Timer(0.5, stop.set).start()
        began = time.monotonic()
        with pytest.raises(TrainingFailed, match="stopped"):
            train_and_publish(registry, {"category": category() * 40}, created_at=AT, encoder=False, stop=stop)
        assert time.monotonic() - began < 5
        assert registry.current("category") is None
        assert not [child for child in psutil.Process().children(recursive=True) if "models.train" in child.cmdline()]

    def test_a_time_that_runs_out_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(TrainingFailed, match="longer than 0 s"):
            train_and_publish(Registry(tmp_path, secret=b"secret"), {"category": category()}, created_at=AT, encoder=False, timeout=0.1)
