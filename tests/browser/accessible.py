"""axe-core in a page: what it calls serious or critical, in words a developer can act on."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
GRAVE = ("serious", "critical")
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@cache
def _source() -> str:
    return AXE.read_text(encoding="utf-8")


async def grave_findings(page: Page, *, rules: tuple[str, ...] = ()) -> list[str]:
    """Every serious or critical finding on the page as it is now; with `rules` only of these."""
    if not await page.evaluate("'axe' in window"):
        # Through the debugging protocol: the pages' own policy lets no foreign script in, and stays as it is.
        await page.evaluate(_source())
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": list(TAGS)}
    result: dict[str, Any] = await page.evaluate("(only) => axe.run(document, { runOnly: only, resultTypes: ['violations'] })", only)
    return [
        f"{found['id']} ({found['impact']}): {found['help']}\n    {node['html'][:200]}\n    {_line(node.get('failureSummary'))}"
        for found in result["violations"]
        if found["impact"] in GRAVE
        for node in found["nodes"]
    ]


def _line(text: str | None) -> str:
    return " ".join((text or "").split())
