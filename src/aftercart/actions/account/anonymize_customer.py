"""Take a person out of their account. Their orders stay, as the law wants books kept, and belong to nobody's log-in."""

import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from aftercart.accounts.address_book import lock_book
from aftercart.accounts.models import Address, Session, User
from aftercart.cancellations.models import AddressChange, ReturnPhoto, SubmissionLine
from aftercart.orders.errors import InputInvalid
from aftercart.orders.models import Order


def anonymize_customer(user: User) -> None:
    """Empty the account and its address book, and end its sessions. Raises `InputInvalid` while something is open.

    Whoever waits for a cancellation or a delivery elsewhere has to be reached until it has come to its end.
    """
    with transaction.atomic(durable=True):
        # In the order in which imports lock many, and before the book, as for a change of address.
        orders = Order.objects.filter(user=user).select_for_update(no_key=True).order_by("pk")
        list(orders.values_list("pk"))  # a cancellation that has begun is open, or refused, when this returns
        lock_book(user)
        is_open = (
            SubmissionLine.objects.filter(is_open=True, order_item__order__user=user).exists()
            or AddressChange.objects.filter(state=AddressChange.State.PENDING, order__user=user).exists()
        )
        if is_open:
            message = _("Your account can be deleted when your cancellations and changes are settled.")
            raise InputInvalid({"non_field_errors": [message]})
        Address.objects.filter(user=user).delete()
        ReturnPhoto.objects.filter(
            line__submission__order__user=user
        ).delete()  # their files: forget_photos()
        user.email = f"{uuid.uuid4()}@anonymized.invalid"
        user.first_name = user.last_name = user.gender = user.language = ""
        user.phone = ""
        user.date_of_birth = None
        user.email_allowed = user.sms_allowed = user.is_active = False
        user.set_unusable_password()
        user.save()
        Session.objects.filter(user=user).delete()
