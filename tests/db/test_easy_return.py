"""Easy return: the company's calendar, the code from Omnitron and its validity, what the customer is told."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from aftercart.accounts.models import Address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.commands import Answer
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, EasyReturnCompany, SubmissionLine
from aftercart.cancellations.models.easy_return import ReturnInstructions, find_instructions
from aftercart.cancellations.selectors import build_document
from aftercart.lib.clock import get_shop_now
from aftercart.orders.errors import InputInvalid
from aftercart.orders.models import Order, TimelineEntry
from tests.clock import stop_clock
from tests.http.backoffice_world import log_in, make_staff
from tests.shop import Line, Shop, ask, make_address, make_command, make_company

pytestmark = pytest.mark.django_db


class ReturnShop(Shop):
    """A shop with a delivered order and a company that collects."""

    def __post_init__(self) -> None:
        self.lines = self.lines or [Line(status="550")]
        self.order_fields = {"status": "550"}
        super().__post_init__()
        self.company = make_company()
        self.address = make_address(self.user)

    company: EasyReturnCompany
    address: Address

    def give_back(self, *, is_request: bool = False, **fields: Any) -> Answer:
        asked = ask(self.items[0], self.refund_reason, **({"shipping_company": self.company.pk} | fields))
        command = make_command(self.order, asked, pickup_address=self.address.pk)
        return request_cancellation(command) if is_request else cancel_items(command, self.fake)

    @property
    def line(self) -> SubmissionLine:
        return SubmissionLine.objects.get()


def tomorrow(start: str = "09:00", end: str = "12:00") -> dict[str, Any]:
    day = get_shop_now().date() + timedelta(days=2)
    return {"date": day.isoformat(), "hour_range": {"start": start, "end": end}}


# --- the calendar ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"lead_days": 30}, "The parcel can be collected from"),
        ({"slots": ["13:00-17:00"]}, "Parcels are collected at these hours: 13:00–17:00."),
        (
            {"closed_dates": [get_shop_now().date() + timedelta(days=2)]},
            "Parcels are not collected on that day.",
        ),
    ],
)
def test_a_pickup_outside_the_companys_calendar_is_refused_and_nothing_is_written(
    fields: dict[str, Any], sentence: str
) -> None:
    shop = ReturnShop()
    EasyReturnCompany.objects.update(**fields)

    with pytest.raises(InputInvalid) as refused:
        shop.give_back(pickup_date=tomorrow())

    (shown,) = refused.value.fields["cancel_order_items"]
    assert shown.startswith(f"Item {shop.items[0].pk}, pickup_date: ")
    assert sentence in shown
    assert not SubmissionLine.objects.exists()
    assert shop.fake.posts == []


def test_a_pickup_within_the_calendar_and_none_at_all_are_taken() -> None:
    day = get_shop_now().date() + timedelta(days=2)
    fields = {"weekdays": [day.isoweekday()], "slots": ["09:00-12:00"], "lead_days": 1}
    for pickup in (tomorrow(), None):
        shop = ReturnShop()
        EasyReturnCompany.objects.update(**fields)
        assert shop.give_back(pickup_date=pickup).status == 204
        line = SubmissionLine.objects.get(order_item=shop.items[0])
        assert line.pickup_date == pickup
        SubmissionLine.objects.all().delete()


def test_the_calendar_is_read_in_the_shops_time_zone(settings: Settings) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Istanbul"
    late = datetime(2030, 5, 14, 21, 30, tzinfo=UTC)  # half past midnight of the 15th there
    shop = ReturnShop()
    evening = {"date": "2030-05-14", "hour_range": {"start": "22:00", "end": "23:00"}}

    with stop_clock(late), pytest.raises(InputInvalid, match="in the past"):
        shop.give_back(pickup_date=evening)


def test_a_calendar_that_makes_no_sense_is_not_kept() -> None:
    company = EasyReturnCompany(name="X", value="x", slots=["12:00-09:00"])
    with pytest.raises(ValidationError, match="Write hours as in"):
        company.full_clean()


def test_the_document_offers_companies_only_where_there_is_something_to_return() -> None:
    shop = ReturnShop([Line(status="550"), Line(status="400")])
    make_company(is_active=False)
    make_company(channel_id=shop.order.channel_id + 1)

    offered = [
        item["available_easy_return_shipping_companies"]
        for item in build_document(Order.objects.get())["orderitem_set"]
    ]

    label = {"value": "yurtici", "label": "Yurtiçi Kargo"}
    assert offered == [[{"pk": shop.company.pk, "shipping_company": label}], []]


# --- the code ----------------------------------------------------------------------------------------------


def test_a_request_gets_its_code_from_omnitron_and_shows_it() -> None:
    shop = ReturnShop()
    shop.give_back(is_request=True)
    request = CancellationRequest.objects.get()
    assert shop.line.easy_return_code == ""

    deliver_request(request.pk, shop.fake)

    assert shop.fake.posts[0].body["shipping_company"] == "yurtici"
    line = shop.line
    assert line.easy_return_code == "ER300001"
    assert line.easy_return_valid_until is not None
    assert timedelta(days=9) < line.easy_return_valid_until - timezone.now() <= timedelta(days=10)
    (item,) = build_document(Order.objects.get())["orderitem_set"]
    assert item["active_cancellation_request"]["easy_return"] == {
        "code": "ER300001",
        "shipping_company": {"value": "yurtici", "label": "Yurtiçi Kargo"},
    }
    shown = TimelineEntry.objects.get(event="return_code_issued")
    assert (shown.actor, shown.item, shown.data) == ("omnitron", shop.items[0], {"line": line.pk})


def test_a_direct_return_gets_its_code_with_the_next_look_and_once() -> None:
    shop = ReturnShop()
    assert shop.give_back().status == 204
    pk = shop.fake.posts[0].body["cancel_items"][0]
    assert shop.fake.posts[0].body["shipping_companies"] == {str(pk): "yurtici"}
    assert shop.line.easy_return_code == ""
    version = Order.objects.get().version

    sync_order(shop.order.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    assert shop.line.easy_return_code == f"ER{pk}"
    assert shop.line.easy_return_valid_until is not None
    assert TimelineEntry.objects.filter(event="return_code_issued").count() == 1
    assert Order.objects.get().version == version + 1


def test_an_approved_return_takes_the_code_of_the_direct_way() -> None:
    shop = ReturnShop()
    shop.give_back(is_request=True)
    request = CancellationRequest.objects.get()
    deliver_request(request.pk, shop.fake)
    approve_request(request.pk, make_staff())
    execute_approval(request.pk, shop.fake)

    sync_order(shop.order.pk, shop.fake)

    assert re.fullmatch(r"ER7\d{5}", shop.line.easy_return_code)


def test_without_a_company_no_code_is_asked_for_and_none_is_kept(settings: Settings) -> None:
    settings.EASY_RETURN = False
    shop = ReturnShop()
    shop.give_back(shipping_company=None)
    pk = shop.fake.posts[0].body["cancel_items"][0]
    assert "shipping_companies" not in shop.fake.posts[0].body
    item = shop.fake.backoffice.items[pk]

    item.remote = replace(item.remote, easy_return_code="OLD")

    sync_order(shop.order.pk, shop.fake)

    assert shop.line.easy_return_code == ""


# --- what the customer is told -----------------------------------------------------------------------------


def read_page(client: Client, shop: Shop) -> str:
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/users/orders/{shop.order.pk}/")
    assert page.status_code == 200
    return re.sub(r"\s+", " ", BeautifulSoup(page.content, "html.parser").get_text(" "))


def test_the_page_says_what_to_do_with_the_code_and_until_when(client: Client) -> None:
    shop = ReturnShop()
    shop.give_back(pickup_date={"date": "2099-05-14", "hour_range": {"start": "09:00", "end": "12:00"}})
    waiting = read_page(client, shop)
    assert "Your return code will follow by e-mail. Write it on the parcel." in waiting

    until = datetime(2099, 5, 20, 9, 30, tzinfo=UTC)
    SubmissionLine.objects.update(easy_return_code="ER77", easy_return_valid_until=until)

    text = read_page(client, shop)
    for words in (
        "How to send it back",
        "Return code ER77",
        "Write the return code ER77 on the parcel.",
        "Valid until 20 May 2099, 12:30",
        "Hand the parcel to Yurtiçi Kargo on Thursday, 14 May, 09:00–12:00.",
        f"Pickup address {shop.address.line}, {shop.address.postcode} Kadıköy / İstanbul",
    ):
        assert words in text
    assert "will follow by e-mail" not in text


def test_a_code_that_has_expired_is_said_to_have(client: Client) -> None:
    shop = ReturnShop()
    shop.give_back()
    past = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
    SubmissionLine.objects.update(easy_return_code="ER77", easy_return_valid_until=past)

    text = read_page(client, shop)

    assert "Valid until 2 January 2026, 12:00" in text
    assert "This return code is no longer valid. Please ask us for a new one" in text
    assert "Write the return code" not in text


def test_without_easy_return_there_are_instructions_of_the_channel_instead(
    client: Client, settings: Settings
) -> None:
    settings.EASY_RETURN = False
    shop = ReturnShop()
    shop.give_back(shipping_company=None)
    assert "Pack the items well" in read_page(client, shop)

    ReturnInstructions.objects.create(channel_id=None, text="Send it to all of us.")
    assert "Send it to all of us." in read_page(client, shop)
    ReturnInstructions.objects.create(
        channel_id=shop.order.channel_id,
        text="Bring it to the shop.",
        translations={"tr": {"text": "Mağazaya getirin."}},
    )
    text = read_page(client, shop)
    assert "Bring it to the shop." in text
    assert "return code" not in text
    with translation.override("tr"):
        assert find_instructions(shop.order.channel_id) == "Mağazaya getirin."
    assert find_instructions(shop.order.channel_id + 1) == "Send it to all of us."


def test_a_channel_has_one_text_of_instructions() -> None:
    ReturnInstructions.objects.create(channel_id=None, text="One.")
    with pytest.raises(IntegrityError), transaction.atomic():
        ReturnInstructions.objects.create(channel_id=None, text="Two.")


def test_the_page_shows_an_account_by_its_last_four_only(client: Client) -> None:
    payment = {"pk": 4, "name": "Havale", "payment_type": "funds_transfer", "slug": "havale"}
    shop = Shop(order_fields={"payment_option": payment})
    asked = ask(
        shop.items[0], shop.cancel_reason, iban="TR330006100519786457841326", holder_name="Ayşe Yılmaz"
    )
    cancel_items(make_command(shop.order, asked), shop.fake)

    text = read_page(client, shop)

    assert "Your money goes to the account that ends in 1326." in text
    assert "0006100519786457841326" not in text
    assert "TR33" not in text


def test_what_is_decided_asks_nothing_more_of_the_customer(client: Client) -> None:
    shop = ReturnShop()
    shop.give_back()
    shop.fake.decide_items("approve", shop.fake.posts[0].body["cancel_items"][0])
    sync_order(shop.order.pk, shop.fake)

    assert "How to send it back" not in read_page(client, shop)


# --- the back office ---------------------------------------------------------------------------------------


def test_staff_set_a_calendar_and_instructions() -> None:
    staff = log_in(make_staff(is_superuser=True))
    form = {
        "name": "Aras", "value": "aras", "is_active": "on", "weekdays": ["1", "5"], "lead_days": "1",
        "slots": "09:00-12:00, 13:00-17:00", "closed_dates": "2026-12-31",
    }  # fmt: skip
    assert staff.post("/backoffice/cancellations/easyreturncompany/add/", form).status_code == 302
    company = EasyReturnCompany.objects.get()
    assert (company.weekdays, company.slots, company.lead_days, company.closed_dates) == (
        [1, 5],
        ["09:00-12:00", "13:00-17:00"],
        1,
        [date(2026, 12, 31)],
    )
    bad = staff.post(
        "/backoffice/cancellations/easyreturncompany/add/", {**form, "slots": "noon", "weekdays": ["9"]}
    )
    assert bad.status_code == 200
    assert EasyReturnCompany.objects.count() == 1

    shown = {"text": "Send it.", "text_en": "", "text_tr": "Gönderin."}
    assert staff.post("/backoffice/cancellations/returninstructions/add/", shown).status_code == 302
    assert ReturnInstructions.objects.get().translations == {"tr": {"text": "Gönderin."}}
    page = staff.get(
        f"/backoffice/cancellations/returninstructions/{ReturnInstructions.objects.get().pk}/change/"
    )
    assert "Gönderin." in page.content.decode()


def test_staff_see_the_code_and_its_validity() -> None:
    staff = log_in(make_staff(is_superuser=True))
    shop = ReturnShop()
    shop.give_back(is_request=True)
    until = datetime(2099, 5, 20, 9, 30, tzinfo=UTC)
    SubmissionLine.objects.update(easy_return_code="ER77", easy_return_valid_until=until)
    request = CancellationRequest.objects.get()

    sheet = staff.get(f"/backoffice/cancellations/cancellationrequest/{request.pk}/change/").content.decode()
    assert "ER77" in sheet
    assert "20 May 2099, 12:30" in sheet
    submission = staff.get(
        f"/backoffice/cancellations/submission/{request.line.submission_id}/change/"
    ).content.decode()
    assert "ER77, until 20 May 2099, 12:30" in submission
