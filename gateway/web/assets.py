"""Static files under `/static/`, each address with a piece of its content's hash, so that browsers may keep them for ever."""

import hashlib
import os
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_FOLDER = Path(__file__).resolve().parent.parent / "console" / "static"
PREFIX = "/static"
A_YEAR = 365 * 24 * 3600


class Assets:
    """Addresses of our own files: `assets.url("priyom.css")` gives `/static/priyom.css?v=1f2e3d4c`."""

    def __init__(self, folder: Path = STATIC_FOLDER) -> None:
        self.folder = folder
        self._versions: dict[str, tuple[float, str]] = {}

    def url(self, name: str) -> str:
        path = self.folder / name
        changed = path.stat().st_mtime
        known = self._versions.get(name)
        if known is None or known[0] != changed:
            known = self._versions[name] = (changed, hashlib.sha256(path.read_bytes()).hexdigest()[:8])
        return f"{PREFIX}/{name}?v={known[1]}"


class LastingFiles(StaticFiles):
    """Static files that may be cached for a year when their address carries a version."""

    def file_response(
        self, full_path: "str | os.PathLike[str]", stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        lasting = b"v=" in scope.get("query_string", b"")
        response.headers["cache-control"] = f"public, max-age={A_YEAR}, immutable" if lasting else "public, max-age=300"
        return response
