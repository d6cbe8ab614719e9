"""How to get the documented answers of photos of returns."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, encode_multipart

from aftercart.cancellations.models import SubmissionLine
from tests.http.schema_scenarios import PHOTOS, add, show
from tests.http.schema_world import MUG, NO_PHOTO, World
from tests.photos import make_photo

ADDS = "add_return_photo"


def _return_mug(world: World) -> None:
    item = {"order_item": MUG, "reason": 8, "cancellation_type": "refund"}
    world.call("request_cancellation", item)


def _write(photo: bytes, item: object = MUG) -> bytes:
    return encode_multipart(BOUNDARY, {"order_item": item, "photo": SimpleUploadedFile("a.jpg", photo)})


def _add(world: World, photo: bytes, item: object = MUG) -> Any:
    """Add a photo, as a program does: the address is a page's, too."""
    return world.call(ADDS, _write(photo, item), headers={"accept": "application/json"})


@show(ADDS, 201, "kept", "The photo is kept")
def _(world: World) -> Any:
    _return_mug(world)
    return _add(world, make_photo())


@show(ADDS, 200, "again", "The same photo again")
def _(world: World) -> Any:
    _return_mug(world)
    _add(world, make_photo())
    return _add(world, make_photo())


@show(ADDS, 400, "input", "No photo, and no item")
def _(world: World) -> Any:
    return world.call(ADDS, encode_multipart(BOUNDARY, {"order_item": "mug"}))


@show(ADDS, 400, "unreadable", "A file that is no photo")
def _(world: World) -> Any:
    _return_mug(world)
    return _add(world, b"a letter")


@show(ADDS, 400, "broken", "A form without an end")
def _(world: World) -> Any:
    return world.call(ADDS, b"--", content_type="multipart/form-data")


@show(ADDS, 409, "full", "The item has five photos")
def _(world: World) -> Any:
    _return_mug(world)
    for shade in range(5):
        _add(world, make_photo(shade=shade))
    return _add(world, make_photo(shade=5))


@show(ADDS, 409, "decided", "The return has been decided")
def _(world: World) -> Any:
    _return_mug(world)
    SubmissionLine.objects.update(is_open=False, outcome="rejected")
    return _add(world, make_photo())


@show(ADDS, 415, "json", "The body is JSON")
def _(world: World) -> Any:
    return world.call(ADDS, {"order_item": MUG})


@show("list_return_photos", 200, "photos", "A photo of a returned mug")
def _(world: World) -> Any:
    _return_mug(world)
    _add(world, make_photo())
    return world.call("list_return_photos")


@show("get_return_photo", 200, "photo", "The photo")
def _(world: World) -> Any:
    _return_mug(world)
    url = _add(world, make_photo()).json()["url"]
    return world.call("get_return_photo", path=url)


@show("remove_return_photo", 204, "removed", "The photo is gone")
def _(world: World) -> Any:
    _return_mug(world)
    url = _add(world, make_photo()).json()["url"]
    return world.call("remove_return_photo", path=url)


@show("remove_return_photo", 409, "decided", "The return has been decided")
def _(world: World) -> Any:
    _return_mug(world)
    url = _add(world, make_photo()).json()["url"]
    SubmissionLine.objects.update(is_open=False, outcome="rejected")
    return world.call("remove_return_photo", path=url)


def _call_foreign(world: World, operation_id: str) -> Any:
    one = f"{NO_PHOTO}/" if operation_id in {"get_return_photo", "remove_return_photo"} else ""
    return world.log_in().call(operation_id, path=f"/orders/{world.guests.number}/cancel/photos/{one}")


add(PHOTOS, 404, "foreign", "An order of somebody else's, or none", _call_foreign)
