"""Mails that lie in files: single `.eml`, mbox, maildir, and folders of them, one after the other and never all in memory."""

import mailbox
import re
from collections.abc import Iterator
from pathlib import Path

_SUFFIXES = frozenset({".eml", ".emlx", ".msg822", ".mbox", ".mbx"})
_SNIFFED = 5
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)  # how an mbox keeps a line that would look like its next mail


def mails(path: Path) -> Iterator[tuple[str, bytes]]:
    """(where it lies, the mail as bytes) for every mail under `path`, in the order of the files. Raises `OSError` for what is not there."""
    if path.is_dir():
        if (path / "cur").is_dir() or (path / "new").is_dir():
            yield from _maildir(path)
            return
        for entry in sorted(path.iterdir()):
            if entry.name.startswith(".") and not (entry / "cur").is_dir():
                continue  # a hidden file; but maildir keeps its folders as ".Archive"
            if entry.is_dir() or entry.suffix.lower() in _SUFFIXES or _is_mbox(entry):
                yield from mails(entry)
        return
    if _is_mbox(path):
        yield from _mbox(path)
        return
    yield str(path), path.read_bytes()


def _maildir(path: Path) -> Iterator[tuple[str, bytes]]:
    for name in ("cur", "new"):
        folder = path / name
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry.is_file() and not entry.name.startswith("."):
                yield str(entry), entry.read_bytes()
    for entry in sorted(path.iterdir()):
        if entry.is_dir() and entry.name.startswith(".") and (entry / "cur").is_dir():
            yield from _maildir(entry)


def _mbox(path: Path) -> Iterator[tuple[str, bytes]]:
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.iterkeys(), 1):
            yield f"{path}#{number}", _ESCAPED.sub(rb"\1", box.get_bytes(key))
    finally:
        box.close()


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_SNIFFED) == b"From "
