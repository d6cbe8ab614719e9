"""The journey of `POST …/cancel/`, from its URL to its answer: the modules that it visits, and in which order.

A module is visited when a function of it runs, once the process is warm. Counted are those that a reader of this
journey opens for its sake. Counted apart is what is the same for every request or every action: tools (`lib/`), rows
(`models/`), sessions and middleware, the other side of the OMS's port; and, by name, what all actions share.
"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import aftercart
from aftercart.oms.connect import replace_client
from aftercart.oms.errors import Refused
from tests.http.conftest import Api
from tests.shop import Line, Shop

pytestmark = pytest.mark.django_db

ROOT = Path(aftercart.__file__).parent
READ = ("actions/cancel/read_case",)
DECIDE = (
    "actions/cancel/decide_cancellation",
    "actions/cancel/price_lines",
    "orders/rules",
    "orders/policy/clauses",
    "orders/policy/topics",
)
WRITE = ("actions/cancel/record_submission",)
#: What a reader opens: 15 modules.
JOURNEY = {
    "api/orders",
    "api/serializers",
    "actions/commands",
    "actions/cancel/cancel_items",
    *READ,
    "orders/paid",
    *DECIDE,
    "orders/quotes",
    *WRITE,
    "actions/cancel/send_submission",
    "actions/cancel/plan_command",
}
#: What other actions use in the same way: replays, the lock, the policy in force, moves, events, jobs, e-mails …
SHARED = {
    "actions/recognize_replay",
    "orders/selectors",
    "cancellations/policy/selectors",
    "cancellations/states",
    "orders/timeline",
    "actions/sync/get_remote",
    "actions/sync/plan_sync",
    "actions/upkeep/jobs",
    "actions/mail/notify_customer",
    "mail/outbox",
}
#: What every request passes, and what is on the other side of the port.
_EVERYWHERE = (
    "lib/", "accounts/", "oms/", "omnitron/", "outbound/", "urls", "settings", "front/middleware", "pages/errors",
    "pages/lockout", "backoffice/csp", "backoffice/reader", "api/authentication", "api/negotiation", "api/parsers",
)  # fmt: skip


@cache
def find_module(filename: str) -> str:
    """Name a module of ours that counts; "" for all others."""
    path = Path(filename)
    if not path.is_relative_to(ROOT):
        return ""
    name = path.relative_to(ROOT).with_suffix("").as_posix()
    return "" if name.startswith(_EVERYWHERE) or "models" in name.split("/") else name


def trace(act: Callable[[], object]) -> list[str]:
    """Do it; list the modules of ours whose functions were called meanwhile, each as often as it was come to."""
    visits: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        name = find_module(frame.f_code.co_filename) if event == "call" else ""
        if name and visits[-1:] != [name]:
            visits.append(name)

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return visits


def visit(path: str, *, status: int, is_refused: bool = False) -> list[str]:
    """Cancel, or quote, the first of two items over HTTP, the second time that this process does it."""
    for _warm in range(2):
        shop, api = Shop([Line(), Line()]), Api()
        api.log_in(shop.user)
        item = {
            "order_item": shop.items[0].pk,
            "reason": shop.cancel_reason.pk,
            "cancellation_type": "cancel",
        }
        if is_refused:
            shop.fake.fail("cancel_items", Refused)
        answers: list[Any] = []
        with replace_client(shop.fake):
            visits = trace(
                lambda shop=shop, api=api, item=item, answers=answers: answers.append(  # type: ignore[misc]  # bound now
                    api.post(f"/orders/{shop.order.number}/{path}", {"cancel_order_items": [item]})
                )
            )
        assert [answer.status_code for answer in answers] == [status]
    return visits


def test_a_reader_of_a_direct_cancellation_opens_fifteen_modules() -> None:
    visited = set(visit("cancel/", status=204))

    assert visited == JOURNEY | SHARED
    assert len(JOURNEY) == 15


def test_where_the_oms_refuses_it_a_reader_opens_three_more() -> None:
    visited = set(visit("cancel/", status=200, is_refused=True))

    assert visited - JOURNEY - SHARED == {
        "actions/cancel/open_requests",
        "actions/requests/open_delivery",
        "cancellations/document",
    }


def test_it_reads_then_decides_then_writes_and_goes_back_to_none_of_them() -> None:
    visits = visit("cancel/", status=204)

    read, decided, written = (
        [place for place, name in enumerate(visits) if name in step] for step in (READ, DECIDE, WRITE)
    )
    assert max(read) < min(decided) < max(decided) < min(written)
    assert visits[-1] == "api/orders"


def test_a_quote_is_the_first_two_steps_of_it() -> None:
    visited = set(visit("cancel/quote/", status=200))

    assert visited & JOURNEY == JOURNEY - {
        *WRITE,
        "actions/cancel/cancel_items",
        "actions/cancel/send_submission",
        "actions/cancel/plan_command",
    }
    assert visited - JOURNEY == {
        "actions/cancel/quote_cancellation",
        "orders/selectors",
        "cancellations/policy/selectors",
    }
