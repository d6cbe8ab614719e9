"""Four and forty at once for the same units: what other shops' software let through several times."""

from typing import TYPE_CHECKING

import pytest

from aftercart.accounts.models import Address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.cancellations.models import CancellationRequest, EasyReturnCompany, Submission, SubmissionLine
from tests.races.together import race
from tests.shop import Line, Shop, ask, get_statuses, make_address, make_command, make_company, make_customer

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)

IN_PROGRESS = "cancellation_in_progress"
SECOND = "cancellation_request_100_1"
DECIDED = "request_decided"


def make_delivered(*, quantity: int = 1, split_units: bool = False) -> Shop:
    line = Line(status="550", quantity=quantity)
    return Shop([line], split_units=split_units, order_fields={"status": "550"})


def send_back(shop: Shop, company: EasyReturnCompany, address: Address, quantity: int | None = None) -> int:
    item = ask(shop.items[0], shop.refund_reason, quantity=quantity, shipping_company=company.pk)
    return cancel_items(make_command(shop.order, item, pickup_address=address.pk), shop.fake).status


def cancel(shop: Shop) -> int:
    return cancel_items(shop.command(), shop.fake).status


def request(shop: Shop) -> int:
    return request_cancellation(shop.command()).status


def count_open_units(shop: Shop) -> list[int]:
    lines = SubmissionLine.objects.filter(order_item__order=shop.order, is_open=True)
    return list(lines.values_list("quantity", flat=True))


def sort(outcomes: list[object]) -> list[str]:
    return sorted(map(str, outcomes))


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_returns_of_one_item_one_is_sent(count: int) -> None:
    shop = make_delivered()
    company, address = make_company(), make_address(shop.user)

    outcomes = race(count, lambda _n: send_back(shop, company, address))

    assert sort(outcomes) == ["204"] + [IN_PROGRESS] * (count - 1)
    assert shop.count_posts() == 1
    assert get_statuses(shop.order) == ["50"]
    assert Submission.objects.count() == 1


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_returns_of_two_units_of_three_one_is_recorded(count: int) -> None:
    """Two times two would be more than there are."""
    shop = make_delivered(quantity=3, split_units=True)
    company, address = make_company(), make_address(shop.user)

    outcomes = race(count, lambda _n: send_back(shop, company, address, 2))

    assert sort(outcomes) == ["200"] + [IN_PROGRESS] * (count - 1)
    assert shop.fake.posts == []
    assert count_open_units(shop) == [2]


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_requests_one_is_recorded(count: int) -> None:
    shop = Shop()

    outcomes = race(count, lambda _n: request(shop))

    assert sort(outcomes) == ["201"] + [SECOND] * (count - 1)
    assert CancellationRequest.objects.count() == 1
    assert count_open_units(shop) == [1]
    assert shop.fake.posts == []


@pytest.mark.parametrize("count", [4, 40])
def test_of_cancellations_and_requests_at_once_one_comes_through(count: int) -> None:
    shop = Shop()

    outcomes = sort(race(count, lambda n: request(shop) if n % 2 else cancel(shop)))

    through = [outcome for outcome in outcomes if outcome in {"201", "204"}]
    assert len(through) == 1
    cancelled = through == ["204"]
    assert outcomes.count(IN_PROGRESS) == count // 2 - cancelled
    assert outcomes.count(SECOND) == count // 2 - (not cancelled)
    assert shop.count_posts() == cancelled
    assert count_open_units(shop) == [1]


@pytest.mark.parametrize("count", [4, 40])
def test_one_request_approved_by_many_is_sent_once(count: int) -> None:
    """All of them again as workers without a queue's locks would be: each does the job that it found."""
    shop = Shop()
    request(shop)
    pk = CancellationRequest.objects.get().pk
    staff = [make_customer() for _ in range(count)]

    outcomes = race(count, lambda n: approve_request(pk, staff[n]))
    race(count, lambda _n: execute_approval(pk, shop.fake))

    assert sort(outcomes) == ["None"] + [DECIDED] * (count - 1)
    assert shop.count_posts() == 1
    assert Submission.objects.filter(origin="approval").count() == 1
    assert CancellationRequest.objects.get().status == "confirmed"
    assert get_statuses(shop.order) == ["50"]


@pytest.mark.parametrize("count", [4, 40])
def test_cancellations_requests_and_approvals_at_once_are_one_write(count: int) -> None:
    shop = Shop()
    request(shop)
    pk = CancellationRequest.objects.get().pk
    staff = make_customer()
    kinds: list[Callable[[], object]] = [
        lambda: approve_request(pk, staff),
        lambda: cancel(shop),
        lambda: request(shop),
        lambda: execute_approval(pk, shop.fake),
    ]

    outcomes = race(count, lambda n: kinds[n % 4]())
    execute_approval(pk, shop.fake)

    each = count // 4
    assert sort(outcomes[0::4]) == ["None"] + [DECIDED] * (each - 1)
    assert outcomes[1::4] == [IN_PROGRESS] * each
    assert outcomes[2::4] == [SECOND] * each
    assert shop.count_posts() == 1
    assert count_open_units(shop) == [1]
