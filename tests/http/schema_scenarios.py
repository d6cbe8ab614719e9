"""What a scenario is, and how to get the documented answers that many operations have in common.

Each becomes an example of the document, told by its summary.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aftercart.orders.models import IdempotencyRecord
from tests.http.schema_world import World

Run = Callable[[World], Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One answer to one operation. With a `request`, the body sent is an example too, under that name.

    Without a summary it is no example of its own: another operation's shows the same.
    """

    operation_id: str
    status: int
    name: str
    summary: str
    run: Run
    request: str = ""


SCENARIOS: list[Scenario] = []


def add(
    operation_ids: str | Iterable[str], status: int, name: str, summary: str, run: Callable[[World, str], Any]
) -> None:
    """Add the same scenario for each of these operations."""
    SCENARIOS.extend(
        Scenario(operation_id, status, name, summary, _bind(run, operation_id))
        for operation_id in ([operation_ids] if isinstance(operation_ids, str) else operation_ids)
    )


def _bind(run: Callable[[World, str], Any], operation_id: str) -> Run:
    return lambda world: run(world, operation_id)


def show(operation_id: str, status: int, name: str, summary: str, *, sends: str = "") -> Callable[[Run], Run]:
    """Register a scenario of a customer who is logged in, by its function."""

    def register(run: Run) -> Run:
        SCENARIOS.append(
            Scenario(operation_id, status, name, summary, lambda world: run(world.log_in()), request=sends)
        )
        return run

    return register


# --- what many operations have in common -------------------------------------------------------------------

CANCELS = ("cancel_order_items", "request_cancellations", "request_cancellation")
WRITES = (*CANCELS, "change_order_address")
#: A write that knows its repeats by what it states, not by a key.
WITHDRAWS = "withdraw_from_contract"
POSTS = (*WRITES, "quote_cancellation", WITHDRAWS)
#: A withdrawal that anybody can state.
STATES = "state_withdrawal"
TAKES_BACK = "take_back_request"
PHOTO_READS = ("list_return_photos", "get_return_photo")
PHOTO_WRITES = ("add_return_photo", "remove_return_photo")
PHOTOS = (*PHOTO_WRITES, *PHOTO_READS)
BOOK_WRITES = ("add_address", "edit_address", "remove_address")
PLACES = ("list_countries", "list_cities", "list_townships", "list_districts")
READS = (
    *PLACES,
    "list_addresses",
    "list_detailed_addresses",
    "get_completed_order",
    "list_orders",
    "get_order",
    "list_cancellation_reasons",
    "get_current_user",
)
SHARED = (
    "get_completed_order",
    "change_order_address",
    "cancel_order_items",
    WITHDRAWS,
    STATES,
    "log_in",
    "log_out",
    "log_out_by_get",
    "list_orders",
    "get_order",
    "list_addresses",
    "add_address",
    "edit_address",
    "remove_address",
)
OWN = (
    "quote_cancellation",
    "find_anonymous_order",
    "list_detailed_addresses",
    *PLACES,
    "list_cancellation_reasons",
    "request_cancellations",
    "request_cancellation",
    "get_current_user",
    "get_csrf_token",
)


def _send_twice(world: World, operation_id: str, *, second: Any = None, is_running: bool = False) -> Any:
    key = {"idempotency-key": "9b1deb4d"}
    first = world.log_in().call(operation_id, headers=key)
    assert first.status_code < 300, first.content
    if is_running:
        IdempotencyRecord.objects.update(status_code=None)
    return world.call(operation_id, second, headers=key)


def _send_another(world: World, operation_id: str) -> Any:
    return _send_twice(world, operation_id, second={**_typical(world, operation_id), "surprise": 1})


def _typical(world: World, operation_id: str) -> dict[str, Any]:
    from tests.http.schema_world import CALLS

    body: dict[str, Any] = CALLS[operation_id][2](world)
    return body


add(
    (*READS, *POSTS, *BOOK_WRITES, TAKES_BACK, *PHOTOS),
    401,
    "anonymous",
    "Nobody is logged in",
    lambda w, o: w.call(o),
)
add(
    (*POSTS, *BOOK_WRITES, TAKES_BACK, *PHOTO_WRITES, "log_out"),
    403,
    "token",
    "The CSRF token is wrong",
    lambda w, o: w.log_in().call(o, headers={"x-csrftoken": "wrong"}),
)
add(SHARED, 404, "page", "An unknown format", lambda w, o: w.log_in().call(o, query="?format=xml"))
add(OWN, 404, "format", "An unknown format", lambda w, o: w.log_in().call(o, query="?format=xml"))
add(
    (*POSTS, "add_address", "edit_address", "find_anonymous_order", "log_in", "receive_events", STATES),
    415,
    "xml",
    "The body is XML",
    lambda w, o: w.log_in().call(o, "<all/>", content_type="text/xml"),
)
add(
    (*POSTS, "add_address", "edit_address", "find_anonymous_order", "log_in", "receive_events", STATES),
    400,
    "not_json",
    "The body is no JSON",
    lambda w, o: w.log_in().call(o, "everything, please"),
)
add((*WRITES, WITHDRAWS), 422, "other_body", "The key belongs to another body", _send_another)
add(
    ("cancel_order_items", "change_order_address"),
    409,
    "running",
    "The first write with this key is still running",
    lambda w, o: _send_twice(w, o, is_running=True),
)
add(
    (
        *READS,
        *POSTS,
        *BOOK_WRITES,
        *PHOTOS,
        TAKES_BACK,
        "find_anonymous_order",
        "log_in",
        "log_out",
        "log_out_by_get",
        "receive_events",
        STATES,
    ),
    503,
    "database",
    "The database is away",
    lambda w, o: (w if o == "log_in" else w.log_in()).call_without_database(o),
)
