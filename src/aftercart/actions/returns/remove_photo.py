"""Remove a photo from an open return: whoever has decided on a return has seen its photos, so they stay then."""

import logging
from uuid import UUID

from django.db import transaction

from aftercart.accounts.models import User
from aftercart.actions.returns.add_photo import NoOpenReturn
from aftercart.cancellations.models import ReturnPhoto, SubmissionLine
from aftercart.cancellations.models.photos import list_order_photos
from aftercart.lib.photos import get_storage, name_file
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.guests import Guest
from aftercart.orders.selectors import lock_order, owned_by

_logger = logging.getLogger(__name__)


def remove_photo(owner: User | Guest, number: str, uuid: UUID) -> SubmissionLine:
    """Remove a photo; return the line that it was of.

    Raises `OrderNotFound`, of a photo that is not there as well, and `NoOpenReturn`.
    """
    line = _remove_row(owner, number, uuid)
    try:
        get_storage().delete(name_file(uuid))
    except Exception:  # a file without a row is shown to nobody, and collected (`forget_photos`)
        _logger.exception("The file of a removed photo could not be deleted from its storage.")
    return line


@transaction.atomic(durable=True)
def _remove_row(owner: User | Guest, number: str, uuid: UUID) -> SubmissionLine:
    order = lock_order(number=number, **owned_by(owner))
    photo = list_order_photos(order).select_related("line__submission").filter(uuid=uuid).first()
    if photo is None:
        raise OrderNotFound
    if not photo.line.is_open:
        raise NoOpenReturn
    _delete(photo)
    return photo.line


def _delete(photo: ReturnPhoto) -> None:
    photo.delete()
