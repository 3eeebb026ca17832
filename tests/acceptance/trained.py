"""Models trained once from the shipped preset and kept under `build/`, so that a hundred desks need one training."""

import asyncio
import fcntl
import hashlib
import shutil
import tempfile
from pathlib import Path

import presets
from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.setup import make_desk

ROOT = Path(__file__).resolve().parents[2]
PRESET, SHOP = "it_service_desk", "customer_care"
KEY = "acceptance-key-acceptance-key-acceptance"
"""Models are signed with the desk's key; the desks of this suite share one, and so may share models."""


def data_hash(preset: str) -> str:
    """Of everything that training reads and everything that trains."""
    folder = Path(presets.__file__).parent / preset
    files = [*folder.rglob("*"), *(ROOT / "models").glob("*.py"), ROOT / "nlu" / "text.py", ROOT / "gateway" / "understanding.py"]
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file() and path.suffix in (".py", ".yml", ".md")):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def trained_models(preset: str = PRESET) -> Path:
    """A folder of a preset's published models to copy into a home as `models`; trains when there is none for these data. Blocks."""
    store = ROOT / "build" / "acceptance-models"
    store.mkdir(parents=True, exist_ok=True)
    found = store / data_hash(preset)
    # Several test processes start at once; one trains, the others wait for it.
    with (store / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            with tempfile.TemporaryDirectory(dir=store) as home:
                asyncio.run(_train(Path(home), preset))
                (Path(home) / "models").rename(found)
            for old in sorted(store.iterdir(), key=lambda path: path.stat().st_mtime)[:-6]:
                if old.is_dir():
                    shutil.rmtree(old, ignore_errors=True)
    return found


async def _train(home: Path, preset: str) -> None:
    desk = Desk(Settings(home=home, secret_key=KEY))
    try:
        made = await make_desk(desk, preset=preset, language="ru", admin_email="admin@desk.test", admin_password="not-a-secret")
        if not made.trained:
            raise RuntimeError("the models of the shipped preset could not be trained; see the log above")
    finally:
        await desk.close()


if __name__ == "__main__":
    # Before the tests, because training takes longer on a busy machine than a test may.
    for each in (PRESET, SHOP):
        print(f"models of {each}: {trained_models(each).relative_to(ROOT)}")
