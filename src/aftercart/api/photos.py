"""Photos of what is returned: uploaded one at a time, listed, and read by whose order it is."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.actions.returns.add_photo import add_photo
from aftercart.actions.returns.remove_photo import remove_photo
from aftercart.api.authentication import get_user
from aftercart.api.schema import photos as schema
from aftercart.api.serializers import PhotoSerializer, read_valid
from aftercart.cancellations.document import photo_document
from aftercart.cancellations.models.photos import list_order_photos
from aftercart.lib.photos import MOST_BYTES, serve_photo
from aftercart.orders.selectors import get_order


class ReturnPhotos(APIView):
    """`/orders/{order number}/cancel/photos/`."""

    parser_classes = (MultiPartParser,)

    @schema.list_return_photos
    def get(self, request: Request, number: str) -> Response:
        """List the photos of an order's returns."""
        order = get_order(get_user(request), number=number)
        return Response([photo_document(photo, number) for photo in list_order_photos(order)])

    @schema.add_return_photo
    def post(self, request: Request, number: str) -> Response:
        """Add a photo to the open return of an item: 201, or 200 where it was there."""
        user = get_user(request)
        data = read_valid(PhotoSerializer, request.data).validated_data
        photo, is_new = add_photo(user, number, data["order_item"], data["photo"].read(MOST_BYTES + 1))
        return Response(photo_document(photo, number), status=201 if is_new else 200)


class ReturnPhotoFile(APIView):
    """`/orders/{order number}/cancel/photos/{uuid}/`."""

    @schema.get_return_photo
    def get(self, request: Request, number: str, uuid: UUID) -> HttpResponse:
        """Give a photo as it is kept, a JPEG."""
        order = get_order(get_user(request), number=number)
        return serve_photo(list_order_photos(order), uuid)

    @schema.remove_return_photo
    def delete(self, request: Request, number: str, uuid: UUID) -> Response:
        """Remove a photo from an open return: 204."""
        remove_photo(get_user(request), number, uuid)
        return Response(status=204)
