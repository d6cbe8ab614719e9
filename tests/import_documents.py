"""Order documents for the tests of the import."""

import json
from decimal import Decimal
from typing import Any

from aftercart.actions.intake.import_orders import BadLine, ImportResult, import_orders

Document = dict[str, Any]

_CHARGES = ("shipping_amount", "installment_interest_amount")
CREATED = "2026-03-01T10:00:00.000000Z"
MODIFIED = "2026-03-02T10:00:00.000000Z"
LATER = "2026-03-03T10:00:00.000000Z"


def make_address(**changes: Any) -> Document:
    """Make an address in Kadıköy."""
    return {
        "pk": 77,
        "title": "Ev",
        "first_name": "Ayşe",
        "last_name": "Kaya",
        "phone_number": "0532 123 45 67",
        "line": "Moda Caddesi 14",
        "postcode": "34710",
        "country": {"pk": 1, "name": "Türkiye", "code": "tr"},
        "city": {"pk": 34, "name": "İstanbul"},
        "township": {"pk": 5, "name": "Kadıköy"},
        "district": {"pk": 6, "name": "Caferağa"},
        **changes,
    }


def make_item(**changes: Any) -> Document:
    """Make an item of 100.00."""
    return {"product": {"pk": 1, "sku": "SKU-1", "name": "Kupa"}, "quantity": 1, "price": "100.00", **changes}


def make_document(number: str = "ORD-2026-000001", **changes: Any) -> Document:
    """Make the smallest believable order: one item of 100.00 in liras, approved, to Kadıköy.

    Where no amount is given, it is what the items add up to.
    """
    return {
        "number": number,
        "status": "400",
        "currency": "try",
        "amount": _add_up(changes),
        "user_email": "Ayse.Kaya@Example.com",
        "user": 5,
        "orderitem_set": [make_item()],
        "shipping_address": make_address(),
        "created_date": CREATED,
        "modified_date": MODIFIED,
        **changes,
    }


def _add_up(changes: Document) -> str:
    """Add the items' totals and the shipping up, less the discount; what makes no sense counts as 100.00."""
    try:
        items = [
            Decimal(str(item.get("total_amount") or Decimal(str(item["price"])) * item.get("quantity", 1)))
            for item in changes.get("orderitem_set") or [make_item()]
        ]
        discounts = [Decimal(str(row.get("amount", 0))) for row in changes.get("discountitem_set") or []]
        discount = Decimal(str(changes.get("discount_amount", sum(discounts))))
        charges = sum(Decimal(str(changes.get(name) or 0)) for name in _CHARGES)
        return str(max(sum(items) + charges - discount, Decimal(0)))
    except (ArithmeticError, TypeError, ValueError, KeyError, AttributeError):
        return "100.00"


def write_line(document: Any) -> bytes:
    """Write a document as a line."""
    return json.dumps(document, ensure_ascii=False).encode()


def run_import(*documents: Any, batch_size: int = 500) -> tuple[ImportResult, list[BadLine]]:
    """Import documents (or lines, if bytes); answers the result and the bad lines."""
    bad: list[BadLine] = []
    lines = [document if isinstance(document, bytes) else write_line(document) for document in documents]
    return import_orders(lines, report_bad=bad.append, batch_size=batch_size), bad
