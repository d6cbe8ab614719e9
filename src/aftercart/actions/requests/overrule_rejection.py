"""Put a rejection of our staff right when the OMS had already done what the customer asked for."""

from collections.abc import Sequence

from django.db import transaction

from aftercart.actions.cancel.book_refund import REFUND_FIELDS
from aftercart.actions.cancel.close_line import complete_line, count_done
from aftercart.actions.cancel.record_submission import put_order_status
from aftercart.actions.mail.notify_customer import notify_completed
from aftercart.cancellations.models import CancellationRequest
from aftercart.oms.messages import RemoteRequest
from aftercart.orders.models import OrderItem
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMS, record_event

_Status = CancellationRequest.Status


@transaction.atomic
def overrule_rejection(request_pk: int, decided: Sequence[RemoteRequest]) -> None:
    """Book the units that the OMS completed although our staff rejected the request; none: nothing is done.

    `decided` are the requests that the OMS has for it, all of them at their end. A part of the caller's transaction.
    """
    request = CancellationRequest.objects.select_related("line__submission").get(pk=request_pk)
    line = request.line
    done = count_done(line, decided)
    if not done:
        return
    order = lock_order(pk=line.submission.order_id)
    request.refresh_from_db(fields=["status"])
    if request.status != _Status.REJECTED:
        return
    line.order_item = OrderItem.objects.get(pk=line.order_item_id)
    record_event(order, "rejection_overruled", OMS, item=line.order_item, data={"line": line.pk})
    complete_line(order, line, OMS, quantity=done)
    notify_completed(order, line.submission)
    put_order_status(order)
    save_order(order, "status", "status_before", *REFUND_FIELDS)
