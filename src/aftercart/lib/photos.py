"""Photos that customers send: decoded apart and within limits, written anew without metadata, kept, and served.

Where they are kept is Django's storage `photos`. A name is a random uuid and tells nothing.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import models
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from aftercart.lib import photo_child
from aftercart.lib.places import lending_place

_logger = logging.getLogger(__name__)
#: Bytes of one photo as it is sent, and of one request that brings some.
MOST_BYTES: Final = 15 * 1024 * 1024
MOST_UPLOADED: Final = 32 * 1024 * 1024
#: What the path of such a request ends with: the front reads its body by limits of their own.
UPLOAD_PATH: Final = "/cancel/photos/"
#: Photos that one process has decoded at once, and seconds that the next waits for a place.
_AT_ONCE: Final = 2
_PATIENCE: Final = 10.0
#: Seconds after which a decoder is killed, whatever it waits for.
_DEADLINE: Final = photo_child.SECONDS + 5
_decoders = threading.BoundedSemaphore(_AT_ONCE)


class PhotoRefused(Exception):
    """What was sent is no photo that is taken; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DecodersBusy(Exception):
    """Too many photos are being decoded: worth another try."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo as it is kept: a JPEG, and its size."""

    data: bytes
    width: int
    height: int


def write_anew(data: bytes) -> Picture:
    """Decode a photo and write it anew, upright and without metadata. Raises `PhotoRefused`, `DecodersBusy`.

    The thread that waits for it holds no place and no database connection.
    """
    if not data:
        raise PhotoRefused("photo_unreadable")
    if len(data) > MOST_BYTES:
        raise PhotoRefused("photo_too_large")
    with lending_place(), _decoder():
        written = _run_child(data)
    head, _, picture = written.partition(b"\n")
    width, height = map(int, head.split())
    return Picture(picture, width, height)


@contextmanager
def _decoder() -> Iterator[None]:
    if not _decoders.acquire(timeout=_PATIENCE):
        raise DecodersBusy
    try:
        yield
    finally:
        _decoders.release()


def _run_child(data: bytes) -> bytes:
    command = [sys.executable, "-I", photo_child.__file__]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command, input=data, capture_output=True, env={}, timeout=_DEADLINE, check=False
        )
    except subprocess.TimeoutExpired:
        raise PhotoRefused("photo_unreadable") from None
    if done.returncode == photo_child.TOO_MANY_PIXELS:
        raise PhotoRefused("photo_too_many_pixels")
    if done.returncode != photo_child.DONE:  # it may also have been killed, by a limit or by its decoder
        raise PhotoRefused("photo_unreadable")
    return done.stdout


def get_storage() -> Storage:
    """Return where photos are kept."""
    return storages["photos"]


def name_file(uuid: UUID) -> str:
    """Name a photo's file."""
    return f"{uuid.hex}.jpg"


def keep_file(uuid: UUID, picture: Picture) -> None:
    """Write a photo's file, or write it once more. Raises whatever the storage does."""
    get_storage().save(name_file(uuid), ContentFile(picture.data))


def serve_photo(photos: models.QuerySet[Any], uuid: UUID) -> HttpResponse:
    """Answer with one of these photos: nothing but a picture, whatever a browser may make of it.

    Raises Http404 if it is none of them or its file is gone. A storage that is away is 503: what it raises then is
    its own.
    """
    if not photos.filter(uuid=uuid).exists():
        raise Http404
    try:
        with get_storage().open(name_file(uuid)) as file:
            data = file.read()
    except FileNotFoundError:
        raise Http404 from None
    except Exception:
        _logger.exception("A photo could not be read from its storage.")
        body = {
            "detail": _("We are briefly unavailable. Please try again in a moment."),
            "code": "unavailable",
        }
        return JsonResponse(body, status=503, headers={"Retry-After": "5"})
    headers = {
        "Content-Disposition": f'inline; filename="{name_file(uuid)}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return HttpResponse(data, content_type="image/jpeg", headers=headers)
