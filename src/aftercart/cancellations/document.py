"""What the order's JSON says of cancellations and refunds, and what a request and a reason are as JSON."""

from typing import Any, Final

from django.urls import reverse

from aftercart.cancellations import models
from aftercart.cancellations.refund_document import Refund
from aftercart.lib.documents import (
    Document,
    Shape,
    flag,
    integer,
    make_enumeration,
    moment,
    one_of,
    text,
)
from aftercart.lib.formats import get_active_language
from aftercart.orders import document

#: What each status of a cancellation request means (contract sections 3.4 and 8).
REQUEST_STATUSES: Final = {
    models.CancellationRequest.Status.VERIFYING: "held until it is known what Omnitron made of the direct way",
    models.CancellationRequest.Status.WAITING: "with the back office",
    models.CancellationRequest.Status.WAITING_APPROVAL: "with the back office, which asks for an approval",
    models.CancellationRequest.Status.CONFIRMED: "seen by the back office, not decided",
    models.CancellationRequest.Status.APPROVED: "approved, and being carried out",
    models.CancellationRequest.Status.COMPLETED: "done",
    models.CancellationRequest.Status.REJECTED: "refused; the item goes on as before",
}


CancellationType = make_enumeration(
    "CancellationType",
    "What is done with the item.",
    {"cancel": "not shipped yet: it never leaves", "refund": "shipped or delivered: it comes back"},
    labels=dict(models.CancellationType.choices),
)

RequestStatus = make_enumeration(
    "RequestStatus",
    "Where a cancellation request stands.",
    {status.value: meaning for status, meaning in REQUEST_STATUSES.items()},
    labels=dict(models.CancellationRequest.Status.choices),
)


class ShippingCompany(Document):
    """A company that collects returns."""

    value = text("Its code at Omnitron.")
    label = text("Its name.", source="name")  # type: ignore[assignment]  # a field of this name hides the framework's own


class EasyReturnCompany(Document):
    """A company that may be named as `shipping_company` of a return."""

    pk = integer("What to send as `shipping_company`.")
    shipping_company = ShippingCompany()


class EasyReturn(Document):
    """How the parcel of a return is collected."""

    code = text("What to write on the parcel, once Omnitron has given it.", null=True)
    shipping_company = ShippingCompany()


class ItemRequest(Document):
    """A cancellation request, as it stands inside its item."""

    id = integer("Null while it is on the direct way, which makes no request.", null=True)
    cancellation_type = CancellationType()
    status = RequestStatus()
    easy_return = EasyReturn(allow_null=True)
    description = text("What the customer added; may be empty.")
    reason = integer("The CancellationReason's id.", source="reason_id")
    order_item = integer("The item's id.", source="order_item_id")


class OrderItem(document.OrderItem):
    """One line of an order. What else the shop sent keeps its place."""

    cancellationrequest_set = ItemRequest(many=True, help_text="All its requests, newest first.")
    active_cancellation_request = ItemRequest(
        allow_null=True, help_text="What is not decided yet: a request, or a cancellation on the direct way."
    )
    available_easy_return_shipping_companies = EasyReturnCompany(
        many=True, help_text="Who would collect it; empty unless it is refundable."
    )


class Order(document.Order):
    """An order with its lines, discounts and addresses. A card's number never stands in it.

    What else the shop sent keeps its place.
    """

    orderitem_set = OrderItem(many=True)
    refund_set = Refund(
        many=True, help_text="What comes back, or has come back, one entry a submission, newest first."
    )


class CancellationRequest(Document):
    """A cancellation that the back office decides."""

    id = integer()
    uuid = text(format="uuid")
    order_item = integer("The item's id.", source="line.order_item_id")
    reason = integer("The CancellationReason's id.", source="line.reason_id")
    description = text("What the customer added; may be empty.", source="line.description")
    created_date = moment()


class CancellationReason(Document):
    """Why an item may be cancelled or returned."""

    id = integer("What a cancellation names as `reason`.")
    uuid = text(format="uuid")
    cancellation_type = one_of(("cancel", "refund"), "What it is a reason for.")
    subject = text("In the language that `Accept-Language` asks for, where there is a translation.")
    extra_information_needed = flag("Whether it wants a `description`.")
    order = integer("Its place in the list.")
    is_active = flag()
    translations = Shape({"type": "object"}, 'By language: `{"tr": {"subject": "…"}}`.')
    created_date = moment()
    modified_date = moment()


class ReturnPhoto(Document):
    """A photo of a returned item, as it is kept."""

    uuid = text(format="uuid")
    order_item = integer("The item's id.", source="line.order_item_id")
    url = text("Where `get_return_photo` has it.")
    width = integer(minimum=1)
    height = integer(minimum=1)
    created_date = moment(source="created_at")


def company_document(company: models.EasyReturnCompany) -> dict[str, Any]:
    """Write an easy-return company as items offer it."""
    return EasyReturnCompany.write(company, shipping_company=ShippingCompany.write(company))


def request_document(request: models.CancellationRequest) -> dict[str, Any]:
    """Write a request of an order as it stands inside an item (contract section 6)."""
    return _line_document(request.line, request.pk, request.status)


def direct_document(line: models.SubmissionLine) -> dict[str, Any]:
    """Write a cancellation on its direct way like a request, which it has none of and so no id."""
    statuses = models.CancellationRequest.Status
    is_taken = line.submission.state == models.Submission.State.APPLIED
    return _line_document(line, None, (statuses.CONFIRMED if is_taken else statuses.VERIFYING).value)


def _line_document(line: models.SubmissionLine, pk: int | None, status: str) -> dict[str, Any]:
    collected = line.shipping_company and EasyReturn.write(line, code=line.easy_return_code or None)
    return ItemRequest.write(line, id=pk, status=RequestStatus.write(status), easy_return=collected)


def request_record(request: models.CancellationRequest) -> dict[str, Any]:
    """Write a request as the answers of contract section 3.2 do."""
    return CancellationRequest.write(request, uuid=str(request.uuid))


def reason_document(reason: models.CancellationReason) -> dict[str, Any]:
    """Write a reason (contract section 5), its subject in the caller's language."""
    subject = reason.get_subject(get_active_language())
    return CancellationReason.write(reason, uuid=str(reason.uuid), subject=subject)


def photo_document(photo: models.ReturnPhoto, number: str) -> dict[str, Any]:
    """Write a photo of an order as the API does."""
    return ReturnPhoto.write(
        photo, uuid=str(photo.uuid), url=reverse("return-photo", args=[number, photo.uuid])
    )
