"""The colours of the design system, read from the style sheet and measured: text of at least 4.5 to 1 in both schemes."""

import math
import re

import pytest

from gateway.web.assets import STATIC_FOLDER

TOKENS = re.compile(r"--([a-z-]+): light-dark\(oklch\(([^)]*)\), oklch\(([^)]*)\)\)")
TEXT_ON = {
    "text": (
        "background",
        "surface",
        "sunken",
        "raised",
        "hover",
        "accent-tint",
        "warning-tint",
        "danger-tint",
        "success-tint",
        "info-tint",
    ),
    "muted": ("background", "surface", "sunken", "raised", "hover", "accent-tint"),
    "accent": ("background", "surface", "accent-tint"),
    "on-accent": ("accent", "accent-strong"),
    **{meaning: ("background", "surface", f"{meaning}-tint") for meaning in ("danger", "warning", "success", "info")},
}


def luminance(oklch: str) -> float:
    """Relative luminance (WCAG) of an OKLCH colour, by Björn Ottosson's matrices."""
    lightness, chroma, hue = (
        (float(part) for part in oklch.split("/")[0].split()) if len(oklch.split("/")[0].split()) == 3 else (0.0, 0.0, 0.0)
    )
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    red, green, blue = (min(1.0, max(0.0, value)) for value in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def tokens() -> dict[str, tuple[float, float]]:
    css = (STATIC_FOLDER / "priyom.css").read_text()
    return {name: (luminance(light), luminance(dark)) for name, light, dark in TOKENS.findall(css)}


def ratio(one: float, other: float) -> float:
    lighter, darker = max(one, other), min(one, other)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [(text, ground) for text, grounds in TEXT_ON.items() for ground in grounds])
def test_text_can_be_read(text: str, ground: str, scheme: int) -> None:
    known = tokens()
    assert ratio(known[text][scheme], known[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_borders_of_controls_can_be_seen(scheme: int) -> None:
    known = tokens()
    for ground in ("background", "surface"):
        assert ratio(known["line-strong"][scheme], known[ground][scheme]) >= 3
