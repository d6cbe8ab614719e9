"""The ledger in the back office: to look at, and to correct by entries of their own."""

from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import get_balance
from tests.http.backoffice_world import log_in, make_staff
from tests.shop import Shop, make_customer

pytestmark = pytest.mark.django_db

LEDGER = "/backoffice/loyalty/loyaltyentry/"


def test_staff_can_look_at_the_ledger_and_not_touch_it() -> None:

    shop = Shop()
    entry = LoyaltyEntry.objects.create(
        user=shop.user, order=shop.order, currency="TRY", kind="earned", amount=12
    )
    staff = log_in(make_staff(is_superuser=True))

    assert shop.user.email in staff.get(LEDGER).content.decode()
    assert "12.00 TRY" in staff.get(f"{LEDGER}{entry.pk}/change/").content.decode()
    assert staff.post(f"{LEDGER}{entry.pk}/change/", {"amount": "1"}).status_code == 405
    assert staff.post(f"{LEDGER}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert LoyaltyEntry.objects.get().amount == 12


def open_form(staff: Client) -> dict[str, Any]:
    page = BeautifulSoup(staff.get(f"{LEDGER}add/").content, "html.parser")
    field = page.select_one("[name=reference]")
    assert field is not None
    return {"reference": field["value"], "currency": "try", "amount": "25.50", "note": "Missing from May."}


def test_staff_correct_points_once_by_an_entry_that_tells_who_and_why() -> None:
    member = make_staff(is_superuser=True)
    staff = log_in(member)
    customer = make_customer()
    form = {**open_form(staff), "email": customer.email.upper()}

    first, second = staff.post(f"{LEDGER}add/", form), staff.post(f"{LEDGER}add/", form)

    entry = LoyaltyEntry.objects.get()
    assert (first.status_code, first["Location"]) == (302, f"{LEDGER}{entry.pk}/change/")
    assert second["Location"] == first["Location"]
    assert (entry.user, entry.kind, entry.amount, entry.currency) == (
        customer,
        "adjustment",
        Decimal("25.50"),
        "TRY",
    )
    assert (entry.made_by, entry.note) == (member, "Missing from May.")
    sheet = staff.get(first["Location"]).content.decode()
    assert "Missing from May." in sheet
    assert member.email in sheet

    staff.post(f"{LEDGER}add/", {**open_form(staff), "email": customer.email, "amount": "-30"})
    assert get_balance(customer, "TRY") == Decimal("-4.50")


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"email": "nobody@example.com"}, "There is no customer with this e-mail address."),
        ({"amount": "0"}, "Enter a number other than zero."),
        ({"amount": "1e30"}, "digits"),
        ({"currency": "T1"}, "Enter a valid value."),
        ({"note": ""}, "This field is required."),
        ({"reference": "mine"}, ""),
    ],
)
def test_a_correction_that_makes_no_sense_books_nothing(wrong: dict[str, str], complaint: str) -> None:
    staff = log_in(make_staff(is_superuser=True))
    form = {**open_form(staff), "email": make_customer().email, **wrong}

    answer = staff.post(f"{LEDGER}add/", form)

    assert answer.status_code == 200
    assert complaint in answer.content.decode()
    assert not LoyaltyEntry.objects.exists()


def test_only_who_may_add_an_entry_corrects() -> None:
    reader = log_in(make_staff("view_loyaltyentry"))
    assert reader.get(LEDGER).status_code == 200
    form = {"email": make_customer().email, "currency": "TRY", "amount": "5", "note": "x"}
    assert reader.get(f"{LEDGER}add/").status_code == 403
    assert reader.post(f"{LEDGER}add/", form).status_code == 403
    assert not LoyaltyEntry.objects.exists()

    adder = log_in(make_staff("view_loyaltyentry", "add_loyaltyentry"))
    assert adder.get(f"{LEDGER}add/").status_code == 200
