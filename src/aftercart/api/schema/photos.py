"""The operations about photos of what is returned: no part of the contract."""

from typing import Final

from drf_spectacular.utils import OpenApiParameter

from aftercart.api import serializers
from aftercart.api.schema import errors
from aftercart.api.schema.operation import CSRF_FAILED, UNAVAILABLE, operation
from aftercart.api.schema.texts import CANCELLATIONS
from aftercart.cancellations.document import ReturnPhoto
from aftercart.cancellations.models.photos import MOST_PHOTOS
from aftercart.lib.photos import MOST_BYTES, MOST_UPLOADED

_NUMBER: Final = OpenApiParameter("number", str, OpenApiParameter.PATH, description="The order's number.")
_UUID: Final = OpenApiParameter("uuid", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH)
_NOT_FOUND: Final = (errors.NotFound, "There is none, or it is somebody else's.")
_CODES: Final = {
    "no_name": "the file has no name",
    "photo_too_large": f"above {MOST_BYTES // 1024**2} MiB",
    "photo_too_many_pixels": "too many pixels to be decoded",
    "photo_unreadable": "no JPEG, PNG or WebP, or a broken one",
}


add_return_photo = operation(
    "add_return_photo",
    tag=CANCELLATIONS,
    summary="Add a photo to an open return",
    description=f"""\
Takes a photo of an item that is being returned, as a form of `multipart/form-data`, while the return is open: at most
{MOST_PHOTOS} of a line. It is written anew as a JPEG, upright, at most 1600 pixels wide or high, without any metadata.

The same photo sent again is the same photo: 200, and nothing is counted twice. A request's body has at most
{MOST_UPLOADED // 1024**2} MiB (413). What becomes of a photo never touches the return.
""",
    parameters=[_NUMBER],
    request=serializers.PhotoSerializer,
    media_type="multipart/form-data",
    answers={
        200: (ReturnPhoto, "This photo was there already."),
        201: (ReturnPhoto, "The photo is kept."),
        400: (
            errors.make_bad_request(
                "AddReturnPhotoBadRequest",
                errors.make_input_error("ReturnPhotoInputError", ("order_item", "photo"), _CODES),
                errors.Unreadable,
            ),
            "The input makes no sense, or is no photo that can be read.",
        ),
        404: _NOT_FOUND,
        409: (errors.PhotoRefused, "Nothing of the item is being returned, or it has enough photos."),
        415: (
            errors.UnsupportedMediaType,
            "The body is labelled as something else than multipart/form-data.",
        ),
        503: (
            UNAVAILABLE[0],
            "The database or the storage is away, or too much is being decoded. Try again.",
        ),
    },
    has_page=True,
)

list_return_photos = operation(
    "list_return_photos",
    tag=CANCELLATIONS,
    summary="List the photos of an order's returns",
    description="All that are kept, of all lines of the order.",
    parameters=[_NUMBER],
    answers={
        200: (ReturnPhoto(many=True), "The photos."),
        404: _NOT_FOUND,
    },
    has_page=True,
)

get_return_photo = operation(
    "get_return_photo",
    tag=CANCELLATIONS,
    summary="See a photo of a return",
    description="The JPEG. Errors are JSON.",
    parameters=[_NUMBER, _UUID],
    answers={
        404: _NOT_FOUND,
    },
    picture="The photo.",
    has_page=True,
)

remove_return_photo = operation(
    "remove_return_photo",
    tag=CANCELLATIONS,
    summary="Remove a photo of a return",
    description="While the return is open. Its place is free for another one then.",
    parameters=[_NUMBER, _UUID],
    answers={
        204: (None, "It is gone."),
        403: CSRF_FAILED,
        404: _NOT_FOUND,
        409: (errors.PhotoRefused, "The return has been decided: what was shown stays."),
    },
    has_page=True,
)
