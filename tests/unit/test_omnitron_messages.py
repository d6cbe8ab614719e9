"""What Omnitron's JSON may look like, what must be in it, and what never shows in a repr."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercart.omnitron import documents
from aftercart.omnitron.answers import read_json
from aftercart.omnitron.values import (
    STATUS_NUMBERS,
    Malformed,
    read_optional_moment,
    read_status,
    write_moment,
)
from aftercart.oms.messages import (
    AddressChange,
    CancelCommand,
    RemoteAddress,
    RemoteItem,
    RemoteOrder,
    RemoteReason,
    RemoteRequest,
    RequestDraft,
)

READERS: tuple[tuple[Callable[[Any], object], type], ...] = (
    (documents.read_item, RemoteItem),
    (documents.read_order, RemoteOrder),
    (documents.read_reason, RemoteReason),
    (documents.read_request, RemoteRequest),
)
ITEM = {"pk": 1, "order": 5, "status": "400"}

#: Contract section 7, to the letter.
SECTION_7 = (
    "50 cancellation_waiting · 100 canceled · 200 waiting · 300 payment_waiting · 350 confirmation_waiting · "
    "400 approved · 450 preparing · 500 shipped · 510 shipped_and_informed · 520 ready_for_pickup · "
    "540 attempted_delivery · 544 review_started · 545 review_waiting · 546 waiting_for_payment · 547 paid · "
    "550 delivered · 600 refunded"
)

# Of the characters that numbers and moments are made of, so that near misses are frequent.
texts = st.text("0123456789-+.:eETZ aé٣", max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.decimals(),
    lambda children: st.lists(children) | st.dictionaries(texts, children),
    max_leaves=5,
)
KEYS = (
    *(
        "pk",
        "id",
        "order",
        "number",
        "status",
        "cancel_status",
        "quantity",
        "price",
        "amount",
        "modified_date",
    ),
    *("refund_amount", "order_item", "remote_id", "easy_return", "cancellation_type", "subject", "is_active"),
)


def test_the_statuses_are_the_contracts() -> None:
    pairs = (entry.split(" ") for entry in SECTION_7.split(" · "))
    assert {name: number for number, name in pairs} == STATUS_NUMBERS


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (50, "50"),
        ("50", "50"),
        (" 50 ", "50"),
        ("cancellation_waiting", "50"),
        ("Cancellation_Waiting", "50"),
        ({"value": 50, "label": "İptal bekliyor"}, "50"),
        ({"value": "cancellation_waiting"}, "50"),
        ("waiting_for_payment", "546"),
        (999, "999"),
        ("on_the_moon", "on_the_moon"),
    ],
)
def test_a_status_is_read_from_number_or_name(value: Any, status: str) -> None:
    assert read_status({"status": value}) == status


@pytest.mark.parametrize("value", [None, True, [], {}, {"value": None}, {"label": "x"}, {"value": {}}])
def test_a_status_must_be_there(value: Any) -> None:
    with pytest.raises(Malformed):
        read_status({"status": value})


def test_an_item_is_read_whole() -> None:
    row = {
        "id": "12",
        "order": "5",
        "sku": "SKU-1",
        "status": 450,
        "cancel_status": "confirmed",
        "quantity": "3",
        "price": "19.90",
        "refund_amount": 7,
    }
    assert documents.read_item(row) == RemoteItem(
        12, 5, "SKU-1", "450", "confirmed", 3, Decimal("19.90"), Decimal(7)
    )


def test_what_is_optional_and_absent_is_none() -> None:
    assert documents.read_item(ITEM) == RemoteItem(1, 5, None, "400", None, None, None, None)
    order = documents.read_order({"pk": 5, "number": 1234567890123456, "status": "approved"})
    assert order == RemoteOrder(5, "1234567890123456", "400", None, None, None, None, None, None, ())
    request = documents.read_request({"pk": 3, "order_item": 1, "status": "waiting"})
    assert request == RemoteRequest(3, 1, None, "waiting", None, None, None, None, None, None, None)


@pytest.mark.parametrize("key", ["pk", "order"])
@pytest.mark.parametrize("value", [None, True, [], "", "x", "1.5", Decimal("1.5"), "٣"])
def test_what_is_required_must_be_there_and_readable(key: str, value: Any) -> None:
    with pytest.raises(Malformed) as caught:
        documents.read_item(ITEM | {key: value})
    assert key in str(caught.value)


def test_the_easy_return_is_read_flat_or_nested() -> None:
    base = {"pk": 3, "order_item": 1, "status": "confirmed"}
    until = "2026-05-01T09:00:00Z"
    flat = documents.read_request(base | {"easy_return_code": "ER3", "easy_return_valid_until": until})
    nested = documents.read_request(base | {"easy_return": {"code": "ER3", "valid_until": until}})
    assert flat == nested
    assert (flat.easy_return_code, flat.easy_return_valid_until) == (
        "ER3",
        datetime(2026, 5, 1, 9, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("extra", "is_active"), [({}, True), ({"is_active": True}, True), ({"is_active": False}, False)]
)
def test_a_reason_is_active_unless_it_says_no(extra: dict[str, bool], is_active: bool) -> None:
    row = {"pk": "1", "cancellation_type": "cancel", "subject": "Other"}
    assert documents.read_reason(row | extra) == RemoteReason(1, "cancel", "Other", is_active)


def test_an_amount_never_passes_through_a_float() -> None:
    row = read_json(
        b'{"pk": 1, "order": 5, "status": 400, "price": 0.1, "refund_amount": 123456789012.3400000000005}'
    )
    item = documents.read_item(row)
    assert (item.price, item.refund_amount) == (Decimal("0.1"), Decimal("123456789012.3400000000005"))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (rb"A\u0000B", "A\ufffdB"),
        (rb"A\ud800B", "A\ufffdB"),
        (rb"A\uDC00B", "A\ufffdB"),
        (b"A\xed\xa0\x80B", "A\ufffdB"),
        (rb"A\ud83d\ude00B", "A\N{GRINNING FACE}B"),
        (rb"A\\u0000B", r"A\u0000B"),
    ],
)
def test_what_postgresql_cannot_hold_is_replaced_wherever_it_stands(written: bytes, text: str) -> None:
    assert read_json(b'{"%b": [1, {"number": "%b"}]}' % (written, written)) == {text: [1, {"number": text}]}


@pytest.mark.parametrize("value", ["much", True, [], {}, "NaN", "Infinity", Decimal("NaN")])
def test_an_amount_that_is_none_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        documents.read_item(ITEM | {"price": value})


@given(st.dictionaries(st.sampled_from(KEYS), anything))
def test_no_json_object_breaks_a_reader(row: dict[str, Any]) -> None:
    for read, kind in READERS:
        try:
            assert isinstance(read(row), kind)
        except Malformed:
            continue


@given(anything.filter(lambda value: not isinstance(value, dict)))
def test_what_is_no_json_object_is_malformed(value: Any) -> None:
    for read, _kind in READERS:
        with pytest.raises(Malformed):
            read(value)


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(2099, 12, 31),  # noqa: DTZ001 - likewise
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=3))]),
    )
)
def test_a_moment_survives_being_written_and_read(moment: datetime) -> None:
    text = write_moment(moment)
    assert text.endswith("Z")
    assert read_optional_moment({"at": text}, "at") == moment


@pytest.mark.parametrize(
    ("text", "year"),
    [("0001-01-01T00:00:00+14:00", 1970), ("9999-12-31T23:59:59-12:00", 2100)],
)
def test_a_moment_that_no_calendar_reckons_with_becomes_the_nearest(text: str, year: int) -> None:
    assert read_optional_moment({"at": text}, "at") == datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [{"order": 2**63}, {"order": Decimal("1E+30")}, {"price": "1E+12"}, {"refund_amount": "-1E+99"}],
)
def test_a_number_that_no_column_holds_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        documents.read_item(ITEM | changes)


def test_a_moment_without_an_offset_is_read_as_utc_and_never_written() -> None:
    assert read_optional_moment({"at": "2026-05-01T09:00:00"}, "at") == datetime(2026, 5, 1, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match="offset"):
        write_moment(datetime(2026, 5, 1, 9))  # noqa: DTZ001 - the claim


def test_the_bodies_have_the_contracts_keys_in_its_order() -> None:
    command = CancelCommand(order_pk=5, reasons={7: 1})
    assert documents.write_cancel(command) == {
        "order": 5,
        "is_all": False,
        "cancel_items": [7],
        "reasons": {"7": 1},
        "forced_refund_amount": None,
        "is_cargo_refund": False,
        "refund_invoice_number": None,
        "ibans": {},
        "holder_names": {},
    }
    draft = RequestDraft(order_item_pk=7, reason_pk=1, remote_id="r-1")
    assert list(documents.write_draft(draft)) == [
        *("order_item", "reason", "remote_id", "description", "cancellation_type", "quantity"),
        *("iban", "holder_name", "fully_refund_as_loyalty_money"),
    ]


def test_an_amount_is_sent_without_an_exponent() -> None:
    command = CancelCommand(order_pk=5, reasons={7: 1}, forced_refund_amount=Decimal("1E+3"))
    assert documents.write_cancel(command)["forced_refund_amount"] == "1000"


def test_no_repr_shows_an_iban_a_holder_or_an_address() -> None:
    secrets = {
        "iban": "TR330006100519786457841326",
        "holder": "Ayse Oz",
        "text": "my account is",
        "street": "Street 1",
        "mail": "a@example.com",
        "phone": "+905550000000",
    }
    address = RemoteAddress(
        pk=11, first_name="Ayse", last_name="Oz", email=secrets["mail"], phone_number=secrets["phone"],
        title="Home", line=secrets["street"], postcode="34000", notes=None, country=1, city=2, township=3,
        district=4,
    )  # fmt: skip
    shown = repr(
        [
            CancelCommand(5, {7: 1}, ibans={7: secrets["iban"]}, holder_names={7: secrets["holder"]}),
            RequestDraft(
                7, 1, "r-1", description=secrets["text"], iban=secrets["iban"], holder_name=secrets["holder"]
            ),
            AddressChange(1, 77, address),
        ]
    )
    assert [name for name, secret in secrets.items() if secret in shown] == []
    assert "Ayse" not in shown
