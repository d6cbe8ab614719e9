"""Photos as phones and mischief send them."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

#: Degrees, minutes and seconds of a place that nobody else has to know.
GPS = {1: "N", 2: (41.0, 0.0, 30.0), 3: "E", 4: (29.0, 1.0, 12.0)}


def make_photo(
    size: tuple[int, int] = (80, 60), kind: str = "JPEG", *, mode: str = "RGB", shade: int = 0, **options: Any
) -> bytes:
    """Make a photo that is red on the left and blue on the right; each shade is another photo."""
    image = Image.new("RGB", size, (0, shade, 255))
    image.paste((255, shade, 0), (0, 0, size[0] // 2, size[1]))
    output = BytesIO()
    image.convert(mode).save(output, kind, **options)
    return output.getvalue()


def make_phone_photo(orientation: int = 6) -> bytes:
    """Make a photo that lies on its side and tells where it was taken, with what, and what it looked like."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Secretphone"
    exif.get_ifd(0x8825).update(GPS)
    return make_photo(exif=exif, comment=b"private words", icc_profile=b"a profile of Secretphone")


def make_bomb(width: int, height: int) -> bytes:
    """Make a PNG of few bytes that says that it has many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    row = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", row) + chunk(b"IEND", b"")
