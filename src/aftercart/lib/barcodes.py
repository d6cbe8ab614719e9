"""A return code as carriers scan it: QR code and Code 128, as one path of an SVG each; for e-mails a PNG."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import segno

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
    modules_by_row = _make_qr(text).matrix
    size = len(modules_by_row) + 2 * _QR_QUIET
    runs = (
        f"M{start + _QR_QUIET} {row + _QR_QUIET}h{length}v1h-{length}z"
        for row, modules in enumerate(modules_by_row)
        for start, length in _find_runs(modules)
    )
    return Drawing(size, size, "".join(runs))


def write_qr(text: str) -> bytes:
    """Write a QR code as a PNG: dark on white, eight pixels a module."""
    png = BytesIO()
    _make_qr(text).save(png, kind="png", scale=8, border=_QR_QUIET)
    return png.getvalue()


def _make_qr(text: str) -> "segno.QRCode":
    import segno  # not with the module: a tenth of what each process takes to start, and few draw a code

    return segno.make_qr(text, error="m", boost_error=False)


def draw_bars(text: str) -> Drawing | None:
    """Draw Code 128; None for a text that it cannot hold."""
    from reportlab.graphics.barcode.code128 import Code128  # late, as segno is

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


def _find_runs(modules: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Find where dark modules of a row begin, and how many there are side by side."""
    start = None
    row = [*modules, False]
    for place, is_dark in enumerate(row):
        if is_dark and start is None:
            start = place
        elif not is_dark and start is not None:
            yield start, place - start
            start = None
