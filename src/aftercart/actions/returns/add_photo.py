"""Add a photo to an open return: what the same upload does again, it has done once.

The row comes before the file, and what is written in between is collected (`forget_photos`).
"""

import hashlib
import logging

from django.db import transaction
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from aftercart.accounts.models import User
from aftercart.cancellations.models import ReturnPhoto, SubmissionLine
from aftercart.cancellations.models.photos import MOST_PHOTOS
from aftercart.lib.photos import (
    MOST_BYTES,
    DecodersBusy,
    PhotoRefused,
    Picture,
    get_storage,
    keep_file,
    name_file,
    write_anew,
)
from aftercart.orders.errors import ActionError, Conflict, InputInvalid, say_unknown
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order
from aftercart.orders.selectors import get_order, lock_order, owned_by

_logger = logging.getLogger(__name__)
_SENTENCES: dict[str, str | Promise] = {
    "photo_unreadable": _("We couldn't open this file as a photo. Please send it as JPEG, PNG or WebP."),
    "photo_too_large": _("This photo is too large. The limit is %(most)s MB."),
    "photo_too_many_pixels": _("The resolution of this photo is too high. Please send a smaller one."),
}


class NoOpenReturn(Conflict):
    """Nothing of the item is being returned, or it has been decided."""

    code = "no_open_return"
    sentence = _(
        "You can add photos only while the return is open. This one has been decided, or there is none."
    )


class PhotosFull(Conflict):
    """The line has as many photos as it may have."""

    code = "photos_full"
    sentence = _("This item already has five photos, so no more can be added.")


class PhotoNotKept(ActionError):
    """Nothing is wrong with the photo, and it could not be kept now."""

    status = 503
    code = "unavailable"
    sentence = _("We couldn't keep this photo just now. Please send it again in a moment.")

    def headers(self) -> dict[str, str]:
        """Say when it is worth another try."""
        return {"Retry-After": "5"}


def add_photo(owner: User | Guest, number: str, order_item: int, data: bytes) -> tuple[ReturnPhoto, bool]:
    """Add a photo to the open return of an item; return it, and whether it is new.

    Raises `OrderNotFound`, `InputInvalid`, `NoOpenReturn`, `PhotosFull`, `PhotoNotKept`. Nothing is decoded for who may
    not add it.
    """
    line = get_open_return(get_order(owner, number=number), order_item)
    digest = hashlib.sha256(data).hexdigest()
    photos = list(line.photos.all())
    known = next((photo for photo in photos if photo.digest == digest), None)
    if known is not None and known.stored_at is not None:
        return known, False
    if known is None and len(photos) >= MOST_PHOTOS:
        raise PhotosFull
    picture = _decode(data)
    photo, is_new = _take_place(owner, number, order_item, digest, picture)
    if photo.stored_at is None:
        _store(photo, picture)
    return photo, is_new


def get_open_return(order: Order, order_item: int) -> SubmissionLine:
    """Find the line by which an item of an order is being returned. Raises `InputInvalid`, `NoOpenReturn`."""
    if not order.items.filter(pk=order_item).exists():
        raise InputInvalid({"order_item": [say_unknown(order_item)]})
    line = SubmissionLine.objects.filter(
        order_item=order_item, submission__order=order, is_open=True, cancellation_type="refund"
    ).first()
    if line is None:
        raise NoOpenReturn
    return line


def _decode(data: bytes) -> Picture:
    try:
        return write_anew(data)
    except PhotoRefused as refused:
        sentence = str(_SENTENCES[refused.code]) % {"most": MOST_BYTES // 1024**2}
        raise InputInvalid({"photo": [sentence]}, refused.code) from None
    except DecodersBusy:
        raise PhotoNotKept from None


@transaction.atomic(durable=True)
def _take_place(
    owner: User | Guest, number: str, order_item: int, digest: str, picture: Picture
) -> tuple[ReturnPhoto, bool]:
    """Record that a photo is coming, in the first place of its line that is free."""
    line = get_open_return(lock_order(number=number, **owned_by(owner)), order_item)
    photos = list(line.photos.all())
    known = next((photo for photo in photos if photo.digest == digest), None)
    if known is not None:
        return known, False
    free = sorted(set(range(1, MOST_PHOTOS + 1)) - {photo.place for photo in photos})
    if not free:
        raise PhotosFull
    return _record(line, free[0], digest, picture), True


def _record(line: SubmissionLine, place: int, digest: str, picture: Picture) -> ReturnPhoto:
    return ReturnPhoto.objects.create(
        line=line, place=place, digest=digest, width=picture.width, height=picture.height
    )


def _store(photo: ReturnPhoto, picture: Picture) -> None:
    """Write the file, outside of any transaction, and show the photo from then on. Raises `PhotoNotKept`."""
    this = ReturnPhoto.objects.filter(pk=photo.pk)
    try:
        keep_file(photo.uuid, picture)
    except Exception as error:
        _logger.exception("A photo could not be written to its storage.")
        this.filter(stored_at=None).delete()
        raise PhotoNotKept from error
    if not this.update(stored_at=Now()):  # collected meanwhile, by who took us for dead
        get_storage().delete(name_file(photo.uuid))
        raise PhotoNotKept
