"""The theme's colours can be read: WCAG 2.2 AA, in light and in dark."""

import re
from pathlib import Path

import pytest

import aftercart.pages

BERRY = Path(__file__).parents[2] / "docs" / "brands" / "berry" / "theme.css"
CSS = Path(aftercart.pages.__file__).parent / "static" / "pages" / "aftercart.css"
TEXT, EDGE = 4.5, 3.0
PAIRS = [
    *(
        (ink, ground, TEXT)
        for ink in ("ink", "soft", "brand", "brand-strong")
        for ground in ("paper", "sheet")
    ),
    *((ink, "tint", TEXT) for ink in ("ink", "soft", "brand")),
    *((tone, f"{tone}-tint", TEXT) for tone in ("good", "info", "warn", "quiet", "wrong")),
    ("ink", "quiet-tint", TEXT),
    ("wrong", "sheet", TEXT),
    ("on-brand", "brand", TEXT),
    ("on-brand", "brand-strong", TEXT),
    *((edge, ground, EDGE) for edge in ("edge", "focus", "brand") for ground in ("paper", "sheet")),
]


def read_theme(scheme: str, *files: Path) -> dict[str, str]:
    """Read the colours of a scheme as a browser does: what comes later goes, and the light ones hold in the dark."""
    colours: dict[str, str] = {}
    for file in files:
        blocks = re.findall(r":root \{(.*?)\}", file.read_text(), re.DOTALL)
        for block in blocks[: 2 if scheme == "dark" else 1]:
            colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return colours


def shine(colour: str) -> float:
    """Give the relative luminance of WCAG."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("files", [(CSS,), (CSS, BERRY)], ids=["ours", "berry"])
def test_contrast_is_enough(scheme: str, files: tuple[Path, ...]) -> None:
    theme = read_theme(scheme, *files)
    for ink, ground, wanted in PAIRS:
        bright, dim = sorted((shine(theme[ink]), shine(theme[ground])), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= wanted, (scheme, ink, ground)


def test_the_style_sheet_and_the_pictures_stay_small() -> None:
    assert CSS.stat().st_size < 30_000
    pictures = list((CSS.parent / "products").glob("*.svg"))
    assert {picture.stem for picture in pictures} >= {
        "shirt", "shoe", "bag", "lamp", "mug", "headphones", "dress", "jacket", "toy", "book", "fallback",
    }  # fmt: skip
    assert all(picture.stat().st_size < 2000 for picture in pictures)
