"""The shop's own log-in: a session that the shop knows is taken here, for no longer than the shop's word is good."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from aftercart.accounts.models import Session, User
from aftercart.accounts.shop_sessions import name_remembered
from aftercart.actions.account.enter_from_shop import keep_customer, nobodies
from aftercart.commerce.client import ShopUser
from aftercart.commerce.connect import replace_commerce
from tests.commerce import FakeCommerce
from tests.shop import Shop, make_address, make_customer, make_order

pytestmark = pytest.mark.django_db

KEY = "k3v0y2q8m1x7c5b9n4z6a8s2d1f7g3h5"


@pytest.fixture
def commerce(settings: Settings) -> Iterator[FakeCommerce]:
    settings.AFTERCART_IDENTITY = "commerce"
    nobodies.clear()
    with replace_commerce(FakeCommerce()) as fake:
        assert isinstance(fake, FakeCommerce)
        yield fake
    nobodies.clear()


def bring(key: str = KEY, *, accept: str = "application/json", **cookies: str) -> Client:
    """Make a client that brings the shop's cookies, like the storefront's proxy."""
    told = {"osessionid": key, "sessionid": key, **cookies}
    header = "; ".join(f"{name}={value}" for name, value in told.items() if value)
    return Client(enforce_csrf_checks=True, headers={"accept": accept, "cookie": header})


def list_orders(client: Client) -> Any:
    return client.get("/users/orders/")


def test_a_session_of_the_shop_is_its_customers_here(commerce: FakeCommerce, shop: Shop) -> None:
    commerce.log_in(KEY, 77, shop.user.email.upper(), first_name="Ayşe", last_name="Kaya")

    answer = list_orders(bring())

    assert [order["number"] for order in answer.json()["results"]] == [shop.order.number]
    shop.user.refresh_from_db()
    assert (shop.user.commerce_pk, shop.user.first_name) == (77, "Ayşe")
    assert answer.cookies == {}  # the session's cookies are the shop's


def test_one_of_the_two_cookies_is_enough_and_two_that_differ_are_nobodys(commerce: FakeCommerce) -> None:
    commerce.log_in(KEY, 77, "a@example.com")
    commerce.log_in(KEY[::-1], 78, "b@example.com")

    assert bring(sessionid="").get("/current_user/").json()["email"] == "a@example.com"
    assert bring(sessionid=KEY[::-1]).get("/current_user/").status_code == 401


def test_the_shop_is_asked_once_and_what_it_said_is_remembered_under_a_hash(
    commerce: FakeCommerce, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    commerce.log_in(KEY, 77, "a@example.com")
    for _ in range(5):
        assert bring().get("/current_user/").status_code == 200

    assert commerce.asked == {KEY: 1}
    session = Session.objects.get()
    assert session.session_key == name_remembered(KEY)
    assert KEY not in session.session_key
    assert session.user == User.objects.get()
    assert timezone.now() < session.expire_date <= timezone.now() + timedelta(seconds=60)
    with django_assert_max_num_queries(2):
        bring().get("/current_user/")


def test_the_name_of_a_remembered_row_is_no_cookie(commerce: FakeCommerce) -> None:
    commerce.log_in(KEY, 77, "a@example.com")
    bring().get("/current_user/")

    assert bring(name_remembered(KEY)).get("/current_user/").status_code == 401
    assert bring(name_remembered(KEY).lower()).get("/current_user/").status_code == 401


def test_a_log_out_in_the_shop_ends_here_when_the_time_is_over(commerce: FakeCommerce) -> None:
    commerce.log_in(KEY, 77, "a@example.com")
    bring().get("/current_user/")
    del commerce.users[KEY]
    assert bring().get("/current_user/").status_code == 200

    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert bring().get("/current_user/").status_code == 401
    assert commerce.asked == {KEY: 2}


@pytest.mark.parametrize(("accept", "status"), [("text/html", 303), ("application/json", 200)])
def test_a_log_out_here_takes_the_shops_cookies_too(
    commerce: FakeCommerce, shop: Shop, accept: str, status: int
) -> None:
    commerce.log_in(KEY, 77, shop.user.email)
    token = "c" * 32
    client = bring(accept=accept, csrftoken=token)
    assert client.get("/users/orders/").status_code == 200

    kind = "application/json" if status == 200 else "application/x-www-form-urlencoded"
    answer = client.post("/users/logout/", "{}", kind, headers={"X-CSRFToken": token})

    assert answer.status_code == status
    for name in ("sessionid", "osessionid", "csrftoken"):
        assert (answer.cookies[name].value, answer.cookies[name]["max-age"]) == ("", 0)
    assert not Session.objects.filter(user=shop.user).exists()


def test_a_shop_that_does_not_answer_is_503_with_a_time_and_nobodys_data(
    commerce: FakeCommerce, shop: Shop
) -> None:
    commerce.log_in(KEY, 77, shop.user.email)
    commerce.is_away = True

    for path in ("/users/orders/", f"/users/orders/{shop.order.pk}/", "/current_user/"):
        answer = bring().get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), path
        assert answer.json()["code"] == "unavailable"
    page = bring(accept="text/html").get(f"/users/orders/{shop.order.pk}/")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "2")
    assert "Something went wrong on our side" in page.content.decode()
    assert shop.order.number not in page.content.decode()


def test_a_remembered_session_outlives_the_shop_for_its_moment(commerce: FakeCommerce) -> None:
    commerce.log_in(KEY, 77, "a@example.com")
    bring().get("/current_user/")
    commerce.is_away = True

    assert bring().get("/current_user/").status_code == 200


def test_what_needs_nobody_needs_no_shop(commerce: FakeCommerce) -> None:
    commerce.is_away = True

    assert bring().get("/csrf_token/").status_code == 200
    assert Client(headers={"accept": "text/html"}).get("/orders/guest/").status_code == 200
    assert commerce.asked == {}


def test_a_cookie_that_is_nobodys_is_asked_about_once_in_a_while(commerce: FakeCommerce) -> None:
    for _ in range(4):
        assert bring().get("/current_user/").status_code == 401

    assert commerce.asked == {KEY: 1}
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "junk", ["", "x", "ÜÜÜÜÜÜÜÜÜ", "A" * 32, "a" * 41, "../../../etc", '"\x01"', "a b c d e f g"]
)
def test_what_is_no_session_key_is_never_asked_about(commerce: FakeCommerce, junk: str) -> None:
    answer = Client(headers={"accept": "application/json"}).get(
        "/current_user/", HTTP_COOKIE=f"sessionid={junk}".encode().decode("latin-1")
    )

    assert answer.status_code == 401
    assert commerce.asked == {}


def test_many_unknown_cookies_from_one_address_are_throttled(
    commerce: FakeCommerce, settings: Settings
) -> None:
    settings.COMMERCE_UNKNOWN_PER_MINUTE = 3
    statuses = [bring(f"{n:032x}").get("/current_user/").status_code for n in range(7)]

    assert set(statuses[-2:]) == {429}
    assert len(commerce.asked) <= 6  # two windows at most
    settings.SHOP_NETWORKS = [ip_network("127.0.0.0/8")]
    assert bring(f"{99:032x}").get("/current_user/").status_code == 401


def test_csrf_works_with_the_shops_cookie(commerce: FakeCommerce, shop: Shop) -> None:
    commerce.log_in(KEY, 77, shop.user.email)
    token = "Qd8vN2mX5rT7yB1cK9wF3hJ6pL4sZ0aG"
    entry = {"order_item": shop.items[0].pk, "reason": shop.cancel_reason.pk, "cancellation_type": "cancel"}

    def cancel(**headers: str) -> int:
        client = bring(csrftoken=token)
        path = f"/orders/{shop.order.number}/cancel/"
        body = {"cancel_order_items": [entry]}
        return client.post(path, body, content_type="application/json", headers=headers).status_code

    assert cancel() == 403
    assert cancel(**{"x-csrftoken": token[::-1]}) == 403
    assert shop.count_posts() == 0
    assert cancel(**{"x-csrftoken": token}) == 204


def test_a_customers_order_is_nobody_elses(commerce: FakeCommerce, shop: Shop) -> None:
    commerce.log_in(KEY, 77, shop.user.email)
    foreign = make_order(make_customer())

    assert bring().get(f"/users/orders/{foreign.pk}/").status_code == 404


def test_staff_log_in_here_and_keep_their_session(commerce: FakeCommerce) -> None:
    staff = User.objects.create_superuser("boss@example.com", "secret-12345")
    browser = Client(headers={"accept": "text/html"})
    form = {"username": staff.email, "password": "secret-12345", "next": "/backoffice/"}

    assert browser.post("/backoffice/login/", form).status_code == 302
    assert browser.get("/backoffice/").status_code == 200
    assert commerce.asked == {}


@pytest.mark.usefixtures("commerce")
def test_staff_with_a_cookie_of_the_shop_log_in_too() -> None:
    staff = User.objects.create_superuser("boss@example.com", "secret-12345")
    browser = Client(headers={"accept": "text/html"})
    browser.cookies["sessionid"] = KEY
    form = {"username": staff.email, "password": "secret-12345", "next": "/backoffice/"}

    assert browser.post("/backoffice/login/", form).status_code == 302
    assert browser.cookies["sessionid"].value != KEY
    assert browser.get("/backoffice/").status_code == 200


def test_nobody_logs_in_here_but_staff(commerce: FakeCommerce, settings: Settings) -> None:
    customer = make_customer()
    body = {"email": customer.email, "password": "secret-12345"}
    assert Client().post("/users/login/", body, content_type="application/json").status_code == 404
    settings.LOGIN_URL = "https://shop.example.com/users/login/"

    page = Client(headers={"accept": "text/html"}).get("/users/orders/")

    assert page.headers["Location"] == "https://shop.example.com/users/login/?next=/users/orders/"
    assert commerce.asked == {}


# --- addresses ---------------------------------------------------------------------------------------------


def write_address(pk: int, **fields: Any) -> dict[str, Any]:
    """Write an address as the shop does: ids of its own, places inside each other."""
    country = {"pk": 1, "name": "Türkiye", "code": "tr"}
    city = {"pk": 340, "name": "İstanbul", "country": country}
    return {
        "pk": pk, "title": "Ev", "first_name": "Ayşe", "last_name": "Kaya", "phone_number": "05321234567",
        "email": "a@example.com", "line": "Moda Caddesi 14", "postcode": "34710", "country": country, "city": city,
        "township": {"pk": 3401, "name": "Kadıköy", "city": city}, "district": None, "primary": True, **fields,
    }  # fmt: skip


def change_address(shop: Shop, address: int) -> Any:
    token = "Qd8vN2mX5rT7yB1cK9wF3hJ6pL4sZ0aG"
    body = {"order": shop.order.pk, "address": address}
    client = bring(csrftoken=token)
    return client.post(
        "/orders/change-address/", body, content_type="application/json", headers={"x-csrftoken": token}
    )


def test_an_order_goes_to_an_address_of_the_shops_book(commerce: FakeCommerce, shop: Shop) -> None:
    commerce.log_in(KEY, 77, shop.user.email)
    commerce.addresses[KEY] = [write_address(4), write_address(5, line="Büyükdere Caddesi 1", title="İş")]

    assert change_address(shop, 5).status_code == 200

    shop.order.refresh_from_db()
    snapshot = shop.order.shipping_address or {}
    assert (snapshot["pk"], snapshot["line"], snapshot["city"]["pk"]) == (5, "Büyükdere Caddesi 1", 340)
    assert not shop.user.addresses.exists()


def test_an_address_that_is_not_in_the_callers_book_is_unknown(commerce: FakeCommerce, shop: Shop) -> None:
    commerce.log_in(KEY, 77, shop.user.email)
    commerce.addresses["another"] = [write_address(6)]
    own = make_address(shop.user)  # of ours, from before: not of the shop's

    for pk in (6, own.pk):
        answer = change_address(shop, pk)
        assert (answer.status_code, set(answer.json())) == (400, {"address", "code"})
    assert shop.count_posts("change_address") == 0


def test_no_address_is_taken_while_the_shop_is_away(commerce: FakeCommerce, shop: Shop) -> None:
    commerce.log_in(KEY, 77, shop.user.email)
    bring().get("/current_user/")
    commerce.is_away = True

    assert change_address(shop, 5).status_code == 503
    assert shop.count_posts("change_address") == 0


def test_pages_offer_the_shops_addresses(commerce: FakeCommerce, shop: Shop) -> None:
    commerce.log_in(KEY, 77, shop.user.email)
    commerce.addresses[KEY] = [write_address(5, line="Büyükdere Caddesi 1")]

    page = bring(accept="text/html").get(f"/orders/change-address/?order={shop.order.pk}")

    assert "Büyükdere Caddesi 1" in page.content.decode()
    assert 'href="/address/' not in page.content.decode()


def test_the_address_book_is_the_shops(commerce: FakeCommerce) -> None:
    commerce.log_in(KEY, 77, "a@example.com")

    for path in ("/address/", "/address/detailed/", "/address/1/", "/address/country/"):
        assert bring().get(path).status_code == 404


# --- whose it is -------------------------------------------------------------------------------------------


def test_a_customer_is_found_by_the_shops_id_and_follows_its_changes() -> None:
    first = keep_customer(ShopUser(77, "a@example.com", "A", "B"))
    second = keep_customer(ShopUser(77, "new@example.com", "C", "D"))

    assert first.pk == second.pk
    assert (second.email, second.first_name, User.objects.count()) == ("new@example.com", "C", 1)
    assert not second.has_usable_password()


def test_two_customers_are_never_made_one() -> None:
    """The first has moved to another address in the shop, and the second has taken the old one."""
    first = keep_customer(ShopUser(1, "x@example.com"))
    second = keep_customer(ShopUser(2, "x@example.com"))

    first.refresh_from_db()
    assert first.pk != second.pk
    assert (first.commerce_pk, second.commerce_pk, second.email) == (1, 2, "x@example.com")
    assert first.email.startswith("moved-")
    assert keep_customer(ShopUser(1, "y@example.com")).pk == first.pk


def test_an_address_that_is_not_verified_finds_nobody() -> None:
    imported = make_customer("x@example.com")

    stranger = keep_customer(ShopUser(5, "x@example.com", is_email_verified=False))

    assert stranger.pk != imported.pk
    imported.refresh_from_db()
    assert (imported.email, imported.commerce_pk) == ("x@example.com", None)


def test_nobody_of_the_shops_becomes_staff() -> None:
    staff = User.objects.create_superuser("boss@example.com", "secret-12345")

    customer = keep_customer(ShopUser(5, "boss@example.com"))

    assert customer.pk != staff.pk
    assert (customer.is_staff, customer.is_superuser) == (False, False)
    staff.refresh_from_db()
    assert (staff.email, staff.commerce_pk) == ("boss@example.com", None)
