"""A program: reads a photo from its input, and writes it anew to its output, within limits of its own.

It is started for one photo by lib/photos.py, knows nothing of Aftercart, and has no secret in its environment. What a
decoder does with a picture that was made to harm, it does here: it takes the time and the memory of this process.
"""

import resource
import sys
from contextlib import suppress
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

#: Pixels of a photo: those of the largest sensors of phones. A JPEG is decoded at a fraction of them, others whole.
MOST_PIXELS: Final = {"JPEG": 64_000_000, "MPO": 64_000_000, "PNG": 24_000_000, "WEBP": 24_000_000}
#: The longer side of what is kept.
EDGE: Final = 1600
#: Seconds of a processor, and bytes of memory.
SECONDS: Final = 10
MEMORY: Final = 640 * 1024**2
#: How it ends: with a photo, or because of what was sent.
DONE, UNREADABLE, TOO_MANY_PIXELS = 0, 2, 3
_FORMATS: Final = ("JPEG", "PNG", "WEBP")


def write_anew(data: bytes) -> bytes:
    """Return a photo as a JPEG of its pixels alone, upright, after a line with its size. Raises what Pillow does."""
    image: Image.Image = Image.open(BytesIO(data), formats=_FORMATS)
    if (
        image.width * image.height > MOST_PIXELS[str(image.format)]
    ):  # known from its head: nothing has been decoded
        sys.exit(TOO_MANY_PIXELS)
    image.draft("RGB", (EDGE, EDGE))  # a JPEG is decoded no larger than that needs
    if image.mode not in {"RGB", "RGBA", "L"}:
        image = image.convert("RGBA")
    image.thumbnail((EDGE, EDGE))
    image = ImageOps.exif_transpose(image).convert("RGBA")
    upright = Image.new("RGB", image.size, "white")
    upright.paste(image, mask=image)
    output = BytesIO()
    upright.save(output, "JPEG", quality=80, optimize=True)
    return b"%d %d\n" % upright.size + output.getvalue()


def main() -> None:
    """Do it once."""
    for limit, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY)):
        with suppress(OSError, ValueError):  # not every system has each of them
            resource.setrlimit(limit, (most, most))
    Image.MAX_IMAGE_PIXELS = None  # ours is the limit
    try:
        written = write_anew(sys.stdin.buffer.read())
    except Exception:  # noqa: BLE001 - Pillow raises what its decoders do: it is the picture
        sys.exit(UNREADABLE)
    sys.stdout.buffer.write(written)


if __name__ == "__main__":
    main()
