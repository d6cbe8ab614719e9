"""The messages of the port as Omnitron's JSON (contract section 8).

`write_` gives the JSON to send, to the letter; `read_` reads one JSON object and raises `Malformed` when a required key
is missing.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from aftercart.omnitron.values import (
    Malformed,
    Row,
    read_id,
    read_optional_amount,
    read_optional_id,
    read_optional_moment,
    read_optional_text,
    read_row,
    read_status,
    read_text,
)
from aftercart.oms.messages import (
    AddressChange,
    CancelCommand,
    RemoteItem,
    RemoteOrder,
    RemoteReason,
    RemoteRequest,
    RequestDraft,
)


def read_item(value: Any) -> RemoteItem:
    """Read a row; its pk, order and status are required."""
    row = read_row(value)
    code, valid_until = _read_easy_return(row)
    return RemoteItem(
        pk=read_id(row, "pk", "id"),
        order_pk=read_id(row, "order"),
        sku=read_optional_text(row, "sku"),
        status=read_status(row),
        cancel_status=read_optional_text(row, "cancel_status"),
        quantity=read_optional_id(row, "quantity"),
        price=read_optional_amount(row, "price"),
        refund_amount=read_optional_amount(row, "refund_amount"),
        easy_return_code=code,
        easy_return_valid_until=valid_until,
        modified_date=read_optional_moment(row, "modified_date"),
        document=_to_item_document(row),
    )


def _to_item_document(row: Row) -> Row:
    """Return an item in the fields of an order document, whose product is an object."""
    document = {name: value for name, value in row.items() if name not in {"order", "parent"}}
    if not isinstance(row.get("product"), dict):
        sku = read_optional_text(row, "sku")
        label = row.get("product_name") or row.get("name") or sku
        document["product"] = {"pk": row.get("product"), "sku": sku, "name": label}
    return document


def read_order(value: Any) -> RemoteOrder:
    """Read a row; its pk, number and status are required."""
    row = read_row(value)
    return RemoteOrder(
        pk=read_id(row, "pk", "id"),
        number=read_text(row, "number"),
        status=read_status(row),
        cancel_status=read_optional_text(row, "cancel_status"),
        amount=read_optional_amount(row, "amount"),
        refund_amount=read_optional_amount(row, "refund_amount"),
        discount_refund_amount=read_optional_amount(row, "discount_refund_amount"),
        shipping_refund_amount=read_optional_amount(row, "shipping_refund_amount"),
        modified_date=read_optional_moment(row, "modified_date"),
        shipping_address_pk=_find_address_pk(row),
        created_date=read_optional_moment(row, "created_date") or read_optional_moment(row, "date_placed"),
        document=_to_order_document(row),
    )


def _to_order_document(row: Row) -> Row:
    """Return an order in the fields of an order document, without those that Omnitron uses for something else."""
    document = {name: value for name, value in row.items() if name not in {"channel", "user"}} | {
        "user_email": _find_email(row),
        "created_date": row.get("created_date") or row.get("date_placed"),
    }
    return document | {"user": None} if _is_guests(row) else document


def _is_guests(row: Row) -> bool:
    """Return whether an order is a guest's: it says so, or its customer does, or it has none."""
    customer = row.get("customer")
    says_so = isinstance(customer, dict) and customer.get("user_type") == "guest"
    return row.get("is_guest") is True or says_so or ("customer" in row and customer is None)


def _find_email(row: Row) -> Any:
    """Find who ordered: Omnitron says it of the order, of its customer, or of its address."""
    for place in (row, row.get("customer"), row.get("billing_address"), row.get("shipping_address")):
        if isinstance(place, dict):
            email = place.get("user_email") or place.get("email")
            if email:
                return email
    return None


def _find_address_pk(row: Row) -> int | None:
    """Read which address an order goes to, told as an object or by its pk; None if Omnitron does not tell."""
    address = row.get("shipping_address")
    try:
        return (
            read_optional_id(address, "pk", "id")
            if isinstance(address, dict)
            else read_optional_id(row, "shipping_address")
        )
    except Malformed:
        return None


def read_reason(value: Any) -> RemoteReason:
    """Read a row; a reason that does not say whether it is active is."""
    row = read_row(value)
    return RemoteReason(
        pk=read_id(row, "pk", "id"),
        cancellation_type=read_text(row, "cancellation_type"),
        subject=read_text(row, "subject"),
        is_active=row.get("is_active") is not False,
    )


def read_request(value: Any) -> RemoteRequest:
    """Read a row; its pk, order item and status are required. The easy return is flat or an object."""
    row = read_row(value)
    code, valid_until = _read_easy_return(row)
    return RemoteRequest(
        pk=read_id(row, "pk", "id"),
        order_item_pk=read_id(row, "order_item"),
        remote_id=read_optional_text(row, "remote_id"),
        status=read_text(row, "status"),
        cancellation_type=read_optional_text(row, "cancellation_type"),
        quantity=read_optional_id(row, "quantity"),
        easy_return_code=code,
        easy_return_valid_until=valid_until,
        reject_reason=read_optional_text(row, "reject_reason"),
        refund_amount=read_optional_amount(row, "refund_amount"),
        modified_date=read_optional_moment(row, "modified_date"),
    )


def _read_easy_return(row: Row) -> tuple[str | None, datetime | None]:
    """Read the code of an easy return, and until when it is valid."""
    nested = row.get("easy_return")
    easy_return: Row = nested if isinstance(nested, dict) else {}
    return (
        read_optional_text(easy_return, "code") or read_optional_text(row, "easy_return_code"),
        read_optional_moment(easy_return, "valid_until")
        or read_optional_moment(row, "easy_return_valid_until"),
    )


def write_cancel(command: CancelCommand) -> dict[str, Any]:
    """Write the body of `POST C/orders/{pk}/cancel/`; with `is_all` the list of items must be empty.

    `shipping_companies` is ours, and only there for an easy return (docs/decisions/0018).
    """
    collected = {str(item): company for item, company in command.shipping_companies.items()}
    forced = command.forced_refund_amount
    return {
        "order": command.order_pk,
        "is_all": command.is_all,
        "cancel_items": [] if command.is_all else list(command.reasons),
        "reasons": {str(item): reason for item, reason in command.reasons.items()},
        "forced_refund_amount": None if forced is None else f"{forced:f}",
        "is_cargo_refund": command.is_cargo_refund,
        "refund_invoice_number": command.refund_invoice_number,
        "ibans": {str(item): iban for item, iban in command.ibans.items()},
        "holder_names": {str(item): name for item, name in command.holder_names.items()},
        **({"shipping_companies": collected} if collected else {}),
    }


def write_draft(draft: RequestDraft) -> dict[str, Any]:
    """Write the body of `POST C/cancellation_requests/`.

    `shipping_company` is ours, and only there for an easy return (docs/decisions/0018).
    """
    return {
        "order_item": draft.order_item_pk,
        "reason": draft.reason_pk,
        "remote_id": draft.remote_id,
        "description": draft.description,
        "cancellation_type": draft.cancellation_type,
        "quantity": draft.quantity,
        "iban": draft.iban,
        "holder_name": draft.holder_name,
        "fully_refund_as_loyalty_money": draft.fully_refund_as_loyalty_money,
        **({} if draft.shipping_company is None else {"shipping_company": draft.shipping_company}),
    }


def write_address_change(change: AddressChange) -> dict[str, Any]:
    """Write the body of the address change."""
    return {
        "channel_id": change.channel_id,
        "order": change.order_id,
        "address": asdict(change.address),  # its fields bear Omnitron's names
        "order_address_types": ["shipping"],
    }
