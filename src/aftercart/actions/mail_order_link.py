"""Send the customer, or the guest, the link to an order."""

import uuid

from django.db import transaction

from aftercart.actions.tell_customer import post
from aftercart.mail.models import Letter
from aftercart.orders.selectors import lock_order


@transaction.atomic(durable=True)
def mail_order_link(number: str, *, is_reminder: bool = False) -> None:
    """Write the letter with the link; each call is a letter of its own. Raises `OrderNotFound`.

    The link itself is signed when the letter is sent, so that none lies in the outbox. A reminder is optional
    mail: it can be unsubscribed from, and is not written to who has.
    """
    order = lock_order(number=number)
    kind = Letter.Kind.ORDER_LINK_REMINDER if is_reminder else Letter.Kind.ORDER_LINK
    post(order, kind, uuid.uuid4(), {})
