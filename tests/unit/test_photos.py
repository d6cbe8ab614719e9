"""Photos are written anew, upright and bare; what is none, or too much, is refused and holds nobody up."""

import os
import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from aftercart.lib import photo_child, photos
from aftercart.lib.photos import MOST_BYTES, DecodersBusy, PhotoRefused, write_anew
from tests.photos import make_bomb, make_phone_photo, make_photo

RED, BLUE = (254, 0, 0), (0, 0, 254)


def open_kept(data: bytes) -> Image.Image:
    picture = write_anew(data)
    image = Image.open(BytesIO(picture.data))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (picture.width, picture.height))
    return image


def test_nothing_is_kept_but_the_pixels_and_they_stand_upright() -> None:
    sent = make_phone_photo(orientation=6)
    assert b"Secretphone" in sent

    kept = write_anew(sent).data
    image = open_kept(sent)

    assert image.getexif() == {}
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not any(word in kept for word in (b"Secretphone", b"private", b"Exif"))
    assert image.size == (60, 80)  # turned to the right: what was left is above
    assert (image.getpixel((30, 5)), image.getpixel((30, 75))) == (RED, BLUE)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "P"), ("PNG", "RGBA"), ("PNG", "1"), ("PNG", "I;16"), ("PNG", "LA"), ("WEBP", "RGB"), ("JPEG", "CMYK")],
)  # fmt: skip
def test_every_kind_of_picture_that_phones_and_screens_make_is_taken(kind: str, mode: str) -> None:
    sent = make_photo(kind=kind, mode="L" if mode == "I;16" else mode)
    if mode == "I;16":
        output = BytesIO()
        Image.new("I;16", (80, 60), 40_000).save(output, "PNG")
        sent = output.getvalue()

    assert open_kept(sent).size == (80, 60)


def test_what_is_clear_becomes_white() -> None:
    output = BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(output, "PNG")

    assert open_kept(output.getvalue()).getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")])
def test_a_large_photo_becomes_small_within_the_memory_that_it_gets(kind: str, mode: str) -> None:
    sent = make_photo((6000, 4000), kind, mode=mode, quality=50, method=0, compress_level=1)
    assert open_kept(sent).size == (1600, 1067)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "photo_unreadable"),
        (b"GIF89a and no more", "photo_unreadable"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "photo_unreadable"),
        (make_photo(kind="GIF"), "photo_unreadable"),
        (make_photo(kind="TIFF"), "photo_unreadable"),
        (make_photo()[:300], "photo_unreadable"),
        (make_bomb(60_000, 60_000), "photo_too_many_pixels"),
        (make_bomb(6_000, 4_001), "photo_too_many_pixels"),
        (make_bomb(6_000, 4_000), "photo_unreadable"),  # within the limit, and not what it says
        (b"\xff\xd8" + b"x" * MOST_BYTES, "photo_too_large"),
    ],
    ids=["nothing", "no-gif", "svg", "gif", "tiff", "cut", "bomb", "just-above", "lie", "large"],
)  # fmt: skip
def test_what_is_no_photo_or_too_much_of_one_is_refused_and_it_is_said_why(sent: bytes, code: str) -> None:
    with pytest.raises(PhotoRefused) as refused:
        write_anew(sent)

    assert refused.value.code == code


def test_a_decoder_that_hangs_or_dies_is_ended_and_counts_as_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "_DEADLINE", 0.5)
    for code in ("import time; time.sleep(60)", "import os; os.abort()"):
        child = tmp_path / "child.py"
        child.write_text(code)
        monkeypatch.setattr(photo_child, "__file__", str(child))
        began = time.monotonic()
        with pytest.raises(PhotoRefused):
            write_anew(make_photo())
        assert time.monotonic() - began < 10


def test_a_decoder_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "of this shop")
    seen = tmp_path / "seen"
    child = tmp_path / "child.py"
    child.write_text(f"import os; open({str(seen)!r}, 'w').write(repr(sorted(os.environ))); print('1 1')")
    monkeypatch.setattr(photo_child, "__file__", str(child))

    write_anew(make_photo())

    assert "SECRET_KEY" in os.environ
    assert "SECRET_KEY" not in seen.read_text()


def test_few_photos_are_decoded_at_once_and_who_finds_no_place_hears_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photos, "_PATIENCE", 0.01)
    with photos._decoder(), photos._decoder(), pytest.raises(DecodersBusy):
        write_anew(make_photo())

    assert write_anew(make_photo()).width == 80
