"""Two imports at once: they take turns, and where they do not, a constraint makes one of them try again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import models

from aftercart.accounts.models import City, Country, District, Township, User
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.intake.import_orders import ImportResult
from aftercart.cancellations.models import SubmissionLine
from aftercart.orders.models import Order
from tests.import_documents import Document, make_address, make_document, make_item, run_import
from tests.races.together import interrupted, race, without_lock, without_turns, without_unique
from tests.shop import Shop, get_statuses

pytestmark = pytest.mark.django_db(transaction=True)

NEW_CITY = {"pk": 6, "name": "Ankara"}


@dataclass(frozen=True, slots=True)
class Case:
    """Something that two imports both find missing, and then make."""

    model: type[models.Model]
    step: str
    #: What both documents bring, and what one of them brings of its own.
    changes: Document
    other_changes: Document
    #: What there is none of before, and one of afterwards.
    where: dict[str, Any]


_COPY = "resolve_customers.copy_rows"
_BULK = "django.db.models.query.QuerySet.bulk_create"


def _to(**changes: Any) -> Document:
    return {"shipping_address": make_address(**changes)}


CASES = {
    "accounts_country_code_key": Case(
        Country, _BULK, _to(country={"pk": 2, "name": "Kıbrıs", "code": "cy"}), {}, {"code": "cy"}
    ),
    "city_once_a_country": Case(City, _BULK, _to(city=NEW_CITY), {}, {"name": "Ankara"}),
    "township_once_a_city": Case(
        Township, _BULK, _to(township={"pk": 9, "name": "Üsküdar"}), {}, {"name": "Üsküdar"}
    ),
    "district_once_a_township": Case(
        District, _BULK, _to(district={"pk": 8, "name": "Fenerbahçe"}), {}, {"name": "Fenerbahçe"}
    ),
    "accounts_user_email_key": Case(
        User, _COPY, {"user_email": "new@example.com"}, {}, {"email": "new@example.com"}
    ),
    "orders_order_number_key": Case(
        Order, "write_orders.copy_rows", {"number": "NEW"}, {}, {"number": "NEW"}
    ),
}


def begin(case: Case) -> tuple[Callable[[], ImportResult], Callable[[], ImportResult]]:
    """Have what both know, and give the two imports."""
    run_import(make_document("KNOWN"))
    User.objects.create_user("known@example.com")
    assert count(case) == 0
    first = make_document(**{"number": "FIRST", **case.changes})
    second = make_document(**{"number": "SECOND", **case.changes, **case.other_changes})
    return lambda: run_import(first)[0], lambda: run_import(second)[0]


def count(case: Case) -> int:
    return case.model._default_manager.filter(**case.where).count()


def is_of(case: Case) -> Callable[..., bool]:
    """Return whether a step is about to write the rows of this case."""

    def is_it(target: Any, *_args: Any) -> bool:
        table = case.model._meta.db_table
        return table == (target if isinstance(target, str) else target.model._meta.db_table)

    return is_it


@pytest.mark.parametrize("name", CASES)
def test_who_imports_second_waits_and_finds_what_the_first_made(name: str) -> None:
    case = CASES[name]
    first, second = begin(case)

    with interrupted(case.step, second, when=is_of(case)) as other:
        assert first() == ImportResult(created=1)

    assert other.had_to_wait
    assert other.outcome == (ImportResult(unchanged=1) if case.model is Order else ImportResult(created=1))
    assert count(case) == 1


@pytest.mark.parametrize("name", CASES)
def test_without_turns_the_constraint_makes_one_try_again(name: str) -> None:
    case = CASES[name]
    first, second = begin(case)

    with (
        without_turns("write_orders.write_orders"),
        interrupted(case.step, second, when=is_of(case)) as other,
    ):
        result = first()

    assert result == (ImportResult(unchanged=1) if case.model is Order else ImportResult(created=1))
    assert (other.had_to_wait, other.outcome) == (False, ImportResult(created=1))
    assert count(case) == 1


@pytest.mark.parametrize("name", CASES)
def test_without_turns_and_constraint_it_is_made_twice(name: str) -> None:
    case = CASES[name]
    first, second = begin(case)

    with (
        without_unique(name),
        without_turns("write_orders.write_orders"),
        interrupted(case.step, second, when=is_of(case)) as other,
    ):
        assert first() == ImportResult(created=1)
        assert other.outcome == ImportResult(created=1)
        assert count(case) == 2


# --- an order that is imported while its customer cancels ----------------------------------------------------


def make_shop() -> Shop:
    shop = Shop()
    item = shop.items[0]
    item.product["sku"] = item.sku
    item.save(update_fields=["product"])
    return shop


def import_newer(shop: Shop) -> ImportResult:
    """Import the order as the shop still knows it: with an item that nobody cancels."""
    item = shop.items[0]
    document = make_document(
        shop.order.number,
        user_email=shop.user.email,
        orderitem_set=[make_item(id=item.pk, product=item.product)],
        modified_date="2099-01-01T10:00:00.000000Z",
    )
    return run_import(document)[0]


def cancel(shop: Shop) -> int:
    return cancel_items(shop.command(), shop.fake).status


def test_who_cancels_during_an_import_waits_for_it() -> None:
    shop = make_shop()

    with interrupted("write_orders.merge_order", lambda: cancel(shop)) as other:
        assert import_newer(shop) == ImportResult(updated=1)

    assert (other.had_to_wait, other.outcome) == (True, 204)
    assert get_statuses(shop.order) == ["50"]
    assert SubmissionLine.objects.filter(is_open=True).count() == 1


def test_without_the_lock_an_import_writes_over_a_cancellation() -> None:
    shop = make_shop()

    with (
        without_lock("write_orders._lock_orders"),
        interrupted("write_orders.merge_order", lambda: cancel(shop)) as other,
    ):
        assert import_newer(shop) == ImportResult(updated=1)

    assert (other.had_to_wait, other.outcome) == (False, 204)
    assert get_statuses(shop.order) == ["400"]
    assert SubmissionLine.objects.filter(is_open=True).count() == 1


@pytest.mark.parametrize("many", [4, 40])
def test_of_many_imports_of_one_order_one_makes_it(many: int) -> None:
    document = make_document("ONE")

    outcomes = race(many, lambda _n: run_import(document)[0])

    assert outcomes.count(ImportResult(created=1)) == 1
    assert outcomes.count(ImportResult(unchanged=1)) == many - 1
    assert [model.objects.count() for model in (Order, User)] == [1, 1]
