"""Notify staff of what became of their decisions, by e-mail: inside the transaction of the event."""

from django.conf import settings

from aftercart.actions.mail.notify_customer import describe_item, post
from aftercart.cancellations.models import Submission
from aftercart.mail.models import Email
from aftercart.orders.models import Order


def notify_bounced(order: Order, approval: Submission) -> None:
    """Notify whoever approved a request that the OMS did not take it, so that it waits for a decision again.

    The page of the request says so too, for those without an e-mail address.
    """
    approver, request = approval.user, approval.approved_request
    if approver is None or not approver.email or request is None:
        return
    line = request.line
    facts = {
        "request": request.pk,
        "items": [describe_item(line.order_item, line.quantity)],
        "cause": approval.cause,
        "detail": approval.cause_detail,
    }
    post(
        order,
        Email.Kind.APPROVAL_BOUNCED,
        approval.uuid,
        facts,
        recipient=approver.email,
        language=approver.language or settings.LANGUAGE_CODE[:2],
    )
