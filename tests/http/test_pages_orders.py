"""The pages that show orders."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from aftercart.orders.models import DiscountItem, Order, OrderItem
from aftercart.orders.status import Status
from aftercart.orders.timeline import OMS, WORKER, Actor, record_event
from tests.browser.fixtures import list_products, make_address, make_customer, make_order, sign
from tests.http.browser import Browser

pytestmark = pytest.mark.django_db
TURKISH = {"accept-language": "tr"}


def read(html: bytes) -> BeautifulSoup:
    return BeautifulSoup(html.decode(), "html.parser")


def text_of(html: bytes) -> str:
    return re.sub(r"\s+", " ", read(html).get_text(" "))


@pytest.fixture
def order(client: Client) -> Order:
    user = make_customer()
    make_address(user)
    client.force_login(user)
    return make_order(user, list_products("400", "400", "450"))


def test_the_confirmation_tells_what_was_bought_where_it_goes_and_what_happens_next(
    client: Client, order: Order
) -> None:
    answer = client.get(sign(order))
    assert answer.status_code == 200
    text = text_of(answer.content)
    for words in (
        "Thank you, Ayşe!",
        "Your order is confirmed",
        "ORD-2024-001234",
        "Linen shirt with a round neck",
        "Size: M · Color: Sage",
        "3 × TRY 129.50",
        "TRY 388.50",
        "Being prepared",
        "Credit card · Bonus · 3 instalments",
        "Moda Caddesi 12, Daire 4",
    ):
        assert words in text
    assert '<img class="picture" src="/static/pages/products/shirt.svg"' in answer.content.decode()


def test_the_amounts_add_up_to_the_total(client: Client, order: Order) -> None:
    DiscountItem.objects.create(order=order, name="Campaign", amount="50.00")
    order.installment_interest_amount = Decimal("12.34")
    order.save()
    rows = read(client.get(sign(order)).content).select(".amounts > div")
    amounts = [
        (row.dt.get_text(), Decimal(re.sub(r"[^\d.−]", "", row.dd.get_text()).replace("−", "-")))  # noqa: RUF001 - the minus that pages show
        for row in rows
        if row.dt and row.dd
    ]
    assert amounts == [
        ("Subtotal", Decimal("2837.40")),
        ("Welcome discount", Decimal("-100.00")),
        ("Campaign", Decimal("-50.00")),
        ("Shipping", Decimal("49.90")),
        ("Instalment interest", Decimal("12.34")),
        ("Other adjustments", Decimal("37.66")),
        ("Total", Decimal("2787.30")),
    ]
    assert sum(amount for _label, amount in amounts[:-1]) == amounts[-1][1]


def test_a_stranger_is_sent_to_the_log_in_and_comes_back(client: Client, order: Order) -> None:
    client.logout()
    path = sign(order)
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/users/login/?next=/orders/completed/ORD-2024-001234")


def test_bad_expired_revoked_and_foreign_links_are_one_and_the_same_404(
    client: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = make_order(make_customer("other@example.com"), list_products("400"), number="ORD-OTHER")
    revoked = sign(order)
    order.link_version += 1
    order.save()
    with monkeypatch.context() as patch:
        eight_days_ago = timezone.now().timestamp() - 8 * 24 * 3600
        patch.setattr("django.core.signing.time.time", lambda: eight_days_ago)
        expired = sign(order)
    bodies = set()
    for path in (sign(foreign), revoked, expired, "/orders/completed/rubbish/", "/orders/completed/a:b:c/"):
        answer = client.get(path)
        assert answer.status_code == 404
        body = re.sub(r'(value|content)="[\w]{64}"', "", answer.content.decode())
        bodies.add((body, tuple(sorted(name for name, _value in answer.items()))))
    assert len(bodies) == 1
    assert "We can't find this page" in bodies.pop()[0]


def test_every_page_carries_the_token_and_is_not_kept(client: Client, order: Order) -> None:
    for path in (sign(order), "/users/orders/", f"/users/orders/{order.pk}/", "/"):
        answer = client.get(path)
        assert re.search(r'<meta name="csrf-token" content="\w{64}">', answer.content.decode())
        assert "no-store" in answer["Cache-Control"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_nothing_in_a_page_is_inline_or_from_elsewhere(client: Client, order: Order) -> None:
    order.items.update(product={"name": "Bag", "image": "https://cdn.example.com/bag.png"})
    page = read(client.get(f"/users/orders/{order.pk}/").content)
    assert not page.select("[style], style, script:not([src]), [onclick]")
    sources = [tag.get("src") or tag.get("href") for tag in page.select("img, script, link")]
    ours = ("/static/pages/", "/orders/style.css?v=")
    assert all(str(source).startswith(ours) for source in sources)
    assert "/static/pages/products/fallback.svg" in sources


def test_a_link_that_could_run_something_is_left_out(client: Client, order: Order) -> None:
    order.details = {"tracking_url": "javascript:alert(1)"}
    order.save()
    assert "javascript:" not in client.get(sign(order)).content.decode()
    order.details = {"tracking_url": "https://carrier.example.com/1"}
    order.save()
    assert 'href="https://carrier.example.com/1"' in client.get(sign(order)).content.decode()


def test_what_the_rules_refuse_is_not_offered_but_explained(client: Client, order: Order) -> None:
    order.items.update(status="550", delivered_at=timezone.now() - timedelta(days=30))
    order.items.filter(sku="shoe").update(is_final_sale=True)
    Order.objects.update(status="550")
    page = client.get(f"/users/orders/{order.pk}/").content
    assert f"/orders/{order.number}/cancel/" not in page.decode()
    assert "Change the address" not in text_of(page)
    assert text_of(page).count("The time for returning this item is over.") == 3
    order.items.filter(sku="shoe").update(delivered_at=timezone.now())
    assert "This item is a final sale and can't be returned." in text_of(
        client.get(f"/users/orders/{order.pk}/").content
    )


def test_each_status_of_the_contract_has_a_page(client: Client, order: Order) -> None:
    for status in Status:
        Order.objects.update(status=status.value)
        OrderItem.objects.update(status=status.value)
        assert client.get(f"/users/orders/{order.pk}/").status_code == 200


def test_an_order_of_which_hardly_anything_is_known_has_a_page(client: Client, order: Order) -> None:
    order.items.update(
        product={"attributes": ["odd"]}, sku="", details={"tracking_url": "http://[", "image": 3}
    )
    order.details, order.shipping_address, order.payment_option = {"bank": "x", "card": "y"}, None, {}
    order.save()
    order.discounts.all().delete()
    text = text_of(client.get(f"/users/orders/{order.pk}/").content)
    assert "Item" in text
    assert "Discount −TRY 100.00" in text  # noqa: RUF001 - a minus sign


def test_the_story_tells_what_matters_to_a_customer(client: Client, order: Order) -> None:
    item = order.items.all()[0]
    record_event(order, "cancellation_sending", Actor.customer(order.user))
    record_event(order, "status_changed", OMS, item=item, data={"before": "400", "after": "500"})
    record_event(order, "cancellation_rejected", OMS, item=item, cause="It has left already.")
    record_event(
        order, "answer_unknown", WORKER, cause="timeout", data={"detail": "TimeoutError at 10.0.0.7"}
    )
    story = [
        li.get_text(" ", strip=True)
        for li in read(client.get(f"/users/orders/{order.pk}/").content).select(".story li")
    ]
    assert [re.sub(r" \d+ \w+ \d{4}, [\d:]+$", "", line) for line in story] == [
        "You placed the order.",
        "Linen shirt with a round neck: On its way",
        "Linen shirt with a round neck: your cancellation was declined. It has left already.",
        "We passed on your cancellation; the confirmation is still to come.",
    ]


def test_the_page_speaks_the_customers_language_and_writes_amounts_and_days_in_it(
    client: Client, order: Order
) -> None:
    Order.objects.update(created_date="2024-01-31T22:30:00Z")
    text = text_of(client.get(sign(order), headers=TURKISH).content)
    assert "Teşekkür ederiz, Ayşe!" in text
    assert "2.787,30 TL" in text
    assert "−100,00 TL" in text  # noqa: RUF001 - a minus sign
    assert "1 Şubat 2024" in text  # in the shop's time zone it is tomorrow already
    assert "1 February 2024" in text_of(client.get(sign(order)).content)


def test_a_foreign_order_does_not_exist(client: Client, order: Order) -> None:
    foreign = make_order(make_customer("other@example.com"), list_products("400"), number="ORD-OTHER")
    assert client.get(f"/users/orders/{foreign.pk}/").status_code == 404
    assert client.get(f"/users/orders/{10**30}/").status_code == 404
    assert "ORD-OTHER" not in client.get("/users/orders/").content.decode()
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200


def test_the_list_has_pages_of_twelve_and_a_search(client: Client, order: Order) -> None:
    for place in range(13):
        make_order(order.user, list_products("550"), number=f"90000000000000{place:02}")  # type: ignore[arg-type]  # the order has its customer
    first = read(client.get("/users/orders/").content)
    assert len(first.select(".card")) == 12
    assert "Page 1 of 2" in text_of(client.get("/users/orders/").content)
    assert len(read(client.get("/users/orders/?page=2").content).select(".card")) == 2
    assert len(read(client.get("/users/orders/?page=rubbish").content).select(".card")) == 12
    found = read(client.get("/users/orders/?search=001234").content)
    assert [link.get_text() for link in found.select(".cover")] == ["Order ORD-2024-001234"]
    assert "No orders match your search." in text_of(client.get("/users/orders/?search=%25").content)
    assert client.get("/users/orders/?search=%00").status_code == 400
    assert client.get("/users/orders/?search=" + "9" * 100).status_code == 400


def test_the_list_can_be_narrowed_to_days_of_the_shops_time_zone(client: Client, order: Order) -> None:
    Order.objects.update(created_date="2024-01-31T22:30:00Z")  # in Istanbul it is 1 February already
    make_order(order.user, list_products("550"), number="ORD-LATER", created_date="2024-03-05T10:00:00Z")  # type: ignore[arg-type]  # the order has its customer
    found = {}
    for query in (
        "since=2024-02-01&until=2024-02-01",
        "until=2024-01-31",
        "since=2024-02-02",
        "since=2024-02-01&search=LATER",
    ):
        page = read(client.get(f"/users/orders/?{query}").content)
        found[query] = [link.get_text() for link in page.select(".cover")]
    assert list(found.values()) == [["Order ORD-2024-001234"], [], ["Order ORD-LATER"], ["Order ORD-LATER"]]


def test_days_that_make_no_sense_are_told_at_the_field(client: Client, order: Order) -> None:
    for rubbish in ("rubbish", "2024-02-31", "9" * 40, "%00"):
        answer = client.get(f"/users/orders/?since={rubbish}")
        assert answer.status_code == 400
        assert read(answer.content).select("#id_since_error") != []
        assert order.number in answer.content.decode()


def test_the_pages_of_a_search_keep_it(client: Client, order: Order) -> None:
    for place in range(13):
        make_order(order.user, list_products("550"), number=f"90000000000000{place:02}")  # type: ignore[arg-type]  # the order has its customer
    link = read(client.get("/users/orders/?search=9000&since=2024-01-01").content).select_one("[rel=next]")
    assert link is not None
    assert link["href"] == "?page=2&search=9000&since=2024-01-01"


def test_a_list_without_orders_says_so(client: Client, order: Order) -> None:
    client.force_login(make_customer("new@example.com"))
    assert "You have no orders yet." in text_of(client.get("/users/orders/").content)
    assert order.pk


def test_the_receipt_holds_what_was_bought_and_paid_and_no_more_than_its_customer_may_see(
    client: Client, order: Order
) -> None:
    text = text_of(client.get(f"/users/orders/{order.pk}/receipt/").content)
    for words in (
        "Receipt",
        "ORD-2024-001234",
        "Linen shirt with a round neck",
        "TRY 388.50",
        "TRY 2,787.30",
    ):
        assert words in text
    client.force_login(make_customer("other@example.com"))
    assert client.get(f"/users/orders/{order.pk}/receipt/").status_code == 404


def test_the_language_is_chosen_in_the_foot_and_goes_before_the_browsers(order: Order) -> None:
    path = f"/users/orders/{order.pk}/"
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(order.user)  # type: ignore[arg-type]  # the order has its customer
    page = read(strict.get(path).content)
    form = page.select_one(".languages")
    assert form is not None
    fields = {str(field["name"]): field["value"] for field in form.select("input")}
    assert fields["next"] == path
    assert [button.get_text() for button in form.select("button")] == ["English", "Türkçe"]
    assert strict.post("/orders/language/", {"language": "tr", "next": path}).status_code == 403
    answer = strict.post("/orders/language/", fields | {"language": "tr"})
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert answer.cookies["django_language"]["httponly"]
    assert '<html lang="tr">' in strict.get(path, headers={"accept-language": "en"}).content.decode()
    elsewhere = strict.post(
        "/orders/language/", fields | {"language": "en", "next": "https://evil.example.com/"}
    )
    assert elsewhere["Location"] == "/"


def test_the_style_sheet_is_one_and_its_address_changes_with_it(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "theme.css").write_text(":root { --brand: #123456; }")
    plain = client.get("/")
    answer = client.get("/orders/style.css")
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    settings.BRAND, settings.SHOP_NAME = tmp_path, "Kırmızı"
    branded = client.get("/")
    links = [read(page.content).select("link[rel=stylesheet]") for page in (plain, branded)]
    assert [len(found) for found in links] == [1, 1]
    assert links[0][0]["href"] != links[1][0]["href"]
    assert client.get(str(links[1][0]["href"])).content == answer.content + b"\n:root { --brand: #123456; }"
    assert "<title>Welcome · Kırmızı</title>" in branded.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/users/orders/",
        "/users/orders/?search=0&since=2020-01-01",
        "/users/orders/{pk}/",
        "/users/orders/{pk}/receipt/",
    ],
)
def test_the_number_of_queries_does_not_depend_on_how_much_there_is(
    client: Client, order: Order, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    path = path.format(pk=order.pk)
    with django_assert_max_num_queries(20) as before:  # of a page that is not stored yet
        client.get(path)
    for place in range(5):
        make_order(order.user, list_products("400"), number=f"90000000000000{place:02}")  # type: ignore[arg-type]  # the order has its customer
        record_event(order, "status_changed", OMS, item=order.items.all()[0], data={"after": "500"})
    for item in OrderItem.objects.filter(order=order):
        item.pk = None
        item.save()
    with django_assert_max_num_queries(len(before)):
        client.get(path)


def test_the_first_page_shows_the_way(client: Client, order: Order) -> None:
    assert 'href="/users/orders/"' in client.get("/").content.decode()
    client.logout()
    assert 'href="/users/login/"' in client.get("/").content.decode()
    assert order.pk
