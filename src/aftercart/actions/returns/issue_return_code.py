"""Keep the code that the OMS issued for a return, for the customer to write on the parcel."""

from collections.abc import Iterable

from aftercart.actions.mail.notify_customer import notify_return_code
from aftercart.cancellations.models import SubmissionLine
from aftercart.oms.messages import RemoteItem, RemoteRequest
from aftercart.orders.models import Order
from aftercart.orders.timeline import OMS, record_event

_LONGEST_CODE = 64


def issue_return_code(
    order: Order, line: SubmissionLine, reported: Iterable[RemoteItem | RemoteRequest]
) -> None:
    """Keep a line's return code and its validity, if the OMS tells one that is new.

    `reported` are its rows of the line, the last of them that has a code decides: a request's after the item's.
    The order must be locked, and saved by the caller. A code that is told no more stays what it was.
    """
    row = next((row for row in reversed(list(reported)) if row.easy_return_code), None)
    if row is None or row.easy_return_code is None or line.shipping_company_id is None:
        return  # an item may still bear the code of an earlier return
    issued = (row.easy_return_code[:_LONGEST_CODE], row.easy_return_valid_until)
    if issued == (line.easy_return_code, line.easy_return_valid_until):
        return
    line.easy_return_code, line.easy_return_valid_until = issued
    line.save(update_fields=["easy_return_code", "easy_return_valid_until"])
    record_event(order, "return_code_issued", OMS, item=line.order_item, data={"line": line.pk})
    notify_return_code(order, line)
