"""One refund, wherever its customer reads of it: quote, pages, e-mails, receipt and JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bs4 import Tag
from django.test import Client
from pytest_django import Settings

from aftercart.actions.requests.reject_request import reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationReason, CancellationRequest, Submission
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.mail import compose
from aftercart.mail.models import Email
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order
from tests.db.test_policy_versions import make_staff
from tests.http.cancelling.form import Form
from tests.http.forms import read
from tests.shop import Line, Shop

pytestmark = pytest.mark.django_db(transaction=True)

IBAN = "TR330006100519786457841326"
TRANSFER = {"payment_type": "funds_transfer", "name": "Transfer"}
CARD = "Original payment method (Card)"
ACCOUNT = "Account ending in 1326"
POINTS = "Loyalty points"
#: How much goes where; nothing is left out.
Split = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Case:
    """An order, what is asked for, and what comes back of it, by place."""

    split: dict[str, str]
    lines: tuple[Line, ...] = (Line(price="100.00"),)
    chosen: tuple[int, ...] = (0,)
    order: dict[str, Any] = field(default_factory=dict)
    spent: str = "0"
    kind: str = "cancel"
    iban: str = ""
    is_as_points: bool = False
    way: str = "cancel"

    @property
    def expected(self) -> Split:
        return {name: Decimal(amount) for name, amount in self.split.items()}


TWO = (Line(price="60.00"), Line(price="40.00"))
SHIPPED = {"shipping_amount": Decimal("29.90"), "amount": Decimal("129.90")}
CASES = {
    "card": Case({CARD: "100"}),
    "points that were spent": Case({POINTS: "100"}, spent="100"),
    "points that were asked for": Case({POINTS: "100"}, is_as_points=True),
    "bank account": Case({ACCOUNT: "100"}, order={"payment_option": TRANSFER}, iban=IBAN),
    "card and points": Case({CARD: "60", POINTS: "40"}, spent="40"),
    "account and points": Case(
        {ACCOUNT: "60", POINTS: "40"}, order={"payment_option": TRANSFER}, iban=IBAN, spent="40"
    ),
    "a part, whose shipping stays": Case({CARD: "60"}, lines=TWO, order=SHIPPED),
    "all with shipping": Case({CARD: "129.90"}, lines=TWO, order=SHIPPED, chosen=(0, 1)),
    "all with shipping and points": Case(
        {CARD: "9.90", POINTS: "120"}, lines=TWO, order=SHIPPED, chosen=(0, 1), spent="120"
    ),
    "a discount": Case(
        {CARD: "54"}, lines=TWO, order={"discount_amount": Decimal(10), "amount": Decimal(90)}
    ),
    "a return": Case(
        {CARD: "100"}, lines=(Line("550", price="100.00"),), kind="refund", order={"status": "550"}
    ),
    "a withdrawal": Case({CARD: "60", POINTS: "40"}, spent="40", way="withdraw"),
}


@dataclass(slots=True)
class World:
    """One case that has been asked for, and what each place says of it."""

    case: Case
    shop: Shop
    client: Client

    @property
    def submission(self) -> UUID:
        return Submission.objects.get(order=self.shop.order).uuid

    @property
    def body(self) -> dict[str, Any]:
        account = {"iban": self.case.iban, "holder_name": "Ayşe Yılmaz"} if self.case.iban else {}
        reason = self.shop.refund_reason if self.case.kind == "refund" else self.shop.cancel_reason
        return {
            "cancel_order_items": [
                {
                    "order_item": self.shop.items[place].pk,
                    "reason": reason.pk,
                    "cancellation_type": self.case.kind,
                    **account,
                }
                for place in self.case.chosen
            ],
            "fully_refund_as_loyalty_money": self.case.is_as_points,
        }

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, json.dumps(body), content_type="application/json")

    def ask(self) -> None:
        path = f"/orders/{self.shop.order.number}/{self.case.way}/"
        body = self.body
        if self.case.way == "withdraw":
            email = self.shop.user.email
            items = [row["order_item"] for row in body["cancel_order_items"]]
            body = {"name": "Ayşe Yılmaz", "email": email, "items": items}
        answer = self.post(path, body)
        assert answer.status_code in {200, 201, 204}, answer.content

    def decide(self, *, is_reported: bool) -> None:
        """Have Omnitron do it, and report the items' refunds or not yet."""
        pks = self.shop.fake.posts[-1].body["cancel_items"]
        for pk in pks:
            record = self.shop.fake.backoffice.items[pk]
            if record.remote.status == "50":
                self.shop.fake.decide_items("approve", pk)
            line = self.find_quoted(pk)
            record.remote = replace(record.remote, refund_amount=line if is_reported else None)
            self.shop.fake.backoffice.refresh(record.remote.order_pk)
        sync_order(self.shop.order.pk, self.shop.fake)

    def find_quoted(self, remote_pk: int) -> Decimal:
        [item] = [item for item in self.shop.items if remote_pk in item.remote_pks]
        amount: Decimal = item.lines.get().quoted.quoted_amount
        return amount

    # --- what each place says ------------------------------------------------------------------------------

    def read_quote(self) -> Split:
        quote = self.post(f"/orders/{self.shop.order.number}/cancel/quote/", self.body).json()
        points = Decimal(quote["loyalty"]["returned"]) + Decimal(quote["loyalty"]["credited"])
        names = {"payment_method": CARD, "iban": ACCOUNT, "loyalty": POINTS}
        money = Decimal(quote["total"]) - points
        return keep({POINTS: points} | ({names[quote["destination"]]: money} if money else {}))

    def read_quote_page(self) -> tuple[Decimal, Decimal]:
        """Read the total, and the points that were spent in it."""
        form = Form(self.client, self.shop.order)
        for place in self.case.chosen:
            row = self.body["cancel_order_items"][0]
            form.choose(place, CancellationReason.objects.get(pk=row["reason"]))
        rows = read(form.go_on()).select(".amounts > div")
        facts = {
            row.dt.get_text(strip=True): row.dd.get_text(strip=True) for row in rows if row.dt and row.dd
        }
        spent = sum_up(facts, "Your refund").get(POINTS, Decimal(0))
        return read_money(facts["Your refund"]), spent

    def read_json(self) -> list[tuple[str, Split]]:
        document = self.client.get(f"/users/orders/{self.shop.order.pk}/?format=json").json()
        return [(refund["status"]["label"], read_document(refund)) for refund in document["refund_set"]]

    def read_page(self, path: str) -> list[tuple[str, Split]]:
        """Read the refunds of the order's page, or of its receipt."""
        return [
            (row.strong.get_text(strip=True), read_card(row))
            for row in read(self.client.get(path)).select(".refunds > li")
            if row.strong
        ]

    def read_result(self) -> tuple[str, Split] | None:
        page = read(self.client.get(f"/orders/{self.shop.order.number}/cancel/{self.submission}/"))
        rows = page.select(".amounts > div")
        facts = [
            (row.dt.get_text(strip=True), row.dd.get_text(strip=True)) for row in rows if row.dt and row.dd
        ]
        total = page.select_one(".amounts > .total dt")
        return (
            None
            if total is None
            else (total.get_text(strip=True), sum_up(dict(facts), total.get_text(strip=True)))
        )

    def read_email(self, kind: str) -> Split:
        email = Email.objects.get(order=self.shop.order, kind=kind)
        draft, _text, _html = compose.render_email(email.kind, compose._gather_content(email), language="en")
        facts = dict(draft.facts)
        label = next(name for name in facts if name in {"Your refund", "Refunded", "Your refund if approved"})
        return sum_up(facts, label)


def keep(split: Split) -> Split:
    return {name: amount for name, amount in split.items() if amount}


def read_money(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.]", "", text))


def read_document(refund: dict[str, Any]) -> Split:
    names = {"loyalty": POINTS}
    if refund["destination"]:
        names[refund["destination"]["value"]] = refund["destination"]["label"]
    amounts = {place: Decimal(amount) for place, amount in refund["split"].items()}
    adjusted = sum((Decimal(row["amount"]) for row in refund["adjustments"]), Decimal(refund["goods_amount"]))
    assert sum(amounts.values()) == adjusted == Decimal(refund["amount"])
    return {names[place]: amount for place, amount in amounts.items() if amount}


def read_card(row: Tag) -> Split:
    total = row.select_one("p.amount")
    assert total is not None
    places = [place.get_text(strip=True) for place in row.select(".place")]
    if len(places) == 1:
        return {places[0]: read_money(total.get_text())}
    split = {name: read_money(amount) for name, _, amount in (place.rpartition(": ") for place in places)}
    assert sum(split.values()) == read_money(total.get_text())
    return split


def sum_up(facts: dict[str, str], label: str) -> Split:
    """Read a total, the points that were paid with points in it, and where the rest goes."""
    total = read_money(facts[label])
    spent = next((read_money(text) for name, text in facts.items() if "in points (" in name), Decimal(0))
    split = {POINTS: spent} if spent else {}
    place = facts.get("Refunded to")
    return split if place is None else split | {place: split.get(place, Decimal(0)) + total - spent}


@pytest.fixture(params=CASES)
def world(request: pytest.FixtureRequest, settings: Settings) -> Iterator[World]:
    case = CASES[request.param]
    settings.EASY_RETURN = False
    shop = Shop(case.lines)
    Order.objects.filter(pk=shop.order.pk).update(**case.order)
    shop.order.refresh_from_db()
    if Decimal(case.spent):
        LoyaltyEntry.objects.create(
            user=shop.user,
            order=shop.order,
            kind="spent",
            amount=-Decimal(case.spent),
            currency="TRY",
            reference="import:1",
        )
    for kind, remote_pk in (("cancel", 1), ("refund", 6)):
        CancellationReason.objects.create(
            code="withdrawal",
            cancellation_type=kind,
            subject="Withdrawal",
            is_active=False,
            remote_pk=remote_pk,
        )
    client = Client()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    with replace_client(shop.fake):
        yield World(case, shop, client)


def assert_same(world: World, label: str) -> None:
    expected = world.case.expected
    assert world.read_json() == [(label, expected)]
    assert world.read_result() == (label, expected)
    for path in (f"/users/orders/{world.shop.order.pk}/", f"/users/orders/{world.shop.order.pk}/receipt/"):
        assert world.read_page(path) == [(label, expected)]


@pytest.mark.rotating("world", opposites=True)
def test_every_place_says_the_same_of_a_refund_until_it_has_been_made(world: World) -> None:
    if world.case.way == "cancel":
        assert world.read_quote() == world.case.expected
        spent = Decimal(0) if world.case.is_as_points else world.case.expected.get(POINTS, Decimal(0))
        assert world.read_quote_page() == (sum(world.case.expected.values()), spent)
    world.ask()
    assert_same(world, "Your refund")
    if world.case.way == "cancel":
        assert world.read_email("cancellation_sent") == world.case.expected

    world.decide(is_reported=False)
    is_points = set(world.case.split) == {POINTS}
    assert_same(world, "Refunded" if is_points else "Refund on its way")
    assert world.read_email("cancellation_completed") == world.case.expected

    world.decide(is_reported=True)
    assert_same(world, "Refunded")


@pytest.mark.rotating("world")
@pytest.mark.parametrize("world", [name for name in CASES if CASES[name].way == "cancel"], indirect=True)
def test_after_a_rejection_no_place_speaks_of_a_refund(world: World, settings: Settings) -> None:
    settings.REVIEW_TYPES = frozenset({"cancel", "refund"})
    quoted = world.read_quote()
    assert quoted == world.case.expected
    world.ask()
    assert_same(world, "Your refund if approved")
    assert world.read_email("request_received") == world.case.expected

    for request in CancellationRequest.objects.all():
        reject_request(request.pk, make_staff(), "No.")

    assert world.read_json() == []
    assert world.read_result() is None
    order, receipt = f"/users/orders/{world.shop.order.pk}/", f"/users/orders/{world.shop.order.pk}/receipt/"
    for path in (order, receipt):
        assert world.read_page(path) == []
    for email in Email.objects.filter(kind="request_rejected"):
        assert "refund" not in email.facts
    assert "TRY" not in read(world.client.get(order)).select_one("[data-region=requests]").get_text()  # type: ignore[union-attr]  # a page has it
