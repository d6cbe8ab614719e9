"""Photos of a return: sent by a form or the API, seen by whose order it is and by staff, and by nobody else."""

import json
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.returns.forget_photos import forget_photos
from aftercart.cancellations.models import CancellationRequest, ReturnPhoto, Submission, SubmissionLine
from aftercart.orders.models import Order
from tests.emails import prove
from tests.http.backoffice_world import log_in, make_staff
from tests.http.conftest import Api
from tests.http.forms import read
from tests.http.guests.steps import sign
from tests.photos import make_phone_photo, make_photo
from tests.shop import Line, Shop, ask, make_command, make_customer, make_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop() -> Shop:
    """A delivered item, of which a return waits for the team; and one that is not returned."""
    shop = Shop([Line("550"), Line("550")])
    request_cancellation(make_command(shop.order, ask(shop.items[0], shop.refund_reason)))
    return shop


def name_page(shop: Shop) -> str:
    return f"/orders/{shop.order.number}/cancel/{Submission.objects.get().uuid}/"


def name_upload(shop: Shop) -> str:
    return f"/orders/{shop.order.number}/cancel/photos/"


def enter(shop: Shop) -> Client:
    return log_in(shop.user)


def send(client: Client, shop: Shop, *photos: bytes, item: int | None = None) -> Any:
    files = [SimpleUploadedFile(f"photo-{n}.jpg", data, "image/jpeg") for n, data in enumerate(photos)]
    body = {"order_item": item or shop.items[0].pk, "photos": files}
    return client.post(name_upload(shop), body, headers={"accept": "text/html"})


def upload(api: Api | Client, shop: Shop, data: bytes, *, item: object = None, **headers: str) -> Any:
    client = api if isinstance(api, Client) else api.client
    body = {"order_item": item or shop.items[0].pk, "photo": SimpleUploadedFile("a.jpg", data)}
    return client.post(name_upload(shop), body, headers={"accept": "application/json", **headers})


def delete(api: Api, url: str, **headers: str) -> Any:
    return api.client.delete(url, headers=api._headers(headers))


def read_complaints(client: Client, answer: Any) -> list[str]:
    """Read what the page that follows complains about."""
    return [line.get_text() for line in read(client.get(answer["Location"])).select(".notice.error")]


# --- the page ----------------------------------------------------------------------------------------------


def test_the_page_of_a_return_takes_photos_and_shows_them(shop: Shop, photo_folder: Path) -> None:
    client = enter(shop)
    form = read(client.get(name_page(shop))).select_one("#photos form")
    assert form is not None
    assert (form["action"], form["enctype"]) == (name_upload(shop), "multipart/form-data")
    field = form.select_one("[type=file]")
    assert field is not None
    assert (field["accept"], field["name"]) == ("image/*", "photos")

    answer = send(client, shop, make_phone_photo(), make_photo())

    assert (answer.status_code, answer["Location"]) == (303, f"{name_page(shop)}#photos")
    page = read(client.get(name_page(shop)))
    assert [image["alt"] for image in page.select("#photos img")] == ["Photo 1 of Shirt", "Photo 2 of Shirt"]
    label = page.select_one("#photos label")
    assert label is not None
    assert label.get_text() == "Add photos (up to 3)"
    photo = client.get(str(page.select("#photos img")[0]["src"]))
    assert photo["Content-Type"] == "image/jpeg"
    assert b"Secretphone" not in photo.content
    assert sorted(path.name for path in photo_folder.iterdir()) == sorted(
        f"{photo.uuid.hex}.jpg" for photo in ReturnPhoto.objects.all()
    )


def test_a_photo_is_served_as_a_picture_and_nothing_else(shop: Shop) -> None:
    client = enter(shop)
    send(client, shop, make_photo())
    photo = ReturnPhoto.objects.get()

    answer = client.get(f"{name_upload(shop)}{photo.uuid}/")

    assert {
        name: answer[name] for name in ("Content-Disposition", "X-Content-Type-Options", "X-Frame-Options")
    } == {
        "Content-Disposition": f'inline; filename="{photo.uuid.hex}.jpg"',
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


def test_a_photo_that_is_none_is_named_and_the_others_are_kept(shop: Shop) -> None:
    client = enter(shop)

    answer = send(client, shop, make_photo(), b"no photo", make_photo(shade=9))

    assert read_complaints(client, answer) == [
        "photo-1.jpg: This is no photo that we can read. Please send it as JPEG, PNG or WebP."
    ]
    assert ReturnPhoto.objects.count() == 2


def test_there_are_five_at_most_and_the_same_one_counts_once(shop: Shop) -> None:
    client = enter(shop)
    photos = [make_photo(shade=shade) for shade in range(7)]
    send(client, shop, *photos[:4])
    assert read_complaints(client, send(client, shop, *photos[:4])) == []
    assert ReturnPhoto.objects.count() == 4

    assert read_complaints(client, send(client, shop, *photos[3:6])) == [
        "photo-2.jpg: There are five photos of this item already. No more can be added."
    ]
    assert sorted(ReturnPhoto.objects.values_list("place", flat=True)) == [1, 2, 3, 4, 5]
    assert read(client.get(name_page(shop))).select("#photos [type=file]") == []
    assert read_complaints(client, send(client, shop, *photos[:6]))[-1] == (
        "An item can have five photos: only the first five were looked at."
    )


def test_who_loses_the_session_with_photos_on_the_way_comes_to_the_order_after_the_log_in(shop: Shop) -> None:
    answer = send(Client(), shop, make_photo())

    assert (answer.status_code, answer["Location"]) == (302, f"/users/login/?next={name_upload(shop)}")
    followed = enter(shop).get(name_upload(shop), headers={"accept": "text/html"})
    assert (followed.status_code, followed["Location"]) == (303, f"/users/orders/{shop.order.pk}/")
    assert not ReturnPhoto.objects.exists()


def test_nothing_chosen_is_said_and_nothing_of_somebody_elses_is_found(shop: Shop) -> None:
    client = enter(shop)
    assert read_complaints(client, send(client, shop)) == ["Please choose a photo first."]
    assert (
        send(client, shop, make_photo(), item=make_order(make_customer()).items.get().pk).status_code == 404
    )
    assert client.post(name_upload(shop), {}, headers={"accept": "text/html"}).status_code == 404


def test_what_is_decided_takes_no_more_photos_and_shows_those_it_has(shop: Shop) -> None:
    client = enter(shop)
    send(client, shop, make_photo())
    SubmissionLine.objects.update(is_open=False, outcome="rejected")
    Order.objects.update(version=99)

    page = read(client.get(name_page(shop)))

    assert len(page.select("#photos img")) == 1
    assert page.select("#photos form") == []
    assert read_complaints(client, send(client, shop, make_photo(shade=9))) == [
        "photo-0.jpg: Photos can be added while a return is open. This one has been decided, or there is none."
    ]


def test_a_cancellation_asks_for_no_photos() -> None:
    shop = Shop()
    cancel_items(shop.command(0), shop.fake)
    client = enter(shop)

    assert read(client.get(name_page(shop))).select("#photos") == []
    assert upload(client, shop, make_photo()).json()["code"] == "no_open_return"


def test_a_guest_with_a_code_adds_and_sees_photos_and_one_with_a_link_does_not(shop: Shop) -> None:
    Order.objects.update(user=None, user_email="guest@example.com")
    order = Order.objects.get()
    guest = Client()
    guest.get(sign(order))
    assert send(guest, shop, make_photo())["Location"].startswith("/orders/guest/code/")
    assert read(guest.get(name_page(shop))).select("#photos") == []

    prove(guest, order)
    assert send(guest, shop, make_photo()).status_code == 303
    photo = ReturnPhoto.objects.get()
    path = f"{name_upload(shop)}{photo.uuid}/"
    assert guest.get(path).status_code == 200
    looker = Client()
    looker.get(sign(order))
    assert looker.get(path)["Location"].startswith("/orders/guest/code/")


# --- the API -----------------------------------------------------------------------------------------------


@pytest.fixture
def api(shop: Shop) -> Api:
    return Api().log_in(shop.user)


def write(api: Api, shop: Shop, data: bytes, **fields: Any) -> Any:
    return upload(api, shop, data, **{**api._headers(None), **fields})


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


# --- staff -------------------------------------------------------------------------------------------------


def test_staff_see_photos_on_the_sheets_of_request_and_order(shop: Shop) -> None:
    send(enter(shop), shop, make_photo())
    photo = ReturnPhoto.objects.get()
    path = f"/backoffice/cancellations/cancellationrequest/photos/{photo.uuid}/"
    staff = log_in(make_staff("view_cancellationrequest", "view_order"))

    for sheet in (
        f"/backoffice/cancellations/cancellationrequest/{CancellationRequest.objects.get().pk}/change/",
        f"/backoffice/orders/order/{shop.order.pk}/change/",
    ):
        assert [image["src"] for image in read(staff.get(sheet)).select(".bo-photos img")] == [path]
    shown = staff.get(path)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    assert "default-src 'none'; sandbox" in shown["Content-Security-Policy"]
    assert staff.get(f"/backoffice/cancellations/cancellationrequest/photos/{uuid4()}/").status_code == 404
    assert staff.post(path).status_code == 405
    assert log_in(make_staff("view_email")).get(path).status_code == 403
    for nobody in (Client(), enter(shop)):
        assert nobody.get(path)["Location"].startswith("/backoffice/login/")
