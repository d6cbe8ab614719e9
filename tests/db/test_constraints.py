"""What the database refuses, whatever the code does: each check constraint has the last word."""

from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from aftercart.actions.request_cancellation import request_cancellation
from aftercart.cancellations.models import SubmissionLine
from aftercart.orders.models import OrderItem
from tests.shop import Line, Shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("model", "constraint", "values"),
    [
        (OrderItem, "never_more_cancelled_than_bought", {"cancelled_quantity": 3}),
        (OrderItem, "never_more_cancelled_than_bought", {"cancelled_quantity": -1}),
        (SubmissionLine, "a_line_has_units", {"quantity": 0}),
        (SubmissionLine, "never_more_completed_than_asked", {"completed_quantity": 3}),
        (SubmissionLine, "never_more_completed_than_asked", {"completed_quantity": -1}),
    ],
)
def test_the_database_refuses_it(model: type[models.Model], constraint: str, values: dict[str, Any]) -> None:
    shop = Shop([Line(quantity=2)])
    request_cancellation(shop.command())
    rows = model._default_manager.all()
    before = list(rows.values())

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        rows.update(**values)

    assert list(rows.values()) == before


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (OrderItem, {"cancelled_quantity": 2, "reserved_quantity": 0}),
        (SubmissionLine, {"quantity": 1}),
        (SubmissionLine, {"completed_quantity": 2}),
    ],
)
def test_what_is_just_possible_is_taken(model: type[models.Model], values: dict[str, Any]) -> None:
    shop = Shop([Line(quantity=2)])
    request_cancellation(shop.command())

    assert model._default_manager.update(**values) == 1
