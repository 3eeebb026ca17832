"""The rules for Python files. Each takes a source and its tree and gives findings."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.lint.findings import Finding, Source
from tests.lint.names import calls_in, dotted, imported_names

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

COMMITS = ("desk_core/kit/db.py", "desk_core/kit/sqlite_driver.py", "desk_core/migrations/")
CLOCK = "desk_core/kit/clock.py"

CLOCKS = {
    f"{module}.{name}"
    for module, known in {"datetime.datetime": ("now", "utcnow", "today"), "datetime.date": ("today",)}.items()
    for name in known
} | {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.asctime"}

NETWORK_LIBRARIES = {
    "aioboto3", "aiogram", "aiohttp", "aiosmtplib", "httpx", "httpx2", "imap_tools", "imaplib", "redis", "requests", "smtplib", "socket",
}  # fmt: skip
CHANNEL_CALLS = {"send", "fetch", "typing", "answer_press", "close_buttons"}
CHANNELS = ("channel", "adapter", "bot")
MODELS = ("tools", "triage", "encoder", "index")

IO_MODULES = {
    "aiosqlite", "asyncio", "asyncpg", "fastapi", "http", "httpx", "httpx2", "io", "logging", "os", "redis", "shutil", "smtplib", "socket",
    "sqlalchemy", "sqlite3", "starlette", "structlog", "subprocess", "tempfile", "threading", "urllib",
}  # fmt: skip
FILE_CALLS = {"read_text", "write_text", "read_bytes", "write_bytes", "unlink", "mkdir", "iterdir", "glob", "rglob"}

LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "bind", "msg"}
LOGGERS = {"log", "logger", "_log", "_logger", "logging"}
PERSONAL = {
    "text",
    "body",
    "subject",
    "name",
    "token",
    "password",
    "url",
    "email",
    "phone",
    "content",
    "message",
    "payload",
    "raw",
    "secret",
}


def commit_outside_unit(source: Source, tree: ast.Module) -> Iterator[Finding]:
    """Only the unit of work commits; everybody else leaves effects and work in one transaction."""
    if str(source.path).startswith(COMMITS):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield source.finding(node.lineno, "commit-outside-unit", "only the unit of work commits: `async with database.unit() as uow`")


def network_in_transaction(source: Source, tree: ast.Module) -> Iterator[Finding]:
    """A write transaction holds locks: no network, no model, no waiting inside. Read, decide, apply."""
    names = imported_names(tree)
    for body in _transactions(tree):
        for call in calls_in(body):
            if slow := _slow(call, names):
                yield source.finding(
                    call.lineno, "network-in-transaction", f"{slow} inside a write transaction; decide before it, or after_commit"
                )


def _transactions(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncWith) and any(
            isinstance(item.context_expr, ast.Call)
            and isinstance(item.context_expr.func, ast.Attribute)
            and item.context_expr.func.attr == "unit"
            for item in node.items
        ):
            yield node.body
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            if any(argument.arg == "uow" for argument in arguments):
                yield node.body


def _slow(call: ast.Call, names: dict[str, str]) -> str:
    """What is slow about this call, in words, or ""."""
    name = dotted(call.func, names)
    *receiver, called = name.split(".")
    last = receiver[-1].strip("_").lower() if receiver else ""
    if (receiver or [""])[0] in NETWORK_LIBRARIES or name.startswith("urllib.request."):
        return f"the network ({name})"
    if name == "asyncio.sleep":
        return "waiting (asyncio.sleep)"
    if called in CHANNEL_CALLS and last.endswith(CHANNELS):
        return f"a channel ({last}.{called})"
    if called == "publish" and last.endswith("signal"):
        return "a signal (use uow.after_commit)"
    if last in MODELS or name in {"nlu.dialogue.advance", "advance"} or name.endswith("dialogue.advance"):
        return f"the dialogue or a model ({name})"
    return ""


def clock(source: Source, tree: ast.Module) -> Iterator[Finding]:
    """Time comes in through a Clock; measuring a duration with perf_counter or monotonic is another matter."""
    if str(source.path) == CLOCK:
        return
    names = imported_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and dotted(node, names) in CLOCKS:
            yield source.finding(node.lineno, "clock", f"asks the machine for the time ({dotted(node, names)}); take `now` or a Clock")


@cache
def pure_modules() -> frozenset[str]:
    """The modules that decide without doing, as the import contract `pure` lists them."""
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    return frozenset(next(contract["source_modules"] for contract in contracts if contract["id"] == "pure"))


def pure_module(source: Source, tree: ast.Module) -> Iterator[Finding]:
    """Pure modules take data and return data: nothing to wait for, no files, no clocks, no logs."""
    if source.module not in pure_modules():
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncWith | ast.AsyncFor):
            yield source.finding(node.lineno, "pure-module", "waits for something")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in imported:
                if name.partition(".")[0] in IO_MODULES:
                    yield source.finding(node.lineno, "pure-module", f"imports {name}")
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in {"open", "print", "input"} or name.rpartition(".")[2] in FILE_CALLS:
                yield source.finding(node.lineno, "pure-module", f"does something ({name})")


def sql_fstring(source: Source, tree: ast.Module) -> Iterator[Finding]:
    """SQL is never put together from values; parameters and SQLAlchemy's expressions do that."""
    names = imported_names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = dotted(node.func, names)
        takes_sql = (name.startswith("sqlalchemy.") and name.endswith((".text", ".literal_column"))) or name.endswith(
            (".exec_driver_sql", "op.execute")
        )
        if takes_sql and _is_put_together(node.args[0]):
            yield source.finding(node.args[0].lineno, "sql-fstring", "SQL put together from values; use parameters")


def _is_put_together(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "join"}


def user_text_in_log(source: Source, tree: ast.Module) -> Iterator[Finding]:
    """Logs hold ids, counts and codes, never what people wrote, who they are, or secrets."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in LOG_METHODS:
            continue
        if dotted(node.func.value).rpartition(".")[2] not in LOGGERS:
            continue
        for keyword in node.keywords:
            if keyword.arg in PERSONAL:
                yield source.finding(keyword.value.lineno, "user-text-in-log", f"logs `{keyword.arg}`; log an id, a count or a code")
        if node.args and _is_put_together(node.args[0]):
            yield source.finding(node.lineno, "user-text-in-log", "the event is put together from values; name the fact, pass fields")
