# ruff: noqa: SIM117 - the inner block holds what is expected to fail
"""What the HTTP client says, to the letter of contract section 8, and how it reads lists."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from aftercart.lib.correlation import correlated
from aftercart.omnitron import http
from aftercart.oms.errors import AnswerUnknown, NotFound, NotSent
from aftercart.oms.messages import AddressChange, CancelCommand, RemoteAddress, RequestDraft
from tests.remote.test_client_wire import Request, answer, connect, page, serve

ORDER = {"pk": 5, "number": "ORD-1", "status": "400"}
ADDRESS = RemoteAddress(
    pk=11, first_name="Ayşe", last_name="Öz", email="a@example.com", phone_number="+905550000000",
    title="Home", line="Street 1", postcode="34000", notes=None, country=1, city=2, township=3, district=None,
)  # fmt: skip


def query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))


def test_a_cancellation_is_sent_to_the_letter() -> None:
    command = CancelCommand(
        order_pk=5,
        reasons={7: 1, 9: 2},
        forced_refund_amount=Decimal("12.50"),
        is_cargo_refund=True,
        ibans={7: "TR330006100519786457841326"},
        holder_names={7: "Ayşe Öz"},
    )
    with serve(answer(200)) as server, connect(server).dialogue() as dialogue:
        dialogue.cancel_items(channel_id=4, command=command)
    request = server.requests[0]
    assert (request.method, request.target) == ("POST", "/api/v1/channel/4/orders/5/cancel/")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert request.json == {
        "order": 5,
        "is_all": False,
        "cancel_items": [7, 9],
        "reasons": {"7": 1, "9": 2},
        "forced_refund_amount": "12.50",
        "is_cargo_refund": True,
        "refund_invoice_number": None,
        "ibans": {"7": "TR330006100519786457841326"},
        "holder_names": {"7": "Ayşe Öz"},
    }


def test_a_call_bears_the_id_of_the_request_that_it_is_made_for() -> None:
    with serve(answer(200), answer(200)) as server, connect(server).dialogue() as dialogue:
        with correlated("edge-17"):
            dialogue.cancel_items(channel_id=4, command=CancelCommand(order_pk=5, reasons={7: 1}))
        dialogue.cancel_items(channel_id=4, command=CancelCommand(order_pk=5, reasons={7: 1}))
    assert [request.headers.get("x-request-id") for request in server.requests] == ["edge-17", None]


def test_a_whole_order_is_cancelled_with_an_empty_list_and_all_reasons() -> None:
    with serve(answer(200)) as server, connect(server).dialogue() as dialogue:
        dialogue.cancel_items(channel_id=4, command=CancelCommand(order_pk=5, reasons={7: 1}, is_all=True))
    body = server.requests[0].json
    assert (body["is_all"], body["cancel_items"], body["reasons"]) == (True, [], {"7": 1})
    assert body["forced_refund_amount"] is None


def test_a_request_is_sent_to_the_letter() -> None:
    draft = RequestDraft(
        order_item_pk=7, reason_pk=1, remote_id="r-1", description="Too big", cancellation_type="refund",
        quantity=2, iban="TR33", holder_name="Ayşe", fully_refund_as_loyalty_money=True,
    )  # fmt: skip
    made = answer(201, {"pk": 3, "order_item": 7, "status": "waiting", "remote_id": "r-1"})
    with serve(made) as server, connect(server).dialogue() as dialogue:
        assert dialogue.create_request(channel_id=4, draft=draft).pk == 3
    request = server.requests[0]
    assert (request.method, request.target) == ("POST", "/api/v1/channel/4/cancellation_requests/")
    assert request.json == {
        "order_item": 7,
        "reason": 1,
        "remote_id": "r-1",
        "description": "Too big",
        "cancellation_type": "refund",
        "quantity": 2,
        "iban": "TR33",
        "holder_name": "Ayşe",
        "fully_refund_as_loyalty_money": True,
    }


@pytest.mark.parametrize("body", [b"", b"{}", b'{"pk": 3}', b"[]"])
def test_a_request_that_was_made_but_is_not_shown_is_unknown(body: bytes) -> None:
    draft = RequestDraft(order_item_pk=7, reason_pk=1, remote_id="r-1")
    with serve(answer(201, body)) as server, connect(server).dialogue() as dialogue:
        with pytest.raises(AnswerUnknown) as caught:
            dialogue.create_request(channel_id=4, draft=draft)
    assert (caught.value.code, caught.value.status, len(server.requests)) == ("malformed", 201, 1)


def test_a_rejection_is_sent_with_its_reason() -> None:
    with serve(answer(200, {})) as server, connect(server).dialogue() as dialogue:
        dialogue.reject_request(channel_id=4, pk=3, reason="Worn")
    assert server.calls == ["POST /api/v1/channel/4/cancellation_requests/3/reject/"]
    assert server.requests[0].json == {"reject_reason": "Worn"}


def test_an_address_change_is_sent_to_the_letter_and_tells_the_status() -> None:
    with serve(answer(202, {"status": "ok"})) as server, connect(server).dialogue() as dialogue:
        assert dialogue.change_address(body=AddressChange(channel_id=4, order_id=77, address=ADDRESS)) == 202
    assert server.calls == ["POST /api/v1/channel/4/orders/change_address/"]
    assert server.requests[0].json == {
        "channel_id": 4,
        "order": 77,
        "address": {
            "pk": 11,
            "first_name": "Ayşe",
            "last_name": "Öz",
            "email": "a@example.com",
            "phone_number": "+905550000000",
            "title": "Home",
            "line": "Street 1",
            "postcode": "34000",
            "notes": None,
            "country": 1,
            "city": 2,
            "township": 3,
            "district": None,
            "retail_store": None,
        },
        "order_address_types": ["shipping"],
    }


def test_method_path_and_prefix_of_the_address_change_are_settings() -> None:
    with serve(answer(200)) as server:
        client = connect(
            f"{server.url}/omni/",
            prefix="api/v2/",
            address_method="patch",
            address_path="/c/{channel_id}/a/",
        )
        with client.dialogue() as dialogue:
            dialogue.change_address(body=AddressChange(channel_id=4, order_id=77, address=ADDRESS))
    assert server.calls == ["PATCH /omni/api/v2/c/4/a/"]


def test_an_order_is_read_with_all_pages_of_its_items_and_nothing_of_others() -> None:
    def item(pk: int, order: object = 5) -> dict[str, object]:
        return {"pk": pk, "order": order, "status": 400}

    with (
        serve() as elsewhere,
        serve(
            page({"pk": 6, "number": "ORD-10", "status": "400"}, ORDER),
            page(item(3), item(8, order=6), next_url=f"{elsewhere.url}/steal/?page=2"),
            page(item(2, order="5"), next_url=f"{elsewhere.url}/steal/?page=3"),
            page(item(9), item(3)),
        ) as server,
        connect(server).dialogue() as dialogue,
    ):
        order = dialogue.read_order(channel_id=4, number="ORD-1")
    assert [item.pk for item in order.items] == [2, 3, 9]
    assert elsewhere.connections == 0
    assert server.calls == ["GET /api/v1/channel/4/orders/"] + ["GET /api/v1/channel/4/order_items/"] * 3
    assert query(server.requests[0]) == {"number": "ORD-1", "limit": "100", "page": "1"}
    assert [query(request) for request in server.requests[1:]] == [
        {"order": "5", "sort": "id", "limit": "100", "page": number} for number in ("1", "2", "3")
    ]


def test_a_number_goes_into_the_query_whatever_it_holds() -> None:
    number = "a/b?c=d&page=9#é\r\nX: y"
    with serve(page()) as server, connect(server).dialogue() as dialogue, pytest.raises(NotFound) as caught:
        dialogue.read_order(channel_id=4, number=number)
    assert query(server.requests[0])["number"] == number
    assert (caught.value.code, caught.value.status) == ("not_found", None)


def test_two_orders_of_one_number_are_no_answer() -> None:
    with serve(page(ORDER, ORDER | {"pk": 6})) as server, connect(server).dialogue() as dialogue:
        with pytest.raises(NotSent) as caught:
            dialogue.read_order(channel_id=4, number="ORD-1")
    assert caught.value.code == "malformed"


def test_ids_are_found_one_by_one_sorted_and_complete() -> None:
    with (
        serve(
            page(
                {"object_id": "12", "remote_id": "70"},
                {"object_id": 9, "remote_id": 70},
                {"object_id": 1, "remote_id": "700"},
                {"object_id": 9, "remote_id": "70"},
            ),
            page(),
        ) as server,
        connect(server).dialogue() as dialogue,
    ):
        found = dialogue.find_object_ids(
            channel_id=4, content_type="orderitem", remote_ids=["70", "71", "70"]
        )
    assert found == {"70": (9, 12), "71": ()}
    assert server.calls == ["GET /api/v1/channel/4/integration_actions/"] * 2
    assert [query(request) for request in server.requests] == [
        {"content_type_name": "orderitem", "remote_id__exact": text, "limit": "100", "page": "1"}
        for text in ("70", "71")
    ]


def test_requests_are_found_by_exactly_our_id() -> None:
    row = {"pk": 3, "order_item": 7, "status": "waiting", "remote_id": "r-1"}
    with serve(page(row, row | {"pk": 4, "remote_id": "r-11"}, row | {"pk": 5, "remote_id": None})) as server:
        with connect(server).dialogue() as dialogue:
            found = dialogue.find_requests(channel_id=4, remote_id="r-1")
    assert [request.pk for request in found] == [3]
    assert query(server.requests[0])["remote_id__exact"] == "r-1"


def test_updates_come_page_by_page_and_only_newer_ones() -> None:
    since = datetime(2026, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=3)))
    old = ORDER | {"pk": 1, "modified_date": "2026-05-01T09:00:00.000000Z"}
    new = ORDER | {"pk": 2, "modified_date": "2026-05-01T09:00:00.000001Z"}
    with serve(page(old, new, next_url="/next"), page(ORDER | {"pk": 3})) as server:
        with connect(server).dialogue() as dialogue:
            pages = list(dialogue.list_order_updates(channel_id=4, limit=2, since=since))
    assert [[order.pk for order in rows] for rows in pages] == [[2], [3]]
    assert pages[0][0].modified_date == datetime(2026, 5, 1, 9, 0, 0, 1, tzinfo=UTC)
    assert server.calls == ["GET /api/v1/channel/4/orders/updates/"] * 2
    assert query(server.requests[0]) == {
        "sort": "modified_date",
        "modified_date__gt": "2026-05-01T09:00:00.000000Z",
        "limit": "2",
        "page": "1",
    }


def test_updates_without_a_moment_ask_for_all_and_stop_when_the_caller_stops() -> None:
    row = {"pk": 3, "order_item": 7, "status": "rejected", "reject_reason": "Worn"}
    with serve(page(row, next_url="/next")) as server, connect(server).dialogue() as dialogue:
        rows = next(dialogue.list_request_updates(channel_id=4, limit=50))
    assert [request.reject_reason for request in rows] == ["Worn"]
    assert server.calls == ["GET /api/v1/channel/4/cancellation_requests/updates/"]
    assert query(server.requests[0]) == {"sort": "modified_date", "limit": "50", "page": "1"}


def test_reasons_are_read_to_the_last_page() -> None:
    row = {"pk": 1, "cancellation_type": {"value": "cancel", "label": "İptal"}, "subject": "Other"}
    with serve(page(row, next_url="/next"), page(row | {"pk": 2, "is_active": False})) as server:
        with connect(server).dialogue() as dialogue:
            reasons = dialogue.list_reasons(channel_id=4)
    assert [(reason.pk, reason.cancellation_type, reason.is_active) for reason in reasons] == [
        (1, "cancel", True),
        (2, "cancel", False),
    ]


def test_a_list_that_shrinks_while_it_is_read_may_be_read_again() -> None:
    with serve(page(next_url="/next"), answer(404, {"detail": "Invalid page."})) as server:
        with connect(server).dialogue() as dialogue, pytest.raises(NotSent) as caught:
            dialogue.list_reasons(channel_id=4)
    assert (caught.value.code, caught.value.status) == ("malformed", 404)


def test_a_list_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_PAGES", 3)
    with serve(*[page(next_url="/next")] * 4) as server, connect(server).dialogue() as dialogue:
        with pytest.raises(NotSent) as caught:
            dialogue.list_reasons(channel_id=4)
    assert (caught.value.code, len(server.requests)) == ("malformed", 3)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"", b'{"results": {}}', b'{"results": [1]}'])
def test_a_list_without_results_may_be_read_again(body: bytes) -> None:
    with serve(answer(200, body)) as server, connect(server).dialogue() as dialogue:
        with pytest.raises(NotSent) as caught:
            dialogue.list_reasons(channel_id=4)
    assert caught.value.code == "malformed"
