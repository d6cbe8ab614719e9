import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from aftercart.accounts.models import Address, User
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany, Submission, SubmissionLine
from aftercart.cancellations.models.policies import PolicyVersion
from aftercart.cancellations.pickups import find_first_day
from aftercart.cancellations.policy.selectors import get_book, get_policy, read_book
from aftercart.demo.kinds import KINDS
from aftercart.demo.seed import seed_demo
from aftercart.demo.summary import demo_summary, sandbox_documents
from aftercart.lib.clock import get_shop_now
from aftercart.lib.links import check_token
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import get_balance
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from aftercart.orders.policy.clauses import decide_terms
from aftercart.orders.selectors import gather_facts

pytestmark = [pytest.mark.django_db, pytest.mark.slow]  # the demo goes in anew for each


@pytest.fixture(autouse=True)
def _seeded() -> None:
    seed_demo(timezone.now())


def summarise() -> dict[str, Any]:
    return demo_summary("http://shop.example.com", "http://omnitron.example.com", 1)


def orders_of(email: str) -> dict[str, Any]:
    [customer] = [c for c in summarise()["customers"] if c["email"] == email]
    orders: dict[str, Any] = customer["orders"]
    return orders


def test_every_generated_order_goes_in() -> None:
    assert Order.objects.count() == 300
    assert list(Order.objects.order_by("pk").values_list("pk", flat=True)) == list(range(1001, 1301))


def test_seeding_again_later_sets_nothing_back() -> None:
    Order.objects.filter(pk=1001).update(status="500")
    CancellationReason.objects.filter(pk=1).update(subject="Hmm")
    User.objects.get(email="ayse@example.com").delete()
    seed_demo(timezone.now() + timedelta(days=400))
    assert Order.objects.count() == 300
    assert Order.objects.get(pk=1001).status == "500"
    assert CancellationReason.objects.get(pk=1).subject == "Hmm"
    assert not TimelineEntry.objects.filter(event="order_updated").exists()


def test_the_named_customers_have_points_and_orders_partly_paid_with_them() -> None:
    for email, currency in (("ayse@example.com", "TRY"), ("emma@example.com", "EUR")):
        user = User.objects.get(email=email)
        kinds = [entry.kind for entry in LoyaltyEntry.objects.filter(user=user)]
        assert sorted(set(kinds)) == ["earned", "spent"]
        assert get_balance(user, currency) > 0
    spent = LoyaltyEntry.objects.filter(kind="spent", user__email="ayse@example.com")
    several = orders_of("ayse@example.com")["several_items"]["id"]
    assert several in {entry.order_id for entry in spent}


def test_the_default_is_in_force_and_a_draft_with_a_fee_waits_to_be_tried() -> None:
    seed_demo(timezone.now())
    draft = PolicyVersion.objects.get()
    assert draft.state == "draft"
    assert get_book().version is None
    lamps = OrderItem.objects.filter(sku__startswith="LMB-").select_related("order")
    assert any(lamp.status == "550" for lamp in lamps)
    fees = {
        (lamp.order.currency, decide_terms(policy, policy.make_item_case("refund", item)).fee_fixed)
        for book in (get_book(), read_book(draft))
        for lamp in lamps
        for policy in [get_policy(lamp.order, book)]
        for item in gather_facts(lamp.order, [lamp], frozenset()).values()
    }
    assert fees == {
        ("TRY", Decimal(0)), ("TRY", Decimal("79.90")), ("EUR", Decimal(0)), ("EUR", Decimal("4.90")),
    }  # fmt: skip


def test_the_companies_have_calendars_that_leave_a_day_to_collect() -> None:
    today = get_shop_now().date()
    for company in EasyReturnCompany.objects.all():
        company.full_clean()
        first = find_first_day(company.calendar, today)
        assert first is not None
        assert first - today < timedelta(days=5)


def test_the_people_can_log_in() -> None:
    for email in ("ayse@example.com", "mehmet@example.com", "emma@example.com"):
        assert User.objects.get(email=email).check_password("demo-12345")
    staff = User.objects.get(email="staff@example.com")
    assert staff.check_password("staff-12345")
    assert (staff.is_staff, staff.is_superuser) == (True, True)


def test_reasons_are_numbered_as_at_the_sandbox_and_speak_turkish() -> None:
    reasons = list(CancellationReason.objects.filter(code="").order_by("pk"))
    assert [(r.pk, r.remote_pk) for r in reasons] == [(n, n) for n in range(1, 11)]
    assert [r.cancellation_type for r in reasons] == ["cancel"] * 5 + ["refund"] * 5
    assert [r.pk for r in reasons if r.extra_information_needed] == [5, 10]
    assert (reasons[5].get_subject("tr"), reasons[5].get_subject("en")) == ("Bedeni uymadı", "Does not fit")
    assert CancellationReason.objects.create(cancellation_type="cancel", subject="New").pk > 10
    assert EasyReturnCompany.objects.count() == 3


def test_the_summary_has_exactly_the_promised_shape() -> None:
    summary = json.loads(json.dumps(summarise()))
    assert list(summary) == [
        "base_url", "omnitron_url", "channel_id", "customers", "guest", "staff", "reasons",
    ]  # fmt: skip
    assert [customer["email"] for customer in summary["customers"]] == [
        "ayse@example.com",
        "mehmet@example.com",
        "emma@example.com",
    ]
    for customer in summary["customers"]:
        assert set(customer) == {"email", "password", "user_id", "address_ids", "orders"}
        assert set(customer["orders"]) == set(KINDS)
        assert len({order["id"] for order in customer["orders"].values()}) == len(KINDS)
        for order in customer["orders"].values():
            assert set(order) == {"id", "number", "signed_number", "url", "items"}
            assert all(set(item) == {"id", "status", "price", "quantity"} for item in order["items"])
    assert summary["reasons"] == {"cancel": [1, 2, 3, 4, 5], "refund": [6, 7, 8, 9, 10]}
    assert summary["staff"] == {"email": "staff@example.com", "password": "staff-12345"}


def test_links_of_the_summary_open_their_orders() -> None:
    summary = summarise()
    order = summary["customers"][0]["orders"]["cancellable"]
    token = order["signed_number"]
    assert order["url"] == f"http://shop.example.com/orders/completed/{token}/"
    life = timedelta(days=7)
    assert check_token(token, purpose="completed", link_version=1, life=life) == order["number"]
    guest_token = summary["guest"]["url"].removeprefix("http://shop.example.com/orders/guest/").rstrip("/")
    assert (
        check_token(guest_token, purpose="guest-view", link_version=1, life=life)
        == summary["guest"]["number"]
    )


def test_address_books_hold_two_at_home_and_one_abroad() -> None:
    for customer in summarise()["customers"]:
        book = [Address.objects.select_related("city").get(pk=pk) for pk in customer["address_ids"]]
        home, second, abroad = book
        assert home.primary
        assert home.country_id == second.country_id != abroad.country_id
        assert home.city != second.city
        order = Order.objects.get(pk=customer["orders"]["cancellable"]["id"])
        assert (order.shipping_address or {})["hash_data"] == home.hash_data


def test_a_used_demo_shows_the_next_order_that_is_still_good() -> None:
    first = orders_of("ayse@example.com")["cancellable"]
    OrderItem.objects.filter(order=first["id"]).update(status="50")
    second = orders_of("ayse@example.com")["cancellable"]
    assert second["id"] == first["id"] + 1
    submission = Submission.objects.create(order_id=second["id"], origin="direct")
    SubmissionLine.objects.create(
        submission=submission,
        order_item_id=second["items"][0]["id"],
        reason_id=1,
        cancellation_type="cancel",
        quantity=1,
        is_open=False,
    )
    assert orders_of("ayse@example.com")["cancellable"]["id"] == first["id"] + 2


def test_a_demo_that_is_used_up_still_shows_one_of_each_kind() -> None:
    before = {kind: order["id"] for kind, order in orders_of("emma@example.com").items()}
    OrderItem.objects.update(status="100")
    Order.objects.update(status="100")
    assert {kind: order["id"] for kind, order in orders_of("emma@example.com").items()} == before


def test_a_summary_without_a_demo_is_empty_not_broken() -> None:
    Order.objects.all().delete()
    summary = summarise()
    assert (summary["customers"], summary["guest"]) == ([], None)


def test_the_sandbox_gets_a_document_of_every_order() -> None:
    documents = {document["id"]: document for document in json.loads(json.dumps(list(sandbox_documents())))}
    assert set(documents) == set(range(1001, 1301))
    order = Order.objects.get(pk=1001)
    assert documents[1001]["number"] == order.number
    assert documents[1001]["status"] == "400"
    assert documents[1001]["currency"] == "try"
    assert [item["id"] for item in documents[1001]["orderitem_set"]] == [20001, 20002]
    on_delivery = Order.objects.filter(payment_option__payment_type="pay_on_delivery").values_list(
        "pk", flat=True
    )
    assert {pk for pk, document in documents.items() if document.get("sandbox")} == set(on_delivery)
    assert documents[on_delivery[0]]["sandbox"] == {"pay_on_delivery": True}
