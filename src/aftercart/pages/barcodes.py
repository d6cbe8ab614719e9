"""A return code as carriers scan it: QR code and Code 128, as one path of an SVG each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel

#: Modules of white around a code, which scanners need: 4 around a QR code, 10 beside Code 128.
_QR_QUIET: Final = 4
_BARS_QUIET: Final = 10
_BARS_HEIGHT: Final = 40


@dataclass(frozen=True, slots=True)
class Drawing:
    """One dark path in a box of `width` by `height` modules."""

    width: int
    height: int
    path: str


def draw_qr(text: str) -> Drawing:
    """Draw a QR code that survives a scratch of 15 %."""
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    size = len(code.modules) + 2 * _QR_QUIET
    runs = (
        f"M{start + _QR_QUIET} {row + _QR_QUIET}h{length}v1h-{length}z"
        for row, modules in enumerate(code.modules)
        for start, length in _find_runs(modules)
    )
    return Drawing(size, size, "".join(runs))


def draw_bars(text: str) -> Drawing | None:
    """Draw Code 128; None for a text that it cannot hold."""
    code = Code128(text)
    code.validate()
    if not code.valid:
        return None
    code.encode()
    code.decompose()
    at, bars = _BARS_QUIET, []
    for (
        element
    ) in code.decomposed:  # an upper-case letter is a bar, a lower-case one a space; A is one module wide
        width = ord(element.upper()) - ord("A") + 1
        if element.isupper():
            bars.append(f"M{at} 0h{width}v{_BARS_HEIGHT}h-{width}z")
        at += width
    return Drawing(at + _BARS_QUIET, _BARS_HEIGHT, "".join(bars))


def _find_runs(modules: Iterable[bool | None]) -> Iterator[tuple[int, int]]:
    """Find where dark modules of a row begin, and how many there are side by side."""
    start = None
    row = [*modules, False]
    for place, is_dark in enumerate(row):
        if is_dark and start is None:
            start = place
        elif not is_dark and start is not None:
            yield start, place - start
            start = None
