"""Photos of a return by the API: taken, listed, removed, and what is left when the storage is away."""

import json
from pathlib import Path
from unittest import mock
from uuid import uuid4

import pytest
from django.test import Client

from aftercart.actions.returns.forget_photos import forget_photos
from aftercart.cancellations.models import CancellationRequest, ReturnPhoto, SubmissionLine
from tests.http.conftest import Api
from tests.http.forms import read
from tests.http.return_photos.steps import (
    delete,
    enter,
    name_page,
    name_upload,
    send,
    write,
)
from tests.photos import make_phone_photo, make_photo
from tests.shop import Shop, make_customer, make_order

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_api_takes_reads_and_lists_photos(api: Api, shop: Shop) -> None:
    answer = write(api, shop, make_phone_photo())
    again = write(api, shop, make_phone_photo())

    assert (answer.status_code, again.status_code) == (201, 200)
    document = answer.json()
    photo = ReturnPhoto.objects.get()
    assert document == again.json()
    assert {name: document[name] for name in ("uuid", "order_item", "url", "width", "height")} == {
        "uuid": str(photo.uuid),
        "order_item": shop.items[0].pk,
        "url": f"{name_upload(shop)}{photo.uuid}/",
        "width": 60,
        "height": 80,
    }
    assert api.get(name_upload(shop)).json() == [document]
    assert api.get(document["url"]).content[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("data", "item", "status", "field", "code"),
    [
        (b"no photo", None, 400, "photo", "photo_unreadable"),
        (b"", None, 400, "photo", "empty"),
        (b"x", "nothing", 400, "order_item", "invalid"),
        (b"x", 999_999, 400, "order_item", "invalid"),
        (b"x", 2, 409, "detail", "no_open_return"),
    ],
)
def test_the_api_says_what_is_wrong(
    api: Api, shop: Shop, data: bytes, item: object, status: int, field: str, code: str
) -> None:
    answer = write(api, shop, data, item=shop.items[1].pk if item == 2 else item)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert field in answer.json()
    assert not ReturnPhoto.objects.exists()


def test_a_body_that_is_no_form_is_refused(api: Api, shop: Shop) -> None:
    for content_type, body, status in (
        ("application/json", json.dumps({"order_item": 1}), 415),
        ("multipart/form-data", "no boundary", 400),
        ("multipart/form-data; boundary=x", "--x\r\nbroken", 400),
    ):
        answer = api.client.post(
            f"{name_upload(shop)}?format=json", body, content_type=content_type, headers=api._headers(None)
        )
        assert answer.status_code == status, content_type


def test_nobody_reaches_anothers_photos_or_can_tell_whether_there_are_any(api: Api, shop: Shop) -> None:
    document = write(api, shop, make_photo()).json()
    stranger = Api().log_in(make_customer())
    nowhere = f"/orders/NOTHING/cancel/photos/{uuid4()}/"

    for path in (document["url"], f"{name_upload(shop)}{uuid4()}/", nowhere, name_upload(shop)):
        found = stranger.get(path)
        assert (found.status_code, found.json()) == (404, {"detail": "Not found.", "code": "not_found"}), path
        assert Client().get(path, headers={"accept": "application/json"}).status_code == 401
    sent = write(stranger, shop, make_photo(shade=9))
    assert (sent.status_code, sent.json()) == (404, {"detail": "Not found.", "code": "not_found"})
    assert ReturnPhoto.objects.count() == 1
    own = make_order(shop.user)
    assert api.get(f"/orders/{own.number}/cancel/photos/{document['uuid']}/").status_code == 404


def test_a_photo_is_removed_and_its_place_is_free_again(api: Api, shop: Shop, photo_folder: Path) -> None:
    documents = [write(api, shop, make_photo(shade=shade)).json() for shade in range(5)]
    assert write(api, shop, make_photo(shade=5)).status_code == 409

    removed = delete(api, documents[2]["url"])

    assert (removed.status_code, removed.content) == (204, b"")
    assert delete(api, documents[2]["url"]).status_code == 404
    assert [photo["uuid"] for photo in api.get(name_upload(shop)).json()] == [
        documents[place]["uuid"] for place in (0, 1, 3, 4)
    ]
    assert len(list(photo_folder.iterdir())) == 4
    assert write(api, shop, make_photo(shade=5)).status_code == 201


def test_the_page_removes_a_photo_and_a_second_click_leads_to_the_order(shop: Shop) -> None:
    client = enter(shop)
    send(client, shop, make_photo(), make_photo(shade=9))
    [first, _second] = read(client.get(name_page(shop))).select("#photos li form")
    button = first.select_one("button")
    assert button is not None
    assert (button.get_text(), button["aria-label"]) == ("Remove", "Remove photo 1 of Shirt")

    answers = [client.post(str(first["action"]), headers={"accept": "text/html"}) for _ in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (303, f"{name_page(shop)}#photos"),
        (303, f"/users/orders/{shop.order.pk}/"),
    ]
    assert len(read(client.get(name_page(shop))).select("#photos img")) == 1


def test_what_was_decided_on_with_a_photo_keeps_it(api: Api, shop: Shop) -> None:
    url = write(api, shop, make_photo()).json()["url"]
    SubmissionLine.objects.update(is_open=False, outcome="rejected")

    refused = delete(api, url)

    assert (refused.status_code, refused.json()["code"]) == (409, "no_open_return")
    assert api.get(url).status_code == 200


def test_nobody_removes_anothers_photo(api: Api, shop: Shop) -> None:
    url = write(api, shop, make_photo()).json()["url"]
    own = make_order(shop.user)

    strangers = [
        delete(Api().log_in(make_customer()), url),
        delete(api, url.replace(shop.order.number, own.number)),
        delete(api, url, **{"x-csrftoken": "wrong"}),
        delete(Api(), url),
    ]

    assert [answer.status_code for answer in strangers] == [404, 404, 403, 401]
    assert ReturnPhoto.objects.count() == 1


def test_a_storage_that_is_away_keeps_no_removed_photo(api: Api, shop: Shop, photo_folder: Path) -> None:
    url = write(api, shop, make_photo()).json()["url"]

    with mock.patch("django.core.files.storage.FileSystemStorage.delete", side_effect=OSError("away")):
        assert delete(api, url).status_code == 204
    assert api.get(url).status_code == 404
    forget_photos()
    assert list(photo_folder.iterdir()) == []


def test_a_photo_needs_a_token(api: Api, shop: Shop) -> None:
    assert write(api, shop, make_photo(), **{"x-csrftoken": "wrong"}).status_code == 403
    assert not ReturnPhoto.objects.exists()


def test_a_storage_that_fails_costs_the_photo_and_nothing_else(api: Api, shop: Shop) -> None:
    with mock.patch("aftercart.actions.returns.add_photo.keep_file", side_effect=OSError("disk full")):
        answer = write(api, shop, make_photo())

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "unavailable", "5")
    assert not ReturnPhoto.objects.exists()
    assert CancellationRequest.objects.get().status == "waiting"
    assert write(api, shop, make_photo()).status_code == 201


def test_what_a_dead_process_has_left_is_finished_by_the_same_upload(
    api: Api, shop: Shop, photo_folder: Path
) -> None:
    write(api, shop, make_photo())
    ReturnPhoto.objects.update(stored_at=None)
    for file in photo_folder.iterdir():
        file.unlink()
    assert api.get(name_upload(shop)).json() == []

    assert write(api, shop, make_photo()).status_code == 200
    assert len(api.get(name_upload(shop)).json()) == 1
    assert len(list(photo_folder.iterdir())) == 1


def test_a_photo_whose_file_is_gone_is_not_found(api: Api, shop: Shop, photo_folder: Path) -> None:
    document = write(api, shop, make_photo()).json()
    for file in photo_folder.iterdir():
        file.unlink()

    assert api.get(document["url"]).status_code == 404
    assert api.client.get(document["url"], headers={"accept": "image/*,*/*;q=0.8"}).status_code == 404


def test_a_storage_that_is_away_costs_the_picture_and_no_500(
    api: Api, shop: Shop, photo_folder: Path
) -> None:
    document = write(api, shop, make_photo()).json()
    photo_folder.rename(photo_folder.with_suffix(".away"))
    photo_folder.write_text("no folder")

    for client, accept in ((api.client, "application/json"), (enter(shop), "image/*,*/*;q=0.8")):
        answer = client.get(document["url"], headers={"accept": accept})
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "unavailable", "5")
    answer = write(api, shop, make_photo(shade=9))
    assert (answer.status_code, ReturnPhoto.objects.count()) == (503, 1)
