from collections.abc import Iterator
from typing import Any

import pytest

from tests.remote.sandbox_process import CHANNEL, SandboxProcess, item_document, order_document, running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Twenty-five orders that no test here changes; the last has a line of three that is split."""
    with running(tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3") as server:
        orders = [
            order_document(
                key, created_date=f"2026-01-{key:02}T10:00:00Z", status="550" if key > 20 else "400"
            )
            for key in range(1, 25)
        ]
        split = item_document(252, quantity=3, split_units=True)
        server.load(*orders, order_document(25, item_document(251), split))
        yield server


def test_a_page_has_ten_rows_and_absolute_links(sandbox: SandboxProcess) -> None:
    page = sandbox.get("orders/")
    at = f"{sandbox.base_url}{CHANNEL}/orders/"
    assert list(page) == ["count", "next", "previous", "results"]
    assert (page["count"], page["next"], page["previous"], len(page["results"])) == (
        25,
        f"{at}?page=2",
        None,
        10,
    )
    last = sandbox.get("orders/", page=3)
    assert (last["next"], last["previous"], len(last["results"])) == (None, f"{at}?page=2", 5)
    assert sandbox.get("orders/", page=2)["previous"] == at


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({"limit": 4}, 4),
        ({"page_size": 4}, 4),
        ({"limit": 1000}, 25),
        ({"limit": 0}, 10),
        ({"limit": "many"}, 10),
        ({"page": "last"}, 5),
    ],
)
def test_limit_and_its_alias_set_the_page_size(
    sandbox: SandboxProcess, query: dict[str, Any], rows: int
) -> None:
    assert len(sandbox.get("orders/", **query)["results"]) == rows


def test_no_page_has_more_than_a_hundred_rows(sandbox: SandboxProcess) -> None:
    page = sandbox.get("integration_actions/", limit=1000)
    assert (page["count"], len(page["results"])) == (25 + 24 * 2 + 1 + 3, 77)
    assert sandbox.get("integration_actions/", limit=50, page=2)["previous"].endswith("?limit=50")


@pytest.mark.parametrize("page", ["4", "0", "-1", "first", "99999999999999999999"])
def test_a_page_beyond_the_end_is_404(sandbox: SandboxProcess, page: str) -> None:
    answer = sandbox.client.get(f"{CHANNEL}/orders/", params={"page": page})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page.", "code": "not_found"})


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"number": "ORD-2024-000003"}, [3]),
        ({"number": "ORD-2024-999999"}, []),
        ({"pk__in": "500001,500002,1"}, [2, 1]),
        ({"id": "500004"}, [4]),
        ({"id__in": "500004"}, [4]),
        ({"status": "550", "sort": "id"}, [21, 22, 23, 24]),
        ({"status__in": "550,600", "sort": "-created_date", "limit": 2}, [24, 23]),
        ({"created_date__gt": "2026-01-22T10:00:00Z", "created_date__lte": "2026-01-24T10:00:00Z"}, [24, 23]),
        ({"created_date__gte": "2026-01-22", "created_date__lt": "2026-01-24T13:00:00+03:00"}, [23, 22]),
        ({"modified_date__gt": "2026-01-23T10:00:00.000000Z"}, [24]),
        ({"cancel_status__isnull": "true", "limit": 1}, [25]),
        ({"channel": "2"}, []),
        ({"colour": "blue", "limit": 1}, [25]),
        ({"number__resembles": "x", "limit": 1}, [25]),
        ({"number": "", "limit": 1}, [25]),
        ({"sort": "colour", "limit": 1}, [1]),
    ],
)
def test_filters_and_sorting_follow_django(
    sandbox: SandboxProcess, query: dict[str, Any], numbers: list[int]
) -> None:
    found = [order["number"] for order in sandbox.get("orders/", **query)["results"]]
    assert found == [f"ORD-2024-{key:06}" for key in numbers]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"id": "one"}, "Enter a whole number."),
        ({"pk__in": "1,two"}, "Enter a whole number."),
        ({"created_date__gt": "yesterday"}, "Enter a valid date/time."),
    ],
)
def test_an_unreadable_filter_is_400(sandbox: SandboxProcess, query: dict[str, str], message: str) -> None:
    answer = sandbox.client.get(f"{CHANNEL}/orders/", params=query)
    assert (answer.status_code, answer.json()) == (400, {next(iter(query)): [message], "code": "invalid"})


def test_an_order_is_shown_with_the_fields_of_the_contract(sandbox: SandboxProcess) -> None:
    order = sandbox.get("orders/500001/")
    wanted = {
        "pk": 500001,
        "id": 500001,
        "number": "ORD-2024-000001",
        "channel": 1,
        "status": "400",
        "cancel_status": None,
        "currency": "try",
        "amount": "109.70",
        "refund_amount": "0.00",
        "discount_refund_amount": "0.00",
        "shipping_amount": "9.90",
        "shipping_refund_amount": "0.00",
        "shipping_address": {"pk": 5, "line": "Old Street 1"},
        "payment_type": "credit_card",
        "created_date": "2026-01-01T10:00:00.000000Z",
        "modified_date": "2026-01-01T10:00:00.000000Z",
    }
    assert {name: order[name] for name in wanted} == wanted
    assert sandbox.order("ORD-2024-000001") == order


def test_items_are_listed_by_order_and_read_by_key(sandbox: SandboxProcess) -> None:
    first, second = sandbox.items("ORD-2024-000001")
    wanted = {
        "pk": 700001,
        "id": 700001,
        "order": 500001,
        "product": 90011,
        "sku": "SKU-11",
        "status": "400",
        "cancel_status": None,
        "price": "49.90",
        "quantity": 1,
        "refund_amount": "0.00",
    }
    assert {name: first[name] for name in wanted} == wanted
    assert second["pk"] == 700002
    assert sandbox.get("order_items/700001/") == first


def test_a_split_line_maps_to_several_of_their_items(sandbox: SandboxProcess) -> None:
    order, line, split = (
        sandbox.get("integration_actions/", content_type_name=model, remote_id__exact=remote_id)["results"]
        for model, remote_id in (("order", 25), ("orderitem", 251), ("orderitem", 252))
    )
    assert [(row["object_id"], row["remote_id"], row["content_type"]["model"]) for row in order] == [
        (500025, "25", "order")
    ]
    assert [row["object_id"] for row in line] == [700049]
    assert [row["object_id"] for row in split] == [700050, 700051, 700052]
    units = sandbox.items("ORD-2024-000025")[1:]
    assert [(unit["pk"], unit["quantity"], unit["price"]) for unit in units] == [
        (700050, 1, "49.90"),
        (700051, 1, "49.90"),
        (700052, 1, "49.90"),
    ]


def test_actions_can_be_asked_for_the_way_integrations_do(sandbox: SandboxProcess) -> None:
    query = {"channel": 1, "content_type_model": "orderitem", "remote_id": "251"}
    assert [row["object_id"] for row in sandbox.get("integration_actions/", **query)["results"]] == [700049]
    several = sandbox.get(
        "integration_actions/", content_type_name="orderitem", object_id__in="700050,700051"
    )
    assert [row["remote_id"] for row in several["results"]] == ["252", "252"]


def test_reasons_have_a_type_and_a_subject(sandbox: SandboxProcess) -> None:
    rows = sandbox.get("cancellation_reasons/")["results"]
    assert [(row["pk"], row["cancellation_type"], row["subject"]) for row in rows] == [
        (1, "cancel", "Changed my mind"),
        (2, "cancel", "Ordered by mistake"),
        (3, "cancel", "Found a better price"),
        (4, "cancel", "Delivery takes too long"),
        (5, "cancel", "Other"),
        (6, "refund", "Does not fit"),
        (7, "refund", "Not as described"),
        (8, "refund", "Damaged or defective"),
        (9, "refund", "Changed my mind"),
        (10, "refund", "Other"),
    ]
    assert [row["pk"] for row in rows if row["extra_information_needed"]] == [5, 10]
    assert sandbox.get("cancellation_reasons/", cancellation_type="refund")["count"] == 5


@pytest.mark.parametrize(
    "path", ["orders/1/", "order_items/1/", "cancellation_requests/1/", "nothing/", "orders/x/"]
)
def test_what_does_not_exist_is_404(sandbox: SandboxProcess, path: str) -> None:
    answer = sandbox.client.get(f"{CHANNEL}/{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found.", "code": "not_found"})


def test_another_channel_sees_nothing(sandbox: SandboxProcess) -> None:
    other = CHANNEL.replace("/1", "/2")
    assert sandbox.client.get(f"{other}/orders/").json()["count"] == 0
    assert sandbox.client.get(f"{other}/orders/500001/").status_code == 404


def test_another_method_is_405(sandbox: SandboxProcess) -> None:
    answer = sandbox.client.get(f"{CHANNEL}/orders/500001/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_an_order_that_did_not_change_is_no_update(sandbox: SandboxProcess) -> None:
    assert sandbox.get("orders/updates/", limit=100)["count"] == 0
