"""Names in a syntax tree: what a call calls, by its full dotted name where imports tell it."""

import ast
from collections.abc import Iterator


def imported_names(tree: ast.AST) -> dict[str, str]:
    """Local name -> what it stands for: `from datetime import datetime as dt` gives {"dt": "datetime.datetime"}."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str] | None = None) -> str:
    """`a.b.c` as text, its first part resolved through `names`; "" for what is no plain name. Calls inside are passed through."""
    if isinstance(node, ast.Name):
        return (names or {}).get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        left = dotted(node.value, names)
        return f"{left}.{node.attr}" if left else node.attr
    if isinstance(node, ast.Call):
        return dotted(node.func, names)
    return ""


def calls_in(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """Every call these statements make themselves; functions and lambdas defined inside run at another time and are left out."""
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))
