"""Example data for each kind of e-mail: what staff look at before the first customer does, and tests too."""

from typing import Any, Final

from aftercart.mail.draft import EmailContent
from aftercart.mail.models import Email

_NUMBER = "ORD-2026-001042"
_URL = "https://shop.example.com/users/orders/1042/"
_ITEMS: Final = [
    {"name": "Linen shirt", "quantity": 1, "image": "/static/pages/products/shirt.svg"},
    {"name": "Running shoes", "quantity": 2, "image": "/static/pages/products/shoe.svg"},
]
_ADDRESS: Final = "Ayşe Yılmaz\nModa Caddesi 12, Daire 4\n34710 Moda Kadıköy\nİstanbul Türkiye"
_WITHDRAWAL: Final[dict[str, Any]] = {
    "uuid": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "name": "Ayşe Yılmaz",
    "email": "ayse@example.com",
    "statement": "I hereby withdraw from contract ORD-2026-001042 of 2 March 2026 about: 1 × Linen shirt.",
    "submitted_at": "2026-03-14T21:07:45.000000Z",
    "ordered_at": "2026-03-02T09:30:00.000000Z",
    "items": _ITEMS[:1],
}
_TURKISH_STATEMENT: Final = (
    "2 Mart 2026 tarihli ORD-2026-001042 numaralı sözleşmeden şu ürünler için cayıyorum: 1 × Keten gömlek."
)

_RETURN: Final[dict[str, Any]] = {
    "what": "refund",
    "return": {
        "company": "Yurtiçi Kargo",
        "day": "2026-03-18",
        "hours": "09:00–12:00",
        "address": "Moda Caddesi 12, Daire 4, 34710 Kadıköy / İstanbul",
    },
}
_CODED: Final = {
    "what": "refund",
    "return": {**_RETURN["return"], "code": "IADE-4821-77", "valid_until": "2026-03-25T20:59:00.000000Z"},
}

_REFUND: Final = {
    "refund": "4347.90",
    "currency": "TRY",
    "points": "40.00",
    "to": "iban",
    "account_end": "1326",
    "is_paid": True,
}

_FACTS: Final[dict[str, dict[str, Any]]] = {
    Email.Kind.CANCELLATION_SENT: {"items": _ITEMS, **_REFUND, **_RETURN},
    Email.Kind.CANCELLATION_CHECKING: {"items": _ITEMS},
    Email.Kind.RETURN_CODE: {"items": _ITEMS, **_CODED},
    Email.Kind.PICKUP_CHANGED: {"items": _ITEMS, **_CODED},
    Email.Kind.CANCELLATION_CONFIRMED: {"items": _ITEMS, **_REFUND},
    Email.Kind.CANCELLATION_LATE: {"items": _ITEMS[:1]},
    Email.Kind.CANCELLATION_COMPLETED: {
        "items": [{**_ITEMS[0], "amount": "549.90"}, {**_ITEMS[1], "amount": "3798.00"}],
        **_REFUND,
        "is_refunded": False,
    },
    Email.Kind.REQUEST_RECEIVED: {
        "items": _ITEMS,
        "answer_by": "2026-03-17T09:30:00.000000Z",
        **_REFUND,
    },
    Email.Kind.REQUEST_APPROVED: {"items": _ITEMS[:1]},
    Email.Kind.REQUEST_REJECTED: {
        "items": _ITEMS[:1],
        "reason": "The parcel has left our warehouse already.",
    },
    Email.Kind.APPROVAL_BOUNCED: {"items": _ITEMS[:1], "request": 12, "cause": "omnitron_status"},
    Email.Kind.ADDRESS_CHANGED: {"address": _ADDRESS},
    Email.Kind.ADDRESS_TOO_LATE: {"address": _ADDRESS},
    Email.Kind.WITHDRAWAL_STATED: {**_WITHDRAWAL, "number": _NUMBER, "items": "Linen shirt"},
    Email.Kind.WITHDRAWAL_RECEIPT: _WITHDRAWAL,
    Email.Kind.WITHDRAWAL_ACCEPTED: {"items": _ITEMS[:1], **_REFUND},
    Email.Kind.WITHDRAWAL_REFUSED: {
        "items": _ITEMS[:1],
        "reason": "The withdrawal period ended on 30 January 2026, before your statement.",
    },
}


def make_example(kind: str, language: str = "en") -> EmailContent:
    """Make an example of a kind of e-mail."""
    facts = dict(_FACTS.get(kind, {}))
    if language == "tr" and kind == Email.Kind.WITHDRAWAL_RECEIPT:
        facts["statement"] = _TURKISH_STATEMENT
    is_link = kind in {Email.Kind.ORDER_LINK, Email.Kind.ORDER_LINK_REMINDER}
    return EmailContent(number=_NUMBER, facts=facts, url=_URL, secret="481516", is_guest=is_link, name="Ayşe")  # noqa: S106 - an example
