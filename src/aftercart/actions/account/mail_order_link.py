"""Send the customer, or the guest, the link to an order."""

import uuid

from django.db import transaction

from aftercart.actions.mail.notify_customer import post
from aftercart.mail.models import Email
from aftercart.orders.selectors import lock_order


@transaction.atomic(durable=True)
def mail_order_link(number: str, *, is_reminder: bool = False) -> None:
    """Write the e-mail with the link; each call is an e-mail of its own. Raises `OrderNotFound`.

    The link itself is signed when the e-mail is sent, so that none lies in the outbox. A reminder is optional
    mail: it can be unsubscribed from, and is not written to who has.
    """
    order = lock_order(number=number)
    kind = Email.Kind.ORDER_LINK_REMINDER if is_reminder else Email.Kind.ORDER_LINK
    post(order, kind, uuid.uuid4(), {})
