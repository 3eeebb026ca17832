"""Published models of a desk: signed, versioned, reversible.

They lie in `<home>/models/<name>/<version>/`, with a `current` pointer beside the versions.
"""

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.artefact import ARRAYS, FORMAT, HELD, MANIFEST, ArtefactRefused, Draft, unpack, write_draft
from models.card import card
from models.evaluate import Thresholds
from models.held import Held
from models.scoring import TextModel

_SIGNATURE = "manifest.sig"
_POINTER = "current"
_WAITING = ".challenger"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to score. `refused` names newer versions that were found altered: the caller raises an alarm for them."""

    name: str
    version: str
    model: TextModel
    thresholds: Thresholds
    manifest: Mapping[str, Any]
    refused: tuple[ArtefactRefused, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.name}/{self.version}"


class Registry:
    """Publishes, loads and rolls back models. The key comes from the desk's secret; whoever lacks it cannot slip in a model."""

    def __init__(self, home: Path, *, secret: str | bytes) -> None:
        self._folder = home / "models"
        self._current: dict[str, tuple[tuple[int, int], str]] = {}
        secret_bytes = secret.encode() if isinstance(secret, str) else secret
        # A key of its own, so that a signature here is worth nothing anywhere else.
        self._key = hashlib.sha256(b"priyom model artefacts\0" + secret_bytes).digest()

    def versions(self, name: str) -> list[str]:
        """Published versions, newest first."""
        folder = self._of(name)
        if not folder.is_dir():
            return []
        return sorted((entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")), reverse=True)

    def current(self, name: str) -> str | None:
        """The version in use, or None before the first training."""
        pointer = self._of(name) / _POINTER
        try:
            state = pointer.stat()
            # It is replaced, never written to, and asked for with every message.
            seen = (state.st_ino, state.st_mtime_ns)
            known = self._current.get(name)
            if known is None or known[0] != seen:
                known = self._current[name] = (seen, pointer.read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            return None
        return known[1] or None

    def publish(self, draft: Draft | Path, *, created_at: datetime) -> str:
        """Sign a draft (or a folder that the training process wrote), put it in place at once and make it current; gives its version."""
        name, _version = self.keep(draft, created_at=created_at)
        return self.promote(name)

    def keep(self, draft: Draft | Path, *, created_at: datetime, facts: Mapping[str, Any] | None = None) -> tuple[str, str]:
        """Sign a draft with `facts` about it and keep it as the challenger, in place of an earlier one; gives name and version."""
        name = draft.name if isinstance(draft, Draft) else str(json.loads((draft / MANIFEST).read_text(encoding="utf-8"))["name"])
        folder = self._of(name)
        folder.mkdir(parents=True, exist_ok=True)
        staging = folder / f".staging-{os.getpid()}-{created_at:%Y%m%d%H%M%S%f}"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            if isinstance(draft, Draft):
                write_draft(staging, draft)
            else:
                shutil.copytree(draft, staging)
            manifest = json.loads((staging / MANIFEST).read_text(encoding="utf-8"))
            version = self._free(name, f"{created_at:%Y%m%d-%H%M%S}-{str(manifest['data_hash'])[:8]}")
            manifest |= {"version": version, "created_at": created_at.isoformat(), "replaces": self.current(name), **(facts or {})}
            unpack(name, self._file(name, staging, manifest, ARRAYS), manifest)
            data = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
            (staging / MANIFEST).write_bytes(data)
            (staging / _SIGNATURE).write_text(self._sign(data), encoding="ascii")
            (staging / "card.md").write_text(card(manifest), encoding="utf-8")
            shutil.rmtree(folder / _WAITING, ignore_errors=True)
            (folder / _WAITING).mkdir()
            staging.replace(folder / _WAITING / version)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        return name, version

    def challenger(self, name: str) -> str | None:
        """The version that was trained last and not published."""
        folder = self._of(name) / _WAITING
        return next((entry.name for entry in sorted(folder.iterdir(), reverse=True)), None) if folder.is_dir() else None

    def promote(self, name: str) -> str:
        """Publish the challenger and make it current; gives its version."""
        version = self.challenger(name)
        if version is None:
            raise ArtefactRefused(name, "there is no challenger")
        self.manifest(name, version)
        (self._of(name) / _WAITING / version).replace(self._of(name) / version)
        self.use(name, version)
        return version

    @contextlib.contextmanager
    def training(self) -> Iterator[bool]:
        """Whether this is the only training of the desk; nobody waits. The lock goes with the process, however that ends."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".training").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def use(self, name: str, version: str) -> None:
        """Point at a published version; readers see the old or the new one, nothing between."""
        if version not in self.versions(name):
            raise ArtefactRefused(f"{name}/{version}", "there is no such version")
        pointer = self._of(name) / _POINTER
        fresh = pointer.with_name(f".{_POINTER}-{os.getpid()}")
        fresh.write_text(version + "\n", encoding="utf-8")
        fresh.replace(pointer)

    def usable(self, name: str) -> list[dict[str, Any]]:
        """Manifests of the published versions, newest first, without those that are altered or of another format."""
        found = []
        for version in self.versions(name):
            with contextlib.suppress(ArtefactRefused):
                found.append(self.manifest(name, version))
        return found

    def before(self, name: str) -> str | None:
        """What a rollback returns to: the version that the current one replaced, or one before it where that is no longer usable."""
        now = self.current(name)
        if now not in self.versions(name):
            return None
        usable = {str(manifest["version"]): manifest for manifest in self.usable(name)}
        if now in usable:
            replaced: str | None = usable[now].get("replaces")
            if replaced is None or replaced in usable:
                return replaced
        return next((version for version in usable if version < now), None)

    def rollback(self, name: str) -> str:
        """Return to the version before the current one; gives that version."""
        earlier = self.before(name)
        if earlier is None:
            raise ArtefactRefused(name, "there is no earlier version")
        self.use(name, earlier)
        return earlier

    def load(self, name: str, *, encoder: bool = True) -> Loaded | None:
        """The current model, or the newest earlier one that is intact; None before the first training.

        Where no `encoder` runs, what only it can use is left out: 30 MB for the two models of the shipped preset.

        Raises `ArtefactRefused` when there are versions and none of them can be trusted.
        """
        versions = self.versions(name)
        now = self.current(name)
        order = [now, *(v for v in versions if v < now)] if now else versions
        refused: list[ArtefactRefused] = []
        for version in order:
            try:
                loaded = self.load_version(name, version, encoder=encoder)
            except ArtefactRefused as reason:
                refused.append(reason)
                continue
            return Loaded(name, version, loaded.model, loaded.thresholds, loaded.manifest, tuple(refused))
        if refused:
            raise refused[0]
        return None

    def load_version(self, name: str, version: str, *, encoder: bool = True) -> Loaded:
        """One version, after its signature and the hashes of its files were checked."""
        title, folder = f"{name}/{version}", self._place(name, version)
        manifest = self.manifest(name, version)
        model = unpack(title, self._file(title, folder, manifest, ARRAYS), manifest, encoder=encoder)
        return Loaded(name, version, model, Thresholds(**manifest["thresholds"]), manifest)

    def manifest(self, name: str, version: str) -> dict[str, Any]:
        """The checked manifest of a version, without loading its arrays."""
        title, folder = f"{name}/{version}", self._place(name, version)
        try:
            data = (folder / MANIFEST).read_bytes()
            signature = (folder / _SIGNATURE).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as missing:
            raise ArtefactRefused(title, "its manifest or signature is missing") from missing
        if not hmac.compare_digest(signature, self._sign(data)):
            raise ArtefactRefused(title, "its signature does not fit: altered, or signed with another key")
        manifest: dict[str, Any] = json.loads(data)
        if manifest.get("format") != FORMAT or manifest.get("name") != name or manifest.get("version") != version:
            raise ArtefactRefused(title, "it is another model or another format")
        return manifest

    def held(self, name: str, version: str) -> Held | None:
        """What a version said of texts that were held back from it; None where it was kept without."""
        manifest = self.manifest(name, version)
        if HELD not in manifest["files"]:
            return None
        return Held.read(self._file(f"{name}/{version}", self._place(name, version), manifest, HELD))

    def _place(self, name: str, version: str) -> Path:
        published = self._of(name) / version
        return self._of(name) / _WAITING / version if version == self.challenger(name) else published

    def _file(self, title: str, folder: Path, manifest: Mapping[str, Any], file: str) -> bytes:
        # Read once and hash what was read: a file swapped between check and load gains nothing.
        try:
            data = (folder / file).read_bytes()
        except OSError as missing:
            raise ArtefactRefused(title, f"its {file} is missing") from missing
        if hashlib.sha256(data).hexdigest() != manifest["files"][file]:
            raise ArtefactRefused(title, f"its {file} was altered")
        return data

    def _sign(self, data: bytes) -> str:
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()

    def _of(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ArtefactRefused(name, "this is not a model name")
        return self._folder / name

    def _free(self, name: str, wished: str) -> str:
        taken = set(self.versions(name))
        version, number = wished, 2
        while version in taken:
            version, number = f"{wished}-{number}", number + 1
        return version
