"""Photos of a return: sent by a form or the API, seen by whose order it is and by staff, and by nobody else."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.cancellations.models import CancellationRequest, ReturnPhoto, SubmissionLine
from aftercart.orders.models import Order
from tests.emails import prove
from tests.http.backoffice_world import log_in, make_staff
from tests.http.forms import read
from tests.http.guests.steps import sign
from tests.http.return_photos.steps import enter, name_page, name_upload, read_complaints, send, upload
from tests.photos import make_phone_photo, make_photo
from tests.shop import Shop, make_customer, make_order

pytestmark = pytest.mark.django_db(transaction=True)


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
        "photo-1.jpg: We couldn't open this file as a photo. Please send it as JPEG, PNG or WebP."
    ]
    assert ReturnPhoto.objects.count() == 2


def test_there_are_five_at_most_and_the_same_one_counts_once(shop: Shop) -> None:
    client = enter(shop)
    photos = [make_photo(shade=shade) for shade in range(7)]
    send(client, shop, *photos[:4])
    assert read_complaints(client, send(client, shop, *photos[:4])) == []
    assert ReturnPhoto.objects.count() == 4

    assert read_complaints(client, send(client, shop, *photos[3:6])) == [
        "photo-2.jpg: This item already has five photos, so no more can be added."
    ]
    assert sorted(ReturnPhoto.objects.values_list("place", flat=True)) == [1, 2, 3, 4, 5]
    assert read(client.get(name_page(shop))).select("#photos [type=file]") == []
    assert read_complaints(client, send(client, shop, *photos[:6]))[-1] == (
        "An item can have five photos, so only the first five were processed."
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
        "photo-0.jpg: You can add photos only while the return is open. This one has been decided, or there is none."
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
    assert looker.get(path, HTTP_ACCEPT="text/html")["Location"].startswith("/orders/guest/code/")


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
